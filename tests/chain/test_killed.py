"""A killed `up`, at different moments: the next one finishes, with one of everything."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.chain.shell import SENTICTL, Shell, begin, environment

MOMENTS = (
    "making dataset",
    "making training-job",
    "epoch 2 of",
    "making endpoint ",
    "making function ",
    "making rest-api",
    "making page ",
)


def kill_up_at(shell: Shell, moment: str) -> None:
    """Run `up` until it says something, and kill it there and then."""
    with subprocess.Popen(
        [SENTICTL, "up"], cwd=shell.folder, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if moment in line:
                break
        os.kill(process.pid, signal.SIGKILL)


def test_a_killed_up_is_finished_by_the_next_one(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    for moment in MOMENTS:
        kill_up_at(shell, moment)
    live = shell.json("up")
    assert live["test"]["accuracy"] > 0.9
    resources = shell.json("status")["resources"]
    assert len(resources) == len({resource["kind"] for resource in resources}) == 15
    assert {resource["status"] for resource in resources} == {"Active", "Completed", "InService"}
    answer = shell.json("down", "--yes")
    assert answer["left"] == []


@pytest.mark.parametrize("moment", ["making training-job", "making rest-api"])
def test_down_finds_what_a_killed_up_left(tmp_path: Path, moment: str) -> None:
    shell = begin(tmp_path / "toy")
    kill_up_at(shell, moment)
    answer = shell.json("down", "--yes")
    assert answer["left"] == []
    assert not (shell.folder / ".sentictl").exists()
