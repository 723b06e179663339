"""Races: several writers at once, in one of these ways."""

import random
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.races.judge import problems
from tests.races.threads import DEAD, OK, REFUSED, InProcess
from tests.races.writer import Field

SECONDS = 90.0  # longer than any race takes on a slow machine
MOST_CALLS = 9  # of a writer
KINDS = {
    "two begin the state": "two writers, and nothing there",
    "four at once": "four writers, and something there",
    "one sleeps": "one's lease runs out while it works, and others take it over",
    "one dies": "one makes no more calls behind one of them, and others take over",
}
_accounts: dict[str, InProcess] = {}  # of this process, by its weather


@dataclass(frozen=True)
class Race:
    """One race; its number decides all that is left to chance."""

    kind: str
    number: int


@dataclass(frozen=True)
class Result:
    """How a race went.

    Args:
        race: it.
        writers: how many wrote.
        ended: how each ended, by its name.
        problems: what is wrong.
    """

    race: Race
    writers: int
    ended: dict[str, str]
    problems: list[str]

    def count(self, end: str) -> int:
        """How many ended so."""
        return [*self.ended.values()].count(end)


def run(race: Race, weather: str) -> Result:
    """Run one, on an account of this process."""
    if weather not in _accounts:
        _accounts[weather] = InProcess(Path(tempfile.mkdtemp(prefix="races-")) / "aws", weather)
    account = _accounts[weather]
    folder = Path(tempfile.mkdtemp(prefix="race-"))
    field = Field(folder, "", f"race{race.number}")
    names = [f"m{number}" for number in range(4 if race.kind == "four at once" else 2)]
    with account.races():
        if race.kind == "four at once":
            _compete(account, field, ["first"], Race("", race.number))
        ended = _compete(account, field, names, race)
        found = [f"{name} ends: {end} {said}" for name, (end, said) in ended.items() if end not in _ends(race)]
        done = [name for name, (end, _) in ended.items() if end == OK]
        found += problems(account.clients["s3"], field, done, done=race.kind != "one dies")
        for name in (name for name in names if name not in done):  # as whoever was refused does
            again = _compete(account, field, [name], Race("", race.number))
            found += [] if again[name][0] == OK else [f"{name} run again: {again[name]}"]
        found += problems(account.clients["s3"], field, names)
    shutil.rmtree(folder)
    return Result(race, len(names), {name: end for name, (end, _) in ended.items()}, found)


def _ends(race: Race) -> set[str]:
    """How a writer may end."""
    return {OK, *({REFUSED} if race.kind == "one sleeps" else ()), *({DEAD} if race.kind == "one dies" else ())}


def _compete(account: InProcess, field: Field, names: Sequence[str], race: Race) -> dict[str, tuple[str, str]]:
    """Have them write at once. Returns how each ended, and what it said."""
    chance, ended = random.Random(f"{race.kind} {race.number}"), {}

    def note(name: str, end: str, said: str) -> None:
        ended[name] = end, said

    threads = [
        account.begin(
            name,
            field,
            note,
            calls=chance.randint(1, MOST_CALLS) if race.kind == "one dies" and number == 0 else 0,
            asleep=race.kind == "one sleeps" and number == 0,
            pause=chance.uniform(0.0, 0.05) if race.kind == "one sleeps" and number == 0 else 0.0,
        )
        for number, name in enumerate(names)
    ]
    for thread in threads:
        thread.join(SECONDS)
    return {name: ended.get(name, ("hangs", "")) for name in names}
