"""Bring up a small project on a twin of its own, and print how its API answers under load.

By default 1, 16, 64 and 256 clients ask at once. With `--requests N` so many are sent at half the rate that the API can
answer, while the model is rolled back, replaced and scaled all the time; none may fail.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.chain.shell import Shell, begin
from tests.load.clients import REFUSALS, Load, load
from tests.load.sustained import Answered, Changes, Memory, at_rate, capacity, changing, watching

CLIENTS = (1, 16, 64, 256)
EACH = 8
OK = 200
TO_MEASURE = 2000  # requests that find out how many a second there can be
HEAD = "| clients | requests | 200 | 429, 503 | other | p50 of the 200, ms | p99, ms | p99 of the refusals, ms |"


def main() -> int:
    """Print a table; fail where any answer is none that is meant."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    parser.add_argument("--each", type=int, default=EACH, help=f"requests of each client ({EACH})")
    parser.add_argument("--requests", type=int, default=0, help="send so many in place of that, at half the capacity")
    parser.add_argument("--minutes", type=float, default=1e9, help="of these, send none after so many")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _project(Path(folder) / "toy") as shell:
        if arguments.requests:
            return _sustain(shell, arguments.requests, arguments.minutes)
        return _crowd(shell, arguments.clients, arguments.each)


@contextmanager
def _project(folder: Path) -> Iterator[Shell]:
    """A project whose function is the subject, and not the throttle before it."""
    shell = begin(folder)
    shell.run("config", "set", "api.throttle_rate", "10000")
    shell.run("config", "set", "api.throttle_burst", "5000")
    try:
        yield shell
    finally:
        shell.run("down", "--yes")
        shell.run("local", "stop")


def _crowd(shell: Shell, clients: Sequence[int], each: int) -> int:
    """All clients at once: an answer is a 200 or a refusal that says when to ask again."""
    url = shell.json("up")["api_url"]
    load(url, 4, 4)  # the first requests start the function
    loads = [load(url, count, each) for count in clients]
    rows = [HEAD, "|---" * (HEAD.count("|") - 1) + "|", *map(_row, loads)]
    sys.stdout.write("\n".join(rows) + "\n")
    return 1 if any(_others(each) for each in loads) else 0


def _sustain(shell: Shell, requests: int, minutes: float) -> int:
    """An even rate for a long time, through all changes: each answer is a 200."""
    shell.run("config", "set", "train.architecture", "ngram")  # the quickest to train
    shell.run("up")
    shell.run("config", "set", "train.ngrams", "4000")  # a second version
    url = shell.json("up")["api_url"]
    load(url, 4, 4)
    most = capacity(url, TO_MEASURE)
    pid = shell.json("local", "status")["pid"]
    with watching(pid) as memory, changing(shell) as changes:
        answers = at_rate(url, min(requests, int(30 * minutes * most)), most / 2)
    _tell(most, answers, changes, memory)
    return 0 if all(each.status == OK for each in answers) else 1


def _tell(most: float, answers: Sequence[Answered], changes: Changes, memory: Memory) -> None:
    during = [each for each in answers if changes.meet(each)]
    quiet = [each for each in answers if not changes.meet(each)]
    first, last = memory.thirds()
    lines = [
        f"{most:.0f} requests a second at most; {len(changes.made)} changes meanwhile; the twin's memory "
        f"{first:.0f} MB in the first third, {last:.0f} MB in the last ({last / first - 1:+.0%})",
        "",
        "| at half of that | requests | failed | p50, ms | p99, ms | p99 / p50 |",
        "|---|---|---|---|---|---|",
        *(_figures(name, part) for name, part in (("all", answers), ("quiet", quiet), ("changing", during)) if part),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _figures(name: str, answers: Sequence[Answered]) -> str:
    failed = sum(each.status != OK for each in answers)
    quantiles = statistics.quantiles([each.milliseconds for each in answers], n=100, method="inclusive")
    p50, p99 = quantiles[49], quantiles[98]
    return f"| {name} | {len(answers)} | {failed} | {p50:.1f} | {p99:.1f} | {p99 / p50:.1f} |"


def _row(done: Load) -> str:
    refused = sum(done.statuses[status] for status in REFUSALS)
    times = [done.percentile(50), done.percentile(99), done.percentile(99, REFUSALS)]
    counts = [done.clients, len(done.asked), done.statuses[200], refused, _others(done)]
    return f"| {' | '.join([*map(str, counts), *(f'{each:,.0f}' for each in times)])} |"


def _others(done: Load) -> int:
    return len(done.asked) - done.statuses[200] - sum(done.statuses[status] for status in REFUSALS)


if __name__ == "__main__":
    sys.exit(main())
