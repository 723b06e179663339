"""Commands in a project whose files are not what they should be: they do their work, or say in one error why not."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sentictl.twin import daemon
from tests.cli.conftest import Run

COMMANDS = (
    "config show",
    "config set train.epochs 4",
    "status",
    "plan",
    "doctor",
    "models",
    "predict --file reviews.csv --output answers.csv",
    "evaluate --data reviews.csv",
    "export --cloudformation",
    "init",
)
OF_THE_TWIN = ("local status", "local stop", "local start", "local logs", "local stop")
EXIT_CODES = {0, 1, 2, 3, 4}  # those of docs/output.md, but for an interruption

SETTINGS = '[project]\nname = "toy"\n[data]\nsource = "reviews.csv"\nreview_column = "text"\n'


def file(path: str, content: bytes = b"") -> Callable[[Path], None]:
    def make(project: Path) -> None:
        away(project / path)
        (project / path).write_bytes(content)

    return make


def folder(path: str) -> Callable[[Path], None]:
    def make(project: Path) -> None:
        away(project / path)
        (project / path).mkdir()

    return make


def link(path: str, target: str) -> Callable[[Path], None]:
    def make(project: Path) -> None:
        away(project / path)
        (project / path).symlink_to(target)

    return make


def pipe(path: str) -> Callable[[Path], None]:
    def make(project: Path) -> None:
        away(project / path)
        os.mkfifo(project / path)

    return make


def away(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


STATE = '[state.local]\nversion = 2\naccount = ""\nresources = '
BROKEN = {
    "settings: a folder": folder("sentictl.toml"),
    "settings: a link to nothing": link("sentictl.toml", "nowhere"),
    "settings: a link to itself": link("sentictl.toml", "sentictl.toml"),
    "settings: a pipe": pipe("sentictl.toml"),
    "settings: a device": link("sentictl.toml", "/dev/zero"),
    "settings: of no name": file("sentictl.toml", b"[data]\nsource = 'reviews.csv'\nreview_column = 'text'"),
    "settings: binary": file("sentictl.toml", bytes(range(256))),
    "settings: zeros": file("sentictl.toml", bytes(100)),
    "state: a number": file("sentictl.toml", b"state = 3"),
    "state: records of nothing": file("sentictl.toml", f"{SETTINGS}{STATE}[{{}}]".encode()),
    "state: a job without an artifact": file(
        "sentictl.toml", f'{SETTINGS}{STATE}[{{kind = "training-job", name = "a", arn = "b"}}]'.encode()
    ),
    "state: of an unknown kind": file(
        "sentictl.toml", f'{SETTINGS}{STATE}[{{kind = "a", name = "a", arn = "b"}}]'.encode()
    ),
    "cache: a file": file(".sentictl"),
    "cache: a link to nothing": link(".sentictl", "nowhere"),
    "lock: a folder": folder(".sentictl/lock"),
    "log: a folder": folder(".sentictl/sentictl.log"),
    "datasets: a file": file(".sentictl/datasets"),
    "models: a file": file(".sentictl/models"),
    "model: a file": file(".sentictl/models/current-local"),
    "model: a link to itself": link(".sentictl/models/current-local", "current-local"),
    "model: an empty folder": folder(".sentictl/models/current-local"),
    "twin: a file": file(".sentictl/local"),
    "twin's record: a folder": folder(".sentictl/local/twin.json"),
    "twin's record: a pipe": pipe(".sentictl/local/twin.json"),
    "twin's record: binary": file(".sentictl/local/twin.json", bytes(range(256))),
    "twin's lock: a folder": folder(".sentictl/local/twin.lock"),
    "twin's log: a folder": folder(".sentictl/local/twin.log"),
    "twin's journal: a file": file(".sentictl/local/journal"),
    "starting: a folder": folder(".sentictl/.local.lock"),
    "model code: a file": file("model_code"),
    "templates: a file": file("templates"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_command_does_its_work_or_says_why_not(project: Path, run: Run, broken: Callable[[Path], None]) -> None:
    (project / "sentictl.toml").write_text(SETTINGS)
    rows = "".join(f"{'good' if number % 2 else 'bad'} film {number},{number % 2}\n" for number in range(100))
    (project / "reviews.csv").write_text("text,label\n" + rows)
    broken(project)
    try:
        for command in COMMANDS:
            check(command, run(*command.split(), "--json"))
            away(project / "answers.csv")
    finally:
        stop_twin(project)


@pytest.mark.parametrize("broken", [name for name in BROKEN if "twin" in name or "cache" in name])
def test_the_twin_runs_or_says_why_not(project: Path, run: Run, broken: str) -> None:
    BROKEN[broken](project)
    try:
        for command in OF_THE_TWIN:
            check(command, run(*command.split(), "--json"))
    finally:
        stop_twin(project)


def stop_twin(project: Path) -> None:
    with contextlib.suppress(OSError):
        daemon.stop(project / ".sentictl" / "local")


def check(command: str, done: "subprocess.CompletedProcess[str]") -> None:
    """A command has ended as one does, and said so in one document."""
    told = f"{command}: {done.stdout}{done.stderr}"
    assert done.returncode in EXIT_CODES, told
    assert "Traceback" not in told
    assert "should not happen" not in told
    document = json.loads(done.stdout)
    if done.returncode in (1, 2, 4) and "checks" not in document:
        assert set(document["error"]) == {"code", "message", "hint"}, told
        assert document["error"]["hint"], told
