"""`init` and `config`: beginning a project and changing its settings."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_init_writes_a_file_that_all_commands_read(run: Run, tmp_path: Path) -> None:
    assert run("init", "--name", "films").returncode == 0
    shown = json.loads(run("config", "show", "--json").stdout)
    assert shown["project"]["name"] == "films"
    assert "# epochs" in (tmp_path / "sentictl.toml").read_text()


def test_the_name_is_the_folders_where_that_can_be_one(run: Run, tmp_path: Path) -> None:
    run("init")
    name = json.loads(run("config", "get", "project.name", "--json").stdout)
    assert name.isascii()
    assert 2 <= len(name) <= 20


def test_init_never_overwrites(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sentictl.toml").write_text("# mine\n")
    assert run("init").returncode == 2
    assert (tmp_path / "sentictl.toml").read_text() == "# mine\n"


@pytest.mark.parametrize("name", ["UPPER", "a", "-x", "much-too-long-for-a-project-name", "naïve"])
def test_a_name_that_aws_does_not_take_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    done = run("init", f"--name={name}")
    assert done.returncode == 2
    assert name in done.stderr
    assert not (tmp_path / "sentictl.toml").exists()


def test_a_setting_is_shown_changed_and_kept(run: Run, project: Path) -> None:
    assert run("config", "set", "train.epochs", "4").stdout == "train.epochs = 4\n"
    assert run("config", "get", "train.epochs").stdout == "4\n"
    assert run("config", "set", "data.stem", "true").stdout == "data.stem = true\n"
    assert "already" in run("config", "set", "train.epochs", "4").stdout


@pytest.mark.parametrize(
    ("key", "value", "words"), [("train.epoch", "3", "train.epochs"), ("train.epochs", "many", "train.epochs")]
)
def test_a_wrong_key_or_value_is_refused(run: Run, project: Path, key: str, value: str, words: str) -> None:
    before = (project / "sentictl.toml").read_text()
    done = run("config", "set", key, value)
    assert done.returncode == 2
    assert words in done.stderr
    assert (project / "sentictl.toml").read_text() == before
