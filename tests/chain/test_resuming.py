"""Training that was stopped goes on where it stopped, and several hosts train one model."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chain.shell import Shell, begin
from tests.prepared.programs import MEMORY

EPOCHS = "24"  # with small batches, so that the job is not over before it is stopped


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = replace(begin(tmp_path / "toy"), variables={MEMORY: ""})
    shell.run("data")
    yield shell
    assert shell.json("down", "--yes")["left"] == []


def stop_after_some_epochs(shell: Shell) -> str:
    """Train, and stop the job once the LSTM's second epoch is done. Returns its name."""
    slow = ("--epochs", EPOCHS, "--patience", EPOCHS, "--batch-size", "4")
    name: str = shell.json("train", *slow, "--no-wait")["name"]
    wait_for_epoch(shell, 2)
    assert shell.json("train", "--stop")["stopped"] == name
    return name


def wait_for_epoch(shell: Shell, epoch: int) -> str:
    """Wait until the job has trained the LSTM for so many epochs. Returns its log."""
    while not re.search(rf"\nepoch={epoch} .* stage=lstm", log := shell.run("logs", "train").stdout):
        assert "training failed" not in log
    return log


def metadata(shell: Shell) -> dict[str, Any]:
    """Of the model that is current."""
    found: dict[str, Any] = json.loads(
        (shell.folder / ".sentictl" / "models" / "current-local" / "metadata.json").read_text()
    )
    return found


def test_a_stopped_job_is_gone_on_with(shell: Shell) -> None:
    name = stop_after_some_epochs(shell)
    followed = shell.json("train")
    assert followed["name"] == f"{name}-2"
    assert len(followed["metrics"]["epochs"]) == int(EPOCHS)
    assert "checkpoint=found, going on after epoch " in shell.run("logs", "train").stdout


def test_or_it_begins_anew(shell: Shell) -> None:
    stop_after_some_epochs(shell)
    shell.run("train", "--no-resume", "--no-wait")
    assert "checkpoint=found" not in wait_for_epoch(shell, 1)


def test_two_hosts_train_one_model(shell: Shell) -> None:
    shell.run("train", "--instance-count", "2", "--spot")
    assert "processes=2" in shell.run("logs", "train").stdout
    assert metadata(shell)["metrics"]["validation_accuracy"] > 0.9
