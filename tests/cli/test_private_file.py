"""The file for what is told only once."""

import os
import stat
from pathlib import Path

import pytest

from sentictl.cli.private_file import private_file


def test_it_is_for_its_user_alone(tmp_path: Path) -> None:
    with private_file(tmp_path / "key") as write:
        write("secret")
    assert (tmp_path / "key").read_text() == "secret\n"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_nothing_stays_of_it_where_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), private_file(tmp_path / "key"):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_told_before_anything_is_said_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, said = os.open("/dev/full", os.O_WRONLY), list[object]()
    monkeypatch.setattr(os, "open", lambda *_: full)
    with pytest.raises(OSError, match="No space left"), private_file(tmp_path / "key") as write:
        said += [write("secret")]
    assert said == []
