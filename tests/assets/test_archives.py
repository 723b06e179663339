"""Archives that depend on nothing but what is in them, and that unpack to nothing but what they may."""

import contextlib
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.assets.archives import ArchiveError, Limits, tar_gz, unpack_tar_gz, unpack_zip, zip_stored

paths = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,2}\.py", fullmatch=True)
files = st.dictionaries(paths, st.binary(max_size=200), max_size=5)


@given(files)
def test_the_order_of_the_files_does_not_matter(content: dict[str, bytes]) -> None:
    backwards = dict(reversed(content.items()))
    assert tar_gz(content) == tar_gz(backwards)
    assert zip_stored(content) == zip_stored(backwards)


@given(files)
def test_what_goes_in_comes_out(content: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=io.BytesIO(tar_gz(content))) as archive:
        unpacked = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    with zipfile.ZipFile(io.BytesIO(zip_stored(content))) as archive_zip:
        unzipped = {name: archive_zip.read(name) for name in archive_zip.namelist()}
    assert unpacked == unzipped == content


def test_lambda_may_read_what_is_in_the_zip() -> None:
    with zipfile.ZipFile(io.BytesIO(zip_stored({"handler.py": b"x"}))) as archive:
        assert archive.getinfo("handler.py").external_attr >> 16 == 0o644


LIMITS = Limits(100_000, 20)
Unpack = Callable[[bytes, Path], None]


def from_tar(content: bytes, folder: Path) -> None:
    unpack_tar_gz(io.BytesIO(content), folder, LIMITS)


def from_zip(content: bytes, folder: Path) -> None:
    unpack_zip(content, folder, LIMITS)


BOTH = pytest.mark.parametrize(("pack", "unpack"), [(tar_gz, from_tar), (zip_stored, from_zip)], ids=["tar", "zip"])
Pack = Callable[[dict[str, bytes]], bytes]


@BOTH
def test_an_archive_is_unpacked(pack: Pack, unpack: Unpack, tmp_path: Path) -> None:
    unpack(pack({"one": b"1", "folder/two": b"2"}), tmp_path / "made")
    assert (tmp_path / "made" / "one").read_bytes() == b"1"
    assert (tmp_path / "made" / "folder" / "two").read_bytes() == b"2"


@BOTH
def test_too_many_bytes_are_refused(pack: Pack, unpack: Unpack, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="unpacked it is larger than 0 MiB"):
        unpack(pack({"one": bytes(60_000), "two": bytes(60_000)}), tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*")) <= LIMITS.size


@BOTH
def test_too_many_entries_are_refused(pack: Pack, unpack: Unpack, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="it holds more than 20 files and folders"):
        unpack(pack({f"file-{number}": b"" for number in range(21)}), tmp_path)


@BOTH
@pytest.mark.parametrize("name", ["../outside", "folder/../../outside", "/tmp/outside-of-it"])
def test_nothing_is_written_outside(pack: Pack, unpack: Unpack, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    with contextlib.suppress(ArchiveError):  # tar takes the slash from what begins with one
        unpack(pack({name: b"x"}), folder)
    assert list(tmp_path.iterdir()) == [folder]
    assert not Path("/tmp/outside-of-it").exists()


@BOTH
def test_damage_is_told(pack: Pack, unpack: Unpack, tmp_path: Path) -> None:
    whole = pack({"one": bytes(range(256)) * 100})
    for damaged in (b"", b"no archive", whole[: len(whole) // 2], whole[:-6] + b"\xff" + whole[-5:]):
        with pytest.raises(ArchiveError):
            unpack(damaged, tmp_path)


def test_bytes_behind_a_tars_end_count(tmp_path: Path) -> None:
    behind = gzip.compress(gzip.decompress(tar_gz({"one": b"1"})) + bytes(200_000))
    with pytest.raises(ArchiveError, match="larger than"):
        from_tar(behind, tmp_path)


def test_a_zip_whose_header_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one", bytes(200_000))
    lying = packed.getvalue().replace((200_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(ArchiveError):
        from_zip(lying, tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*")) <= LIMITS.size


def test_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../outside"
        archive.addfile(link)
    with pytest.raises(ArchiveError, match="outside"):
        from_tar(packed.getvalue(), tmp_path / "made")
