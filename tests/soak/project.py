"""One project of a soak, and what it knows of its account."""

import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chain.shell import SETTINGS, begin
from tests.services.web.wheels import ask_for
from tests.soak import troubles
from tests.soak.account import Account
from tests.soak.troubles import Trouble
from tests.sweep.inventory import REGION
from tests.sweep.runs import ENVIRONMENT, Place, Run

COMMANDS = ("plan", "up", "deploy", "down")  # in which something goes wrong
MOST_TRIES = 8
PAUSE_SECONDS = 0.3  # before a command is run again: what met it may last
IN_PROD = f"""
[env.{ENVIRONMENT}]
region = "{REGION}"
train.architecture = "ngram"
train.ngrams = {{ngrams}}
deploy.serving = "{{serving}}"
project.state = "{{state}}"
"""


@dataclass
class Project:
    """A project in the account.

    Args:
        name: its own.
        folder: of its own, empty.
        account: where it runs.
        state: where its state is, "file" or "s3".
        weights: how often each trouble is chosen in it, in relation to the others.
    """

    name: str
    folder: Path
    account: Account
    state: str
    weights: Mapping[str, int]
    _usual: dict[tuple[str, str], Run] = field(default_factory=dict)  # commands without troubles

    def __post_init__(self) -> None:
        self.folder.mkdir()
        begin(self.place.folder)
        ask_for(self.place.folder)  # a function that holds the model has no packages of its own

    @property
    def place(self) -> Place:
        """Where commands are run."""
        return Place(self.folder / "project", self.account.access)

    @property
    def files(self) -> list[str]:
        """Those in its folder."""
        return sorted(str(path.relative_to(self.place.folder)) for path in self.place.folder.rglob("*"))

    def settle(self, serving: str, ngrams: int) -> None:
        """Write the settings of a project that does not stand."""
        mine = f'name = "{self.name}"\nid = "{self.name.encode().hex()[-12:].rjust(12, "0")}"'
        settings = re.sub(r'name = "\w+"\nid = "\w+"', mine, SETTINGS)
        settings += IN_PROD.format(ngrams=ngrams, serving=serving, state=self.state)
        (self.place.folder / "sentictl.toml").write_text(settings)

    def run(self, words: Sequence[str], trouble: Trouble) -> Run:
        """Run a command once, with a trouble."""
        return troubles.run(self.place, words, trouble, self.account)

    def knows(self, serving: str) -> bool:
        """Whether every command was learned."""
        return all((serving, command) in self._usual for command in COMMANDS)

    def learn(self, serving: str, words: Sequence[str], run: Run) -> None:
        """Remember how a command goes without troubles."""
        self._usual[serving, words[0]] = run

    def choose(self, chance: random.Random, serving: str, words: Sequence[str]) -> Trouble:
        """Choose what is to go wrong in a command that was learned."""
        usual = self._usual[serving, words[0]]
        return troubles.choose(chance, usual.calls, usual.seconds, self.weights)

    def stock(self) -> list[str]:
        """All that is the project's in the account, in lines."""
        return [line for line in self.stock_of_all() if self.name in line]

    def stock_of_all(self) -> list[str]:
        """All that is in the account, in lines. Asks again where the twin is killed meanwhile, or others delete."""
        for _ in range(MOST_TRIES):
            try:
                return self.place.take_stock()
            except RuntimeError as problem:
                failed = problem
                self.account.wait()
                time.sleep(PAUSE_SECONDS)
        raise failed
