"""Several commands in one project at once: one does its work, the others are told who does, and nothing is lost."""

import os
import signal
import subprocess
import tomllib
from pathlib import Path
from typing import Any

from sentictl.config.config import Config
from sentictl.config.dotted_keys import get
from sentictl.config.project_folder import ProjectFolder
from tests.chain.shell import SENTICTL, Shell, begin, environment, up, wait_for
from tests.prepared import popen as prepared

KEYS = (
    *("data.seed", "data.vocabulary_size", "train.epochs", "train.patience", "train.batch_size"),
    *("train.accumulation", "train.embedding_dim", "train.hidden_dim", "train.max_tokens", "train.seed"),
    *("train.instance_count", "train.volume_gb", "train.max_minutes", "deploy.instance_count", "lambda.memory_mb"),
    *("lambda.timeout_seconds", "api.throttle_burst", "api.max_review_characters", "api.max_reviews"),
)
# A value that each of these may have, and none has.
NUMBERS = dict.fromkeys(KEYS, 9) | {
    "data.vocabulary_size": 333,
    "train.epochs": 11,
    "train.hidden_dim": 10,
    "train.embedding_dim": 10,
    "lambda.memory_mb": 333,
    "api.max_review_characters": 333,
}


def started(shell: Shell, *arguments: str) -> "subprocess.Popen[str]":
    """A command that runs beside others."""
    return prepared.Popen(
        [SENTICTL, *arguments], cwd=shell.folder, env=environment(), stderr=subprocess.PIPE, text=True
    )


def is_done_or_refused(process: "subprocess.Popen[str]") -> bool:
    """Wait for its end. Whether it did what it was asked to; else it must have said that another command is at work."""
    _, said = process.communicate(timeout=120)
    if process.returncode == 0:
        return True
    assert process.returncode == 1, said
    assert "Another sentictl command is changing this project" in said
    return False


def recorded(shell: Shell) -> list[dict[str, Any]]:
    """The resources that sentictl.toml names."""
    document = tomllib.loads((shell.folder / "sentictl.toml").read_text())
    resources: list[dict[str, Any]] = document.get("state", {}).get("local", {}).get("resources", [])
    return resources


def test_what_comes_during_an_up_is_told_who_is_at_work_and_the_up_goes_on(shell: Shell) -> None:
    with up(shell) as first:
        wait_for(first, "making training-job")
        text = (shell.folder / "sentictl.toml").read_text()
        for arguments in (("up",), ("config", "set", "train.epochs", "3"), ("down", "--yes")):
            error = shell.json(*arguments, expect=1)["error"]
            assert error["code"] == "state"
            assert f"(process {first.pid})" in error["message"]
            assert "epochs = 8\n" in text
        shell.run("status")
        _, said = first.communicate(timeout=240)
    assert first.returncode == 0, said
    assert text.partition("[state")[0] in (shell.folder / "sentictl.toml").read_text()
    before = shell.journal()
    shell.run("up")
    assert shell.journal() == before


def test_settings_that_come_during_a_down_are_written_or_refused_and_no_record_stays_behind(shell: Shell) -> None:
    shell.run("data")
    written = []
    with started(shell, "down", "--yes") as down:
        for number in range(20, 60):
            if down.poll() is not None:
                break
            with started(shell, "config", "set", "train.seed", str(number)) as change:
                written += [number] if is_done_or_refused(change) else []
        is_done = is_done_or_refused(down)
    if written:
        assert f"seed = {written[-1]}\n" in (shell.folder / "sentictl.toml").read_text()
    assert (recorded(shell) == []) is is_done


def test_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    with up(shell) as first:
        wait_for(first, "making training-job")
        os.kill(first.pid, signal.SIGKILL)
    before = recorded(shell)
    shell.run("config", "set", "train.epochs", "3")
    assert recorded(shell) == before != []
    assert shell.json("down", "--yes")["left"] == []


def test_of_twenty_changes_at_once_every_one_that_was_acknowledged_is_in_the_file(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    changes = {key: started(shell, "config", "set", key, str(number)) for key, number in NUMBERS.items()}
    while any(process.poll() is None for process in changes.values()):
        Config.load(ProjectFolder(shell.folder))  # readable at every moment
    done = {key for key, process in changes.items() if is_done_or_refused(process)}
    assert done
    settings = Config.load(ProjectFolder(shell.folder)).settings
    assert {key for key in KEYS if get(settings, key) == NUMBERS[key]} == done
    assert sorted(entry.name for entry in shell.folder.iterdir()) == [".sentictl", "reviews.csv", "sentictl.toml"]


def test_deleting_the_cache_of_an_empty_project_harms_nobody_who_begins_meanwhile(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    for number in range(20, 24):
        downs = [started(shell, "down", "--yes") for _ in range(2)]
        change = started(shell, "config", "set", "train.seed", str(number))
        is_done = is_done_or_refused(change)
        for down in downs:
            is_done_or_refused(down)
        assert (Config.load(ProjectFolder(shell.folder)).settings.train.seed == number) is is_done
