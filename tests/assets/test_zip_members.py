"""ZIP archives that are made of other archives' files as they are packed."""

import io
import zipfile
from pathlib import Path

import pytest

from sentictl.assets.archives import ArchiveError
from sentictl.assets.zip_members import Member, members_of, zip_members

TEXT = b"so many words, and so many words again, " * 50


def packed(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.mkdir("folder")
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_files_come_over_as_they_are_packed(tmp_path: Path) -> None:
    source = packed(tmp_path / "source.zip", {"folder/b.txt": TEXT, "ä.txt": b"", "a.txt": TEXT})
    content = zip_members([*members_of(source), Member.stored("own.py", b"print()")])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.txt", "folder/b.txt", "own.py", "ä.txt"]
        assert archive.read("folder/b.txt") == TEXT
        assert archive.read("own.py") == b"print()"
        assert archive.getinfo("a.txt").compress_size < len(TEXT)
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 & 0o777 for entry in archive.infolist()} == {0o644}


def test_the_same_files_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    members = list(members_of(packed(tmp_path / "source.zip", {"b": TEXT, "a": b"1"})))
    assert zip_members(members) == zip_members(reversed(members))


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(ArchiveError, match=r"two files 'a\.py'"):
        zip_members([Member.stored("a.py", b"1"), Member.stored("b.py", b"2"), Member.stored("a.py", b"3")])


def test_what_not_every_reader_unpacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="unusual"):
        list(members_of(packed(tmp_path / "source.zip", {"a": TEXT}, zipfile.ZIP_LZMA)))


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "source.zip").write_bytes(b"PK but no archive")
    with pytest.raises(ArchiveError):
        list(members_of(tmp_path / "source.zip"))
