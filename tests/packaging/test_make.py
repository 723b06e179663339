"""What `make` installs, and where torch comes from: tried with programs that only say how they were called."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
CPU = "https://download.pytorch.org/whl/cpu"
LOCKED = "--no-deps --require-hashes --requirement requirements/"
ITSELF = "--no-deps --no-build-isolation --editable ."
NO_CARD = "exit 9"  # as nvidia-smi without a driver


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    shutil.copytree(CHECKOUT / "requirements", tmp_path / "requirements")
    program(tmp_path / ".venv/bin/python", "")
    program(tmp_path / ".venv/bin/pip", 'echo "$@" >> called')
    return tmp_path


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def install(
    checkout: Path, *given: str, what: str = ".venv/installed", system: str = "Linux", card: str = NO_CARD
) -> tuple[list[str], str]:
    """How pip was called, and what `make` said."""
    program(checkout / "bin/uname", f"echo {system}")
    program(checkout / "bin/nvidia-smi", card)
    variables = {"PATH": f"{checkout / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    command = ["make", "--silent", what, *given]
    done = subprocess.run(command, cwd=checkout, env=variables, capture_output=True, text=True, check=True)
    assert (checkout / what).exists()
    return (checkout / "called").read_text().splitlines(), done.stderr


def test_linux_without_a_card_has_torch_without_cuda(checkout: Path) -> None:
    (torch, *rest), said = install(checkout)
    assert f"{LOCKED}torch-cpu.txt --index-url {CPU} " in torch
    assert_the_rest_is_locked(rest)
    assert said == ""


@pytest.mark.parametrize(
    ("given", "system", "card"),
    [([], "Darwin", NO_CARD), ([], "Linux", "exit 0"), (["TORCH_INDEX="], "Linux", NO_CARD)],
    ids=["macOS", "a card", "as the person says"],
)
def test_others_have_their_own_indexs_torch(checkout: Path, given: list[str], system: str, card: str) -> None:
    (torch, *rest), _ = install(checkout, *given, system=system, card=card)
    assert torch.endswith(f"{LOCKED}torch.txt")
    assert_the_rest_is_locked(rest)


def test_another_index_can_be_named_and_has_other_hashes(checkout: Path) -> None:
    (torch, needed, *rest), _ = install(checkout, "TORCH_INDEX=https://torch.example/xpu", card="exit 0")
    assert re.search(r"--no-deps --index-url https://torch.example/xpu .*torch==[0-9.]+$", torch)
    assert re.search(r"(?<!--no-deps) torch==[0-9.]+$", needed)
    assert "--require-hashes" not in torch + needed
    assert_the_rest_is_locked(rest)


def test_an_index_that_cannot_be_reached_is_told_and_done_without(checkout: Path) -> None:
    program(checkout / ".venv/bin/pip", 'echo "$@" >> called; case "$*" in *--index-url*) exit 1; esac')
    (_, torch, *rest), said = install(checkout)
    assert torch.endswith(f"{LOCKED}torch.txt")
    assert_the_rest_is_locked(rest)
    assert said == f"No torch from {CPU} (see above): your package index has it with CUDA.\n"


def assert_the_rest_is_locked(called: list[str]) -> None:
    locked, itself = called
    assert locked.endswith(f"{LOCKED}run.txt")
    assert itself.endswith(ITSELF)
    assert "index" not in locked + itself


def test_the_tools_are_locked_as_well(checkout: Path) -> None:
    called, _ = install(checkout, what=".venv/installed-dev")
    assert called[-1].endswith(f"{LOCKED}release.txt --requirement requirements/dev.txt")
