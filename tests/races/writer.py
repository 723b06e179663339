"""A writer: a command that makes one thing, in a process and a clone of the project of its own.

What it makes is a line in a file, which stands for what a call to AWS makes. As every resource it is announced in the
state before, and confirmed after.
"""

import os
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sentictl.aws.environment import Environment
from sentictl.aws.errors import translate
from sentictl.aws.remote_state import lease
from sentictl.aws.remote_state.store import RemoteState
from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.state import Record
from sentictl.errors import SentictlError
from tests.races.account import BUCKET, REGION, unused_clients
from tests.sweep import process
from tests.sweep.watch import Strike, Watch

SETTINGS = """\
[project]
name = "films"
id = "0123456789ab"
state = "s3://{bucket}/{prefix}"
state_wait_seconds = 60

[env.prod]
region = "{region}"
"""
UNTOLD = 70  # the exit code for an error that says nothing to a person
SLEEP = time.sleep
BACKOFF_SECONDS = 0.2  # at most, in place of the seconds that botocore waits before it tries again


@dataclass(frozen=True)
class Field:
    """What several writers have in common.

    Args:
        folder: where their clones are.
        url: of the account.
        prefix: of the state in the account's bucket.
    """

    folder: Path
    url: str
    prefix: str

    @property
    def ledger(self) -> Path:
        """The file that tells what was made."""
        return self.folder / "ledger"


@dataclass(frozen=True)
class Writer:
    """One of several.

    Args:
        name: of what it makes.
        folder: its clone, beside which its files are.
        field: where it runs, with others.
    """

    name: str
    field: "Field"

    def begin(self, strike: Strike | None = None) -> int:
        """Begin to make it. Returns the process's id.

        Args:
            strike: what is to happen to one of its calls.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = SETTINGS.format(bucket=BUCKET, prefix=self.field.prefix, region=REGION)
        (self.folder / "sentictl.toml").write_text(settings)
        unused_clients(self.field.url)
        self.record.write_text("")
        return process.fork(partial(self._work, strike), self.folder / "log")

    @property
    def folder(self) -> Path:
        """Its clone of the project."""
        return self.field.folder / self.name

    @property
    def said(self) -> str:
        """What it said in its last run."""
        return (self.folder / "log").read_text() + (self.folder / "log.err").read_text()

    @property
    def record(self) -> Path:
        """The file with the calls of its last run."""
        return self.folder / "calls.jsonl"

    def _work(self, strike: Strike | None) -> None:
        process.set_environment(
            AWS_ENDPOINT_URL=self.field.url,
            AWS_ACCESS_KEY_ID="writer",
            AWS_SECRET_ACCESS_KEY="secret",
            AWS_CONFIG_FILE=os.devnull,
            AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        )
        lease.POLL_SECONDS = BACKOFF_SECONDS
        _shorten_backoff()
        environment = Environment("prod", REGION)
        if strike is None:
            environment._clients.update(unused_clients(self.field.url))
        Watch(self.record, strike).install()
        try:
            self._make(environment)
        except Exception as problem:  # noqa: BLE001  (the end of the program)
            told = problem if isinstance(problem, SentictlError) else translate(problem)
            sys.stdout.write(f"{type(problem).__name__}: {told.message if told else problem}\n")
            sys.exit(told.exit_code if told and told.hint else UNTOLD)

    def _make(self, environment: Environment) -> None:
        config = Config.load(ProjectFolder(self.folder), "prod")
        config.settle(REGION)
        environment.recognize = config.recognize
        store = RemoteState(lambda: environment, config, command=f"make {self.name}")
        config.store = store
        make(self.name, config, store, self.field.ledger)


def make(name: str, config: Config, store: RemoteState, ledger: Path, pause: float = 0.0) -> None:
    """Make one thing under the lease, announced before and confirmed after.

    Args:
        name: its name.
        config: of the project.
        store: where its state is.
        ledger: the file that tells what was made.
        pause: seconds between the announcement and the making.
    """
    with store.held():
        config.reload_state()
        config.state.keep(Record("model", name))
        config.save_state()
        SLEEP(pause)
        with ledger.open("a") as made:
            made.write(f"{name}\n")
        config.state.keep(Record("model", name, f"arn:{name}"))
        config.save_state()


def _shorten_backoff() -> None:
    time.sleep = lambda seconds: SLEEP(min(float(seconds), BACKOFF_SECONDS))
