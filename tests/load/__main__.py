"""Bring up a small project on a twin of its own, and print how its API answers 1, 16, 64 and 256 clients at once."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chain.shell import begin
from tests.load.clients import REFUSALS, Load, load

CLIENTS = (1, 16, 64, 256)
EACH = 8
HEAD = "| clients | requests | 200 | 429, 503 | other | p50 of the 200, ms | p99, ms | p99 of the refusals, ms |"


def main() -> int:
    """Print the table; fail where any answer is neither a 200 nor a refusal that says when to ask again."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    parser.add_argument("--each", type=int, default=EACH, help=f"requests of each client ({EACH})")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shell = begin(Path(folder) / "toy")
        shell.run("config", "set", "api.throttle_rate", "10000")  # the function is the subject, not the throttle
        shell.run("config", "set", "api.throttle_burst", "5000")
        try:
            url = shell.json("up")["api_url"]
            load(url, 4, 4)  # the first requests start the function
            loads = [load(url, clients, arguments.each) for clients in arguments.clients]
        finally:
            shell.run("down", "--yes")
            shell.run("local", "stop")
    rows = [HEAD, "|---" * (HEAD.count("|") - 1) + "|", *map(_row, loads)]
    sys.stdout.write("\n".join(rows) + "\n")
    return 1 if any(_others(each) for each in loads) else 0


def _row(done: Load) -> str:
    refused = sum(done.statuses[status] for status in REFUSALS)
    times = [done.percentile(50), done.percentile(99), done.percentile(99, REFUSALS)]
    counts = [done.clients, len(done.asked), done.statuses[200], refused, _others(done)]
    return f"| {' | '.join([*map(str, counts), *(f'{each:,.0f}' for each in times)])} |"


def _others(done: Load) -> int:
    return len(done.asked) - done.statuses[200] - sum(done.statuses[status] for status in REFUSALS)


if __name__ == "__main__":
    sys.exit(main())
