"""The cells of the sweep's table: a command, one of its calls, and the fault that meets it there."""

import json
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.sweep import inventory
from tests.sweep.calls import Call
from tests.sweep.faults import FAULTS
from tests.sweep.runs import COMMANDS, Run, place
from tests.sweep.watch import Strike

HEAD_EXITS = {1, 4}  # what refuses a HEAD request cannot be told from other refusals
SPARED = {"pricing"}  # services without which a command does, so that a refusal may end well


class Verdict(StrEnum):
    """How a cell ended."""

    WITHIN = "survived within the run"
    AGAIN = "survived by running again"
    FAILED = "failed"


@dataclass(frozen=True)
class Cell:
    """One run with one fault; written `up:sagemaker.CreateModel#1:kill`."""

    command: str
    call: Call
    fault: str

    @classmethod
    def parse(cls, text: str) -> "Cell":
        """Read what `str` wrote.

        Raises:
            ValueError: it names no cell.
        """
        command, _, rest = text.partition(":")
        call, _, fault = rest.partition(":")
        if command not in COMMANDS or fault not in FAULTS:
            raise ValueError(f"{text!r} is no cell: expected command:service.Operation#number:fault")
        return cls(command, Call.parse(call), fault)

    def __str__(self) -> str:
        return f"{self.command}:{self.call}:{self.fault}"


@dataclass(frozen=True)
class Outcome:
    """What became of a cell; `problems` is empty unless it failed."""

    cell: Cell
    verdict: Verdict
    problems: list[str]
    seconds: float


@dataclass(frozen=True)
class Reference:
    """The commands without faults, which everything else is compared with.

    Args:
        memory: where the model is remembered that they trained.
        weather: that of the twins.
        state: where the state is, "file" or "s3".
        standing: the folder of a project that is up, to be copied.
        runs: the run of each command; `again` is an `up` of what is up.
        inventories: what there is after each command.
    """

    memory: Path
    weather: str
    state: str
    standing: Path
    runs: dict[str, Run]
    inventories: dict[str, list[str]]

    def cells(self) -> Iterator[Cell]:
        """All there are."""
        return (
            Cell(command, call, fault)
            for command in COMMANDS
            if command in self.runs
            for call in self.runs[command].calls
            for fault in FAULTS
        )

    def problems(self) -> list[str]:
        """What is wrong without any fault."""
        failed = [f"{name} ends with {run.code}: {run.stdout[-500:]}" for name, run in self.runs.items() if run.code]
        again = self.runs["again"]
        kept = {call for call in again.calls if call.reads or again.abouts.get(call, "").endswith(".lease")}
        changing = [f"a second up calls {call}" for call in again.calls if call not in kept]
        return failed + changing + [f"down leaves {line}" for line in self.inventories.get("down", ())]


def establish(root: Path, weather: str, state: str, commands: Collection[str]) -> Reference:
    """Run `up`, `up` again and other commands without faults, and keep a project that stands.

    Args:
        root: an empty folder, which has to stay while cells are run.
        weather: that of the twins, "calm" or "rough".
        state: where the state is, "file" or "s3".
        commands: those of the cells that are to be run.
    """
    memory, standing = root / "memory", root / "standing"
    with place(standing, memory, weather, state) as here:
        runs = {"up": here.run("up"), "again": here.run("up")}
        inventories = {"up": here.take_stock()}
    for command in set(commands) - runs.keys():
        with place(root / command, memory, weather, state, standing) as here:
            runs[command] = here.run(command)
            inventories[command] = here.take_stock()
    return Reference(memory, weather, state, standing, runs, inventories)


def try_cell(reference: Reference, cell: Cell) -> Outcome:
    """Run the command with the fault, once more without it unless it got through, and compare with the reference."""
    began = time.monotonic()
    standing = None if cell.command == "up" else reference.standing
    with (
        tempfile.TemporaryDirectory(prefix="sweep-", ignore_cleanup_errors=True) as root,
        place(Path(root) / "cell", reference.memory, reference.weather, reference.state, standing) as here,
    ):
        first = here.run(cell.command, Strike(FAULTS[cell.fault], cell.call))
        problems = _judge(cell, first)
        if first.code != 0:
            second = here.run(cell.command)
            problems += [f"run again: {told}" for told in _judge_end(second, {0})]
        found = here.take_stock()
    problems += inventory.compare(reference.inventories[cell.command], found)
    verdict = Verdict.FAILED if problems else Verdict.AGAIN if first.code else Verdict.WITHIN
    return Outcome(cell, verdict, problems, time.monotonic() - began)


def _judge(cell: Cell, run: Run) -> list[str]:
    """What is wrong with how the run with the fault ended."""
    if cell.call not in run.calls:
        return ["the call was not made"]
    exits = set(FAULTS[cell.fault].exits)
    if cell.call.answers_without_body and exits & HEAD_EXITS:
        exits |= HEAD_EXITS
    if cell.call.service in SPARED:
        exits |= {0}
    problems = _judge_end(run, exits)
    if not problems and run.code in (1, 4):
        problems = _judge_error(run.stdout, cell.call)
    return problems


def _judge_end(run: Run, exits: set[int]) -> list[str]:
    if "Traceback" in run.stderr:
        return [f"ends in a traceback: {run.stderr.strip().splitlines()[-1]}"]
    if run.code not in exits or "should not happen" in run.stdout:
        return [f"ends with {run.code}: {_message(run.stdout)}"]
    return []


def _judge_error(stdout: str, call: Call) -> list[str]:
    """An error says what happened and what comes next. What `down` could not delete is told in its answer."""
    try:
        document = json.loads(stdout)
    except ValueError:
        return [f"stdout is no JSON document: {stdout[:300]}"]
    if document.get("left"):
        return []
    error = document.get("error", {})
    lacking = [f"the error has no {name}: {stdout}" for name in ("code", "message", "hint") if not error.get(name)]
    if "--debug" in error.get("hint", "") and not call.answers_without_body:
        lacking.append(f"the error names no next step: {error['message']}")
    return lacking


def _message(stdout: str) -> str:
    """The error's message, or whatever there is in its place."""
    try:
        return str(json.loads(stdout)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return stdout.strip()[-300:]
