"""What goes wrong while a command runs."""

import contextlib
import os
import random
import select
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

from tests.soak import clock
from tests.soak.account import FUNCTION, MODEL_SERVER, Account
from tests.sweep.calls import Call
from tests.sweep.faults import FAULTS
from tests.sweep.runs import Place, Run, Running
from tests.sweep.watch import Strike

FAULT = "AWS fails: "  # and how
COMMAND_KILLED, TWIN_KILLED = "the command is killed", "the twin is killed"
SERVER_KILLED, FUNCTION_KILLED = "a model server is killed", "a function's process is killed"
CLOCK, COMMANDS_DISK, TWINS_DISK = "the clock jumps", "the command's disk is full", "the twin's disk is full"
# How often each is chosen, in relation to the others.
WEIGHTS = {
    **{FAULT + fault: 2 for fault in FAULTS},
    COMMAND_KILLED: 6,
    SERVER_KILLED: 3,
    FUNCTION_KILLED: 3,
    CLOCK: 3,
    COMMANDS_DISK: 3,
    TWINS_DISK: 2,
    TWIN_KILLED: 2,
}
ENDS_COMMAND = {COMMAND_KILLED, FAULT + "kill"}
# After these nothing that was asked for in the meantime need have been answered.
SHARED = {TWIN_KILLED, SERVER_KILLED, FUNCTION_KILLED, TWINS_DISK}
RUN_SECONDS = 600.0  # a command that takes longer hangs: several run at once, and with the lowest priority perhaps
DAYS = 3.0  # by which the clock jumps at most
FILE_BYTES = (0, 300, 4096, 60_000)  # what still goes onto a full disk, in each file
JOURNAL_BYTES = 3000  # and onto the twin's


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, and when.

    Args:
        what: one of `WEIGHTS`; empty: nothing.
        after: seconds from the command's begin.
        call: what the fault is for, where it is AWS's.
        amount: from 0 to 1: of what there can be more or less.
    """

    what: str = ""
    after: float = 0.0
    call: Call | None = None
    amount: float = 0.0

    def __str__(self) -> str:
        if self.call:
            return f"{self.what} at {self.call}"
        return f"{self.what} after {self.after:.2f} s" if self.what else "nothing goes wrong"


def weights(text: str, *, clocks: bool) -> dict[str, int]:
    """Those of troubles whose name contains a text; the clock's only where it can be moved."""
    return {what: weight for what, weight in WEIGHTS.items() if text in what and (clocks or what != CLOCK)}


def choose(chance: random.Random, calls: Sequence[Call], seconds: float, weights: Mapping[str, int]) -> Trouble:
    """Choose one for a command.

    Args:
        calls: that it makes to AWS.
        seconds: that it takes.
        weights: how often each is chosen, in relation to the others.
    """
    (what,) = chance.choices([*weights], [*weights.values()])
    call, after, amount = chance.choice(calls), chance.uniform(0, seconds), chance.random()
    return Trouble(what, after, call if what.startswith(FAULT) else None, amount)


def run(place: Place, words: Sequence[str], trouble: Trouble, account: Account) -> Run:
    """Run a command to its end, with a trouble."""
    fault = FAULTS.get(trouble.what.removeprefix(FAULT))
    strike = Strike(fault, trouble.call) if fault and trouble.call else None
    full = trouble.what == COMMANDS_DISK
    limit = FILE_BYTES[int(trouble.amount * len(FILE_BYTES))] if full else -1
    running = place.begin(words, strike, limit)
    if happen := HAPPENS.get(trouble.what):
        _wait(running, trouble.after)
        return happen(running, trouble, account)
    return running.end(RUN_SECONDS)


def _wait(running: Running, seconds: float) -> None:
    """Until so many seconds are over, or the command."""
    descriptor = os.pidfd_open(running.pid)
    select.select([descriptor], [], [], seconds)
    os.close(descriptor)


def _kill_command(running: Running, _trouble: Trouble, _account: Account) -> Run:
    os.kill(running.pid, signal.SIGKILL)  # not reaped yet, so it is nobody else
    return running.end(RUN_SECONDS)


def _kill_twin(running: Running, _trouble: Trouble, account: Account) -> Run:
    with account.events.lasting(TWIN_KILLED):
        account.kill()
    return running.end(RUN_SECONDS)


def _kill_child(of: str, what: str) -> Callable[[Running, Trouble, Account], Run]:
    def kill(running: Running, trouble: Trouble, account: Account) -> Run:
        there = sorted(account.processes(of), key=lambda process: process.pid)
        if there:
            with account.events.lasting(what), contextlib.suppress(psutil.NoSuchProcess):
                there[int(trouble.amount * len(there))].kill()
        return running.end(RUN_SECONDS)

    return kill


def _move_clock(running: Running, trouble: Trouble, _account: Account) -> Run:
    clock.move((2 * trouble.amount - 1) * DAYS * 86400)
    return running.end(RUN_SECONDS)


def _fill_twins_disk(running: Running, trouble: Trouble, account: Account) -> Run:
    with account.events.lasting(TWINS_DISK):
        account.limit_files(account.measure()["journal"] + int(trouble.amount * JOURNAL_BYTES))
        _wait(running, RUN_SECONDS)
        account.limit_files(-1)
    return running.end(RUN_SECONDS)


HAPPENS: Mapping[str, Callable[[Running, Trouble, Account], Run]] = {
    COMMAND_KILLED: _kill_command,
    TWIN_KILLED: _kill_twin,
    SERVER_KILLED: _kill_child(MODEL_SERVER, SERVER_KILLED),
    FUNCTION_KILLED: _kill_child(FUNCTION, FUNCTION_KILLED),
    CLOCK: _move_clock,
    TWINS_DISK: _fill_twins_disk,
}
