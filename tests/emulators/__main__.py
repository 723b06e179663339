"""Bring a small project up, change it and take it down on the twin, and ask another emulator each of its calls as well.

SENTICTL_EMULATOR_URL names that emulator; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are what it takes ("test" where
they are not set), and AWS_CA_BUNDLE is a file of certificates that it is known by. Its API is not asked for answers.
"""

import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import urllib3

from tests.emulators.crossing import change, crossing
from tests.emulators.emulator import Asked, Emulator
from tests.emulators.exchange import Exchange

URL = "SENTICTL_EMULATOR_URL"
HEAD = "| service | call | answers | differs in |\n|---|---|---|---|"


def main() -> int:
    """Print a table of the calls."""
    url = os.environ.get(URL, "").rstrip("/")
    if not url:
        sys.stderr.write(f"Name the emulator: make emulator {URL}=http://127.0.0.1:4566\n")
        return 2
    key, secret = (os.environ.get(name, "test") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    other = Emulator(url, key, secret, os.environ.get("AWS_CA_BUNDLE", ""))
    try:
        other.ask(Asked("sts", "us-east-1", "POST", "/", {}, b"Action=GetCallerIdentity&Version=2011-06-15"))
    except urllib3.exceptions.HTTPError as problem:
        sys.stderr.write(f"{url} does not answer: {problem}\nStart the emulator, or correct {URL}.\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="emulator-") as folder, crossing(Path(folder), other) as both:
        both.run("up")
        change(both)
        both.run("up")
        both.run("down", "--confirm", "toy")
    sys.stdout.write("\n".join([HEAD, *table(both.bridge.exchanges)]) + "\n")
    return 0


def table(exchanges: Iterable[Exchange]) -> Iterator[str]:
    """Yield a row for each call and each way in which it was answered, and then how many there are of each."""
    rows: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for each in exchanges:
        answered = outcome(each)
        rows[each.service, each.operation, answered].update(each.differences() if answered == "takes" else [])
    for (service, operation, answered), fields in sorted(rows.items()):
        yield f"| {service} | {operation} | {answered} | {'; '.join(f'`{told}`' for told in sorted(fields))} |"
    counts = Counter(answered.partition(" ")[0] for _, _, answered in rows)
    yield "\n" + ", ".join(f"{word} {count}" for word, count in sorted(counts.items())) + f" of {len(rows)}"


def outcome(exchange: Exchange) -> str:
    """Return whether the other emulator takes a call, lacks it (501), or refuses it where or how the twin does not."""
    if exchange.lacks:
        return "lacks"
    differences = exchange.differences()
    if exchange.theirs.ok or not differences:
        return "takes"
    return f"refuses {differences[0].partition(' / ')[2]}"


if __name__ == "__main__":
    sys.exit(main())
