"""Faults: one of two writers meets a fault at one of its calls to S3, while the other works."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.races.account import s3
from tests.races.judge import problems
from tests.races.races import SECONDS
from tests.races.writer import Field, Writer
from tests.sweep import process
from tests.sweep.calls import Call
from tests.sweep.cells import Verdict
from tests.sweep.faults import FAULTS
from tests.sweep.watch import Strike

KILLED = -9
REFUSED_ON = ("expired-token", "access-denied", "limit-exceeded")  # also when the call is made again


@dataclass(frozen=True)
class Cell:
    """A call of the first writer, the fault that it meets, and whether the other one begins before or after it."""

    call: Call
    fault: str
    beside: bool


@dataclass(frozen=True)
class Outcome:
    """How a cell ended."""

    cell: Cell
    verdict: Verdict
    problems: list[str]


def calls(url: str) -> list[Call]:
    """All calls to S3 that a writer makes, in their order."""
    with tempfile.TemporaryDirectory(prefix="race-") as root:
        writer = Writer("m0", Field(Path(root), url, "calls"))
        # A fault that never comes has the writer make clients that are watched.
        if process.wait(writer.begin(Strike(FAULTS["500"], Call("s3", "ListBuckets", 1))), SECONDS) != 0:
            raise RuntimeError(writer.said)
        return _made(writer)


def try_cell(cell: Cell, url: str) -> Outcome:
    """Have the first writer meet the fault, and the other work; then the first again, unless it got through."""
    with tempfile.TemporaryDirectory(prefix="race-", ignore_cleanup_errors=True) as root:
        field = Field(Path(root), url, f"{cell.call.operation}{cell.call.number}-{cell.fault}-{cell.beside}")
        struck, other = Writer("struck", field), Writer("other", field)
        first = struck.begin(Strike(FAULTS[cell.fault], cell.call))
        found = []
        if cell.beside:
            second = other.begin()
            codes = process.wait(first, SECONDS), process.wait(second, SECONDS)
        else:
            code = process.wait(first, SECONDS)
            found = problems(s3(url), field, [], done=False)
            codes = code, process.wait(other.begin(), SECONDS)
        found += _judge(cell, struck, codes)
        found += problems(s3(url), field, ["other"], done=False)
        if codes[0] != 0 and (code := process.wait(struck.begin(), SECONDS)) != 0:
            found.append(f"run again it ends with {code}: {struck.said}")
        # What could not be given back, with the work done, runs out by itself.
        given_back = codes[0] != 0 or cell.fault not in REFUSED_ON
        found += problems(s3(url), field, ["struck", "other"], done=given_back)
    within = Verdict.WITHIN if codes[0] == 0 else Verdict.AGAIN
    return Outcome(cell, Verdict.FAILED if found else within, found)


def _judge(cell: Cell, struck: Writer, codes: tuple[int | None, int | None]) -> list[str]:
    fault = FAULTS[cell.fault]
    # The last call gives the lease back: what refuses that ends nothing, and the lease runs out.
    ends = {*fault.exits, 0} if cell.fault != "kill" else {KILLED}
    found = [] if codes[0] in ends else [f"it ends with {codes[0]}: {struck.said}"]
    found += [] if codes[1] == 0 else [f"the other ends with {codes[1]}"]
    return found + ([] if cell.call in _made(struck) else ["the call was not made"])


def _made(writer: Writer) -> list[Call]:
    lines = [json.loads(line) for line in writer.record.read_text().splitlines()]
    return [call for call in dict.fromkeys(Call.parse(line["call"]) for line in lines) if call.service == "s3"]
