"""The scripts of `sentictl completion`, in the shells that they are for."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import SENTICTL

SECONDS = 30
PROJECT = '[project]\nname = "toy"\n\n[env.prod]\nregion = "eu-west-1"\n\n[env.staging]\nregion = "eu-west-1"\n'
CONTROL = re.compile(r"\033\[[0-9;?]*[A-Za-z]|.\x08|\r")  # what a line editor moves the cursor with
BASH = ("bash", "--norc", "--noprofile", "-i"), 'eval "$(sentictl completion bash)"'
ZSH = ("zsh", "-f", "-i"), 'autoload -U compinit; compinit -D -u; eval "$(sentictl completion zsh)"'
Type = Callable[[str, str], str]


def needs(shell: str) -> None:
    """Skips where the shell is not there, except in CI, which installs them all."""
    if shutil.which(shell) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{shell} is missing: apt-get install {shell}")
        pytest.skip(f"no {shell} on this machine")


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A project with two environments on AWS."""
    (tmp_path / "sentictl.toml").write_text(PROJECT)
    return tmp_path


def variables(home: Path) -> dict[str, str]:
    """Those of somebody who has sentictl on the path and an empty home folder."""
    path = f"{SENTICTL.parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(home), "TERM": "xterm", "LANG": "C.UTF-8"}


@contextmanager
def terminal(command: tuple[str, ...], folder: Path) -> Iterator[Type]:
    """A shell on a terminal, as a function that types something and gives what is shown up to an expected text."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=variables(folder),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)

    def typed(keys: str, expected: str) -> str:
        os.write(ours, keys.encode())
        return _shown_until(ours, expected)

    try:
        yield typed
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _shown_until(descriptor: int, expected: str) -> str:
    shown, end = "", time.monotonic() + SECONDS
    while expected not in CONTROL.sub("", shown):
        ready, _, _ = select.select([descriptor], [], [], max(0, end - time.monotonic()))
        assert ready, f"{expected!r} is not in {shown!r}"
        shown += os.read(descriptor, 65_536).decode(errors="replace")
    return CONTROL.sub("", shown)


@pytest.mark.parametrize(("command", "script"), [BASH, ZSH], ids=["bash", "zsh"])
def test_the_tab_key_completes_on_a_terminal(toy: Path, command: tuple[str, ...], script: str) -> None:
    needs(command[0])
    with terminal(command, toy) as typed:
        typed(f"{script}; echo rea''dy\n", "ready")
        assert "sentictl deploy " in typed("sentictl dep\t", "deploy ")
        assert "--env staging " in typed("--env st\t", "staging ")
        listed = typed("\x15sentictl up --env \t\t\t", "staging")
    assert {"local", "prod"} <= set(listed.split())


def test_fish_completes(toy: Path) -> None:
    needs("fish")
    lines = ["sentictl dep", "sentictl up --env ", "sentictl train --instance-t", "sentictl down "]
    asked = "\n".join(["sentictl completion fish | source", *(f"complete -C '{line}'; echo" for line in lines)])
    done = subprocess.run(
        ["fish", "--no-config", "-c", asked], cwd=toy, env=variables(toy), capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    commands, environments, options, parts = done.stdout.strip().split("\n\n")
    assert commands.startswith("deploy\tPut the trained model")
    assert environments.split() == ["local", "prod", "staging"]
    assert options.startswith("--instance-type\t")
    assert sorted(parts.split()) == ["alerts", "api", "batch", "endpoint", "lambda", "site", "train", "users"]
