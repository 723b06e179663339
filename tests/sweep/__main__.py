"""The fault sweep: `python -m tests.sweep` (or `make sweep`).

`up`, `down`, moves to another serving, one to machines that scale and a canary are run once for each of their calls and
each fault: the process killed after the call, throttling, a 500, a connection reset after AWS has done what it was
asked, an expired token, access denied and an exhausted quota (the last three for the rest of the run). Throttling, 500
and reset have to be survived within the run. The others may end it, in a clear error; the same command again then has
to finish. In the end there must be exactly what there is without faults: one of everything after `up`, a move and a
rollout, nothing after `down`, and a state that says so.

With `--weather rough` the twin also refuses at first what AWS refuses at first, so that faults meet calls that are made
for the second or third time.

Commands, state and kills are real; so is the twin, but for the model, which is trained once (see `twin`).
"""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.prepared import popen, programs
from tests.sweep.cells import Cell, Outcome, Reference, Verdict, establish, try_cell
from tests.sweep.faults import FAULTS
from tests.sweep.runs import COMMANDS


def main() -> int:
    """Run the cells that the command line asks for. Returns the exit code."""
    arguments = _arguments()
    programs.prepare()
    popen.begin()
    console = Console(stderr=arguments.json)
    with tempfile.TemporaryDirectory(prefix="sweep-", ignore_cleanup_errors=True) as root:
        reference = establish(Path(root), arguments.weather, arguments.state, _commands(arguments))
        problems = reference.problems()
        outcomes = [] if problems else _try_all(reference, _chosen(arguments, reference), arguments.workers, console)
    if arguments.json:
        sys.stdout.write(json.dumps(_document(reference, outcomes, problems)))
    else:
        _show(console, reference, outcomes, problems)
    return 1 if problems or any(outcome.problems for outcome in outcomes) else 0


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes at a time")
    parser.add_argument("--command", choices=COMMANDS, help="this command's calls alone")
    parser.add_argument("--fault", choices=FAULTS, help="this fault alone")
    parser.add_argument("--call", default="", help="calls alone whose name contains this", metavar="TEXT")
    parser.add_argument("--cell", action="append", default=[], type=Cell.parse, help="these cells alone")
    parser.add_argument("--weather", choices=("calm", "rough"), default="calm", help="of the twin that stands for AWS")
    parser.add_argument("--state", choices=("file", "s3"), default="file", help="where the project's state is")
    parser.add_argument("--json", action="store_true", help="answer with one JSON document")
    return parser.parse_args()


def _commands(arguments: Any) -> set[str]:
    if arguments.cell:
        return {cell.command for cell in arguments.cell}
    return {arguments.command} if arguments.command else {*COMMANDS}


def _chosen(arguments: Any, reference: Reference) -> list[Cell]:
    if arguments.cell:
        return list(arguments.cell)
    commands = _commands(arguments)
    return [
        cell
        for cell in reference.cells()
        if cell.command in commands and arguments.fault in (None, cell.fault) and arguments.call in str(cell.call)
    ]


def _try_all(reference: Reference, cells: list[Cell], workers: int, console: Console) -> list[Outcome]:
    outcomes = []
    # Workers that fork have to be without threads, and so are a pool's.
    with get_context("fork").Pool(workers) as pool:
        tried = pool.imap_unordered(partial(try_cell, reference), cells)
        for outcome in track(tried, "Sweeping", total=len(cells), console=console):
            outcomes.append(outcome)
            for row in _failures(reference, outcome):
                console.print(row, markup=False, highlight=False, soft_wrap=True)
    return outcomes


def _failures(reference: Reference, outcome: Outcome) -> Iterator[str]:
    about = reference.runs[outcome.cell.command].abouts.get(outcome.cell.call, "")
    return (f"{outcome.cell} ({about}): {problem}" for problem in outcome.problems)


def _document(reference: Reference, outcomes: list[Outcome], problems: list[str]) -> dict[str, Any]:
    return {
        "problems": problems,
        "runs": {
            name: {
                "calls": [str(call) for call in run.calls],
                "made": run.made,
                "changing": sum(not call.reads for call in run.calls),
                "seconds": round(run.seconds, 2),
            }
            for name, run in reference.runs.items()
        },
        "cells": {
            str(outcome.cell): {
                "verdict": outcome.verdict,
                "problems": outcome.problems,
                "seconds": round(outcome.seconds, 2),
            }
            for outcome in sorted(outcomes, key=lambda outcome: str(outcome.cell))
        },
    }


def _show(console: Console, reference: Reference, outcomes: list[Outcome], problems: list[str]) -> None:
    for name, run in reference.runs.items():
        changing = sum(not call.reads for call in run.calls)
        console.print(
            f"{name}: {run.made} calls, {len(run.calls)} of them different, {changing} changing; {run.seconds:.1f} s"
        )
    for problem in problems:
        console.print(f"without any fault: {problem}", markup=False)
    console.print(_table(outcomes))
    if outcomes:
        console.print(f"{sum(outcome.seconds for outcome in outcomes) / len(outcomes):.1f} s a cell")


def _table(outcomes: list[Outcome]) -> Table:
    table = Table("command", "fault", *(("calls"), *Verdict))
    counts = Counter((outcome.cell.command, outcome.cell.fault, outcome.verdict) for outcome in outcomes)
    for command in COMMANDS:
        for fault in FAULTS:
            row = [counts[command, fault, verdict] for verdict in Verdict]
            if sum(row):
                table.add_row(command, fault, *map(str, (sum(row), *row)))
    return table


if __name__ == "__main__":
    sys.exit(main())
