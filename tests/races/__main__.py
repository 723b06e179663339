"""`python -m tests.races`: a thousand races of writers of one state on S3, and every fault at every call of one.

Writers use the state as every command does: under its lease, each record announced before the thing is made and
confirmed after. S3 is the twin's control plane. The writers of races are threads in its own process; those that meet
faults are processes, really killed, in front of the twin's own server. After each race all versions of the state have
to follow one from another, none without a record that one before it had; all that was made has to be recorded,
whatever became of its maker; and whoever was refused gets through when it is run again.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.prepared import programs
from tests.races import faults, races
from tests.races.account import account
from tests.races.threads import DEAD, REFUSED
from tests.sweep.cells import Verdict
from tests.sweep.faults import FAULTS


def main() -> int:
    """Run what the command line asks for. Returns the exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also in the background, where shells ignore it
    parser = argparse.ArgumentParser(prog="python -m tests.races", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--races", type=int, default=1000, help="how many")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="at a time")
    parser.add_argument("--weather", choices=("calm", "rough"), default="calm", help="of the account")
    parser.add_argument("--call", default="", help="faults alone at calls whose name contains this", metavar="TEXT")
    parser.add_argument("--fault", action="append", choices=FAULTS, help="these faults alone")
    parser.add_argument("--no-faults", action="store_true", help="races alone")
    parser.add_argument("--json", action="store_true", help="answer with one JSON document")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    programs.share_what_botocore_reads()
    kinds = [*races.KINDS]
    with tempfile.TemporaryDirectory(prefix="races-") as root, account(Path(root) / "aws", arguments.weather) as url:
        wanted = [races.Race(kinds[number % len(kinds)], number) for number in range(arguments.races)]
        results = _all(partial(races.run, weather=arguments.weather), wanted, arguments.workers, "Racing", console)
        found = [] if arguments.no_faults else [call for call in faults.calls(url) if arguments.call in str(call)]
        cells = [
            faults.Cell(call, fault, beside)
            for call in found
            for fault in arguments.fault or FAULTS
            for beside in (False, True)
        ]
        outcomes = _all(partial(faults.try_cell, url=url), cells, arguments.workers, "Striking", console)
    wrong = [(str(each), each.problems) for each in [*results, *outcomes] if each.problems]
    if arguments.json:
        sys.stdout.write(json.dumps(_document(results, outcomes)))
    else:
        out = Console()
        out.print(_table_of_races(results))
        out.print(_table_of_faults(outcomes))
    for what, problems in wrong:
        console.print(what, *problems, sep="\n  ", markup=False, soft_wrap=True)
    return 1 if wrong else 0


def _all(work: Callable[[Any], Any], wanted: list[Any], workers: int, what: str, console: Console) -> list[Any]:
    """Do all of it; Ctrl-C ends with what was done until then."""
    done = []
    with get_context("fork").Pool(workers, _leave_interrupts_to_parent) as pool, contextlib.suppress(KeyboardInterrupt):
        for answer in track(pool.imap_unordered(work, wanted), what, total=len(wanted), console=console):
            done.append(answer)  # noqa: PERF402  (what is done until an interrupt counts)
    return done


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _table_of_races(results: list[races.Result]) -> Table:
    table = Table("race", "what", "run", "writers", DEAD, f"{REFUSED}, and through when run again", "something lost")
    for kind, what in races.KINDS.items():
        mine = [result for result in results if result.race.kind == kind]
        counts = [len(mine), sum(each.writers for each in mine)]
        counts += [sum(each.count(end) for each in mine) for end in (DEAD, REFUSED)]
        table.add_row(kind, what, *map(str, counts), str(sum(bool(each.problems) for each in mine)))
    return table


def _table_of_faults(outcomes: list[faults.Outcome]) -> Table:
    table = Table("the other", "fault", "calls", *Verdict)
    counts = Counter((each.cell.beside, each.cell.fault, each.verdict) for each in outcomes)
    for beside in (False, True):
        for fault in FAULTS:
            row = [counts[beside, fault, verdict] for verdict in Verdict]
            table.add_row("beside it" if beside else "after it", fault, *map(str, (sum(row), *row)))
    return table


def _document(results: list[races.Result], outcomes: list[faults.Outcome]) -> dict[str, Any]:
    return {
        "races": [{"kind": each.race.kind, "ended": each.ended, "problems": each.problems} for each in results],
        "cells": [
            {"call": str(each.cell.call), "fault": each.cell.fault, "verdict": each.verdict, "problems": each.problems}
            for each in outcomes
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
