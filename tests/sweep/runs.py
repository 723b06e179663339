"""Running sentictl's own commands in a project of their own, each in a fork, against a twin of their own."""

import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sentictl.cli.program import main
from sentictl.twin.core.environment import Access
from tests.chain.shell import begin
from tests.services.web.wheels import ask_for
from tests.sweep import inventory, process
from tests.sweep.calls import Call
from tests.sweep.twin import twin
from tests.sweep.watch import Strike, Watch

NAME = "toy"
ENVIRONMENT = "prod"
COMMANDS = {
    "up": ("up",),
    "move": ("deploy", "--serving", "serverless"),
    "hold": ("deploy", "--serving", "lambda"),
    "scale": ("deploy", "--max-instances", "3", "--ttl", "8h"),
    "rollout": ("deploy", "--instance-count", "2", "--rollout", "canary", "--rollout-minutes", "0"),
    "down": ("down", "--confirm", NAME),
}
RUN_SECONDS = 120.0  # longer than any run takes on a slow machine: one that takes longer hangs
BACKOFF_SECONDS = 0.02  # in place of the seconds that botocore waits before it tries again


@dataclass(frozen=True)
class Run:
    """A command that was run to its end.

    Args:
        code: its exit code, negative for the signal that ended it; None if it did not end by itself.
        calls: the calls it made to AWS, in order, by their first time.
        made: how many it made, with those that ask the same again.
        abouts: what each call was about, for a person.
    """

    code: int | None
    stdout: str
    stderr: str
    calls: list[Call]
    made: int
    abouts: dict[Call, str]
    seconds: float


@dataclass(frozen=True)
class Running:
    """A command that was begun.

    Args:
        pid: of its process.
        log: the file with its stdout; that with its stderr is beside it.
        record: the file with its calls.
        began: when, by the monotonic clock.
    """

    pid: int
    log: Path
    record: Path
    began: float

    def end(self, seconds: float = RUN_SECONDS) -> Run:
        """Wait for its end; one that takes longer than so many seconds is killed."""
        code = process.wait(self.pid, seconds)
        taken = time.monotonic() - self.began
        lines = [json.loads(line) for line in self.record.read_text().splitlines(keepends=True) if line.endswith("\n")]
        abouts = {Call.parse(line["call"]): line["about"] for line in reversed(lines)}
        calls = list(dict.fromkeys(Call.parse(line["call"]) for line in lines))
        stderr = Path(f"{self.log}.err").read_text()
        return Run(code, self.log.read_text(), stderr, calls, len(lines), abouts, taken)


@dataclass(frozen=True)
class Place:
    """A project's folder, and the twin that is its AWS."""

    folder: Path
    access: Access

    def run(self, command: str, strike: Strike | None = None) -> Run:
        """Run one of `COMMANDS`."""
        return self.begin(COMMANDS[command], strike).end()

    def begin(self, words: Sequence[str], strike: Strike | None = None, file_bytes: int = -1) -> "Running":
        """Begin a command.

        Args:
            words: of its command line.
            strike: what is to happen to one of its calls.
            file_bytes: how large a file may become that it writes, as where the disk is full; -1: as large as it likes.
        """
        log, record = self.folder.with_name("stdout"), self.folder.with_name("calls.jsonl")
        record.write_text("")
        if file_bytes >= 0:
            record = Path(os.devnull)  # what is listened to must not be what fails
        began = time.monotonic()
        return Running(process.fork(partial(self._command, words, record, strike, file_bytes), log), log, record, began)

    def take_stock(self) -> list[str]:
        """All there is in the twin and in the project's state, in lines."""
        answer = self.folder.with_name("inventory.json")
        code = process.wait(process.fork(partial(self._take_stock, answer), answer.with_suffix(".log")), RUN_SECONDS)
        if code != 0:
            raise RuntimeError(answer.with_suffix(".log.err").read_text())
        found: list[str] = json.loads(answer.read_text())
        return found

    def _command(self, words: Sequence[str], record: Path, strike: Strike | None, file_bytes: int) -> None:
        self._enter()
        Watch(record, strike).install()
        _shorten_backoff()
        sys.argv = ["sentictl", *words, "--env", ENVIRONMENT, "--json"]
        if file_bytes >= 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, resource.RLIM_INFINITY))
        main()

    def _take_stock(self, answer: Path) -> None:
        self._enter()
        answer.write_text(json.dumps(inventory.take(self.folder / "sentictl.toml")))

    def _enter(self) -> None:
        os.chdir(self.folder)
        process.set_environment(
            AWS_ENDPOINT_URL=self.access.url,
            AWS_ACCESS_KEY_ID=self.access.key,
            AWS_SECRET_ACCESS_KEY="secret",
            AWS_CONFIG_FILE=os.devnull,
            AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        )


@contextmanager
def place(root: Path, memory: Path, weather: str, state: str, standing: Path | None = None) -> Iterator[Place]:
    """A new project in `root`, or a copy of one that stands, with its twin running.

    Args:
        root: an empty folder, or none yet.
        memory: where trained models are remembered.
        weather: the twin's, "calm" or "rough".
        state: where the project's state is, "file" or "s3".
        standing: the `root` of a place that has been left.
    """
    folder, home = root / "project", root / "twin"
    if standing:
        shutil.copytree(standing, root, dirs_exist_ok=True, symlinks=True)
    else:
        root.mkdir(exist_ok=True)
        begin(folder)
        ask_for(folder)  # a function that holds the model has no packages of its own
        with (folder / "sentictl.toml").open("a") as settings:
            settings.write(f'\n[env.{ENVIRONMENT}]\nregion = "{inventory.REGION}"\ntrain.epochs = 1\n')
            settings.write(f'project.state = "{state}"\n')
    with twin(home, memory, weather) as access:
        yield Place(folder, access)


def _shorten_backoff() -> None:
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(float(seconds), BACKOFF_SECONDS))
