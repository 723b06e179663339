"""The state as a table of `sentictl.toml`."""

from pathlib import Path

import pytest

from sentictl.config.settings_file import SettingsFile
from sentictl.config.state import Record, State
from sentictl.config.state_store import StateInFile
from sentictl.errors import DamagedStateError


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    (tmp_path / "sentictl.toml").write_text("[train]\nepochs = 4  # ours\n")
    return SettingsFile(tmp_path / "sentictl.toml")


def test_each_environment_has_its_own_and_an_empty_one_leaves_no_trace(file: SettingsFile) -> None:
    before = file.path.read_text()
    local, prod = StateInFile(file, "local"), StateInFile(file, "prod")
    local.write(State([Record("bucket", "b", "arn:b", {"region": "r"})], "123456789012", "eu-west-1", "0123456789ab"))
    back = local.read()
    assert list(back) == [Record("bucket", "b", "arn:b", {"region": "r"})]
    assert (back.account, back.region, back.project_id) == ("123456789012", "eu-west-1", "0123456789ab")
    assert list(prod.read()) == []
    local.check()
    local.release()
    local.write(State())
    assert (list(local.read()), file.path.read_text()) == ([], before)


def test_a_damaged_one_is_told_with_its_table_and_file(file: SettingsFile) -> None:
    file.path.write_text("[state.prod]\nversion = 0\n")
    with pytest.raises(DamagedStateError, match=rf"\[state\.prod\] in {file.path} is damaged"):
        StateInFile(file, "prod").read()
