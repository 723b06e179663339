"""A killed `up`, at different moments: the next one finishes, with one of everything."""

import os
import signal
from pathlib import Path

import pytest

from tests.chain.shell import Shell, begin, up, wait_for

SLOW = ("--epochs", "100", "--patience", "100", "--batch-size", "4")  # a job that is not over before it is stopped
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
    with up(shell) as process:
        wait_for(process, moment)
        os.kill(process.pid, signal.SIGKILL)


def test_a_killed_up_is_finished_by_the_next_one(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    for moment in MOMENTS:
        kill_up_at(shell, moment)
    live = shell.json("up")
    assert live["test"]["accuracy"] > 0.9
    resources = shell.json("status")["resources"]
    assert len(resources) == len({resource["kind"] for resource in resources}) == 18
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


def test_a_twin_killed_in_the_middle_of_training_is_made_good_by_the_next_up(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    try:
        twin = shell.json("local", "start")["pid"]
        with up(shell, SENTICTL_TRAIN_EPOCHS="100", SENTICTL_TRAIN_PATIENCE="100") as process:
            wait_for(process, "· training")  # the script has yet to import torch
            os.kill(twin, signal.SIGKILL)
            _, said = process.communicate(timeout=120)
        assert process.returncode == 1
        assert "should not happen" not in said
        assert shell.json("up")["test"]["accuracy"] > 0.9
        jobs = [entry for entry in shell.json("status")["resources"] if entry["kind"] == "training-job"]
        assert sorted(job["status"] for job in jobs) == ["Completed", "Failed"]
    finally:
        assert shell.json("down", "--yes")["left"] == []


def test_ctrl_c_leaves_the_training_job_running_and_says_so(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    try:
        with up(shell) as process:
            wait_for(process, "epoch 1 of")
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "runs on" in said
        assert "sentictl train --stop" in said
        assert shell.json("train")["metrics"]["validation_accuracy"] > 0.9
        jobs = [entry for entry in shell.json("status")["resources"] if entry["kind"] == "training-job"]
        assert [job["status"] for job in jobs] == ["Completed"]
    finally:
        assert shell.json("down", "--yes")["left"] == []


def test_a_job_that_is_not_waited_for_is_followed_later(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    try:
        shell.run("data")
        started = shell.json("train", "--no-wait")
        assert started["metrics"] is None
        assert "has not finished" in shell.json("deploy", expect=1)["error"]["message"]
        followed = shell.json("train")
        assert followed["name"] == started["name"]
        assert followed["metrics"]["validation_accuracy"] > 0.9
        shell.run("train", *SLOW, "--no-wait")
        assert shell.json("train", "--stop")["stopped"]
        assert shell.json("train", "--stop")["stopped"] == ""
    finally:
        assert shell.json("down", "--yes")["left"] == []
