"""The official archive."""

import gzip
import io
import tarfile
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sentictl.assets.archives import Limits
from sentictl.errors import DataError
from sentictl.reviews.read.folders import archive
from sentictl.reviews.read.folders.archive import ArchiveSource
from sentictl.reviews.read.source import Review

Files = dict[str, bytes]
Pack = Callable[[Mapping[str, bytes]], Path]


def archive_of(path: Path, *members: tarfile.TarInfo, content: bytes = b"") -> ArchiveSource:
    """An archive of these members, each file with the same content."""
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            member.size = len(content) if member.isfile() else 0
            tar.addfile(member, io.BytesIO(content))
    return ArchiveSource(path)


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """A member of an archive."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def test_all_labelled_reviews_are_read_with_split_and_film(official: Files, pack: Pack) -> None:
    source = ArchiveSource(pack(official))
    reviews = list(source.reviews())
    assert len(reviews) == 160
    (review,) = (review for review in reviews if "word41 " in review.text and review.label == 0)
    assert review[:3] == ("A dreadful train film<br />about word41 and 41 things.", 0, "train")
    assert source.film(review.film or "") == "tt001"
    assert {(review.split, review.label) for review in reviews} == {
        ("train", 0), ("train", 1), ("test", 0), ("test", 1),
    }  # fmt: skip


def test_unlabelled_reviews_are_read_when_asked_for(official: Files, pack: Pack) -> None:
    reviews = list(ArchiveSource(pack(official)).all_reviews())
    assert len(reviews) == 161
    assert Review("not labelled", None) in reviews


def test_the_order_of_members_changes_no_review(official: Files, pack: Pack) -> None:
    forward = sorted(ArchiveSource(pack(official)).all_reviews(), key=str)
    backward = sorted(ArchiveSource(pack(dict(reversed(official.items())))).all_reviews(), key=str)
    assert forward == backward


def test_invalid_utf8_is_replaced_and_counted(pack: Pack) -> None:
    source = ArchiveSource(pack({"train/pos/0_9.txt": b"Bl\xe9 caf\xc3\xa9", "train/neg/0_1.txt": b" "}))
    assert [review.text for review in source.reviews()] == ["Bl\ufffd caf\u00e9"]
    assert source.warnings == {"invalid UTF-8 replaced": 1, "empty review skipped": 1}


def test_nothing_is_written_beside_the_archive(official: Files, pack: Pack) -> None:
    path = pack(official)
    list(ArchiveSource(path).reviews())
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["../train/pos/0_9.txt", "/etc/passwd", "aclImdb/../../x", "a/b/.."])
def test_a_member_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    good = member("aclImdb/train/pos/0_9.txt")
    source = archive_of(tmp_path / "a.tar.gz", good, member(name), content=b"good")
    with pytest.raises(DataError, match="escapes its folder") as caught:
        list(source.reviews())
    assert repr(name) in caught.value.message


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    linked = member("aclImdb/train/pos/0_9.txt", kind, "/etc/passwd")
    with pytest.raises(DataError, match="is neither a file nor a folder"):
        list(archive_of(tmp_path / "a.tar.gz", linked).reviews())


def test_a_member_larger_than_any_review_is_refused(tmp_path: Path) -> None:
    large = member("aclImdb/train/pos/0_9.txt")
    source = archive_of(tmp_path / "a.tar.gz", large, content=bytes(17_000_000))
    with pytest.raises(DataError, match="is too large for a review"):
        list(source.reviews())


@pytest.mark.parametrize(
    ("limits", "words"),
    [(Limits(5_000, 100), "larger than 0 MiB"), (Limits(100_000, 3), "more than 3 files and folders")],
)
def test_more_than_an_archive_may_hold_is_refused(
    official: Files, pack: Pack, monkeypatch: pytest.MonkeyPatch, limits: Limits, words: str
) -> None:
    monkeypatch.setattr(archive, "LIMITS", limits)
    with pytest.raises(DataError, match=f"is not read to its end: .*{words}"):
        list(ArchiveSource(pack(official)).reviews())


@pytest.mark.parametrize("kept", [1, 9, 100, 0.3, 0.6, 0.9, -9, -1])
def test_a_truncated_archive_is_refused(official: Files, pack: Pack, kept: float) -> None:
    path = pack(official)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept) if isinstance(kept, float) else kept])
    with pytest.raises(DataError, match="is cut short or damaged"):
        list(ArchiveSource(path).reviews())


def test_a_changed_byte_is_noticed(official: Files, pack: Pack) -> None:
    path = pack(official)
    damaged = bytearray(path.read_bytes())
    damaged[-6] ^= 1  # in the checksum at the very end: tar itself ends before it
    path.write_bytes(damaged)
    with pytest.raises(DataError, match="is cut short or damaged"):
        list(ArchiveSource(path).reviews())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"not packed", id="not packed"),
        pytest.param(gzip.compress(b"not a tar file" * 100), id="packed, but no archive"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="is cut short or damaged"):
        list(ArchiveSource(path).reviews())


def test_an_archive_without_labelled_reviews_is_refused(pack: Pack) -> None:
    source = ArchiveSource(pack({"README": b"x", "train/unsup/0_0.txt": b"x"}))
    with pytest.raises(DataError, match=r"reviews\.tar\.gz holds no labelled reviews"):
        list(source.reviews())


def test_an_archive_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        list(ArchiveSource(tmp_path / "gone.tar.gz").reviews())


def test_the_fingerprint_is_of_the_content(official: Files, pack: Pack) -> None:
    path = pack(official)
    first = ArchiveSource(path).fingerprint()
    moved = path.rename(path.with_name("moved.tgz"))
    assert ArchiveSource(moved).fingerprint() == first
    assert ArchiveSource(pack(official | {"train/pos/0_9.txt": b"changed"})).fingerprint() != first


def test_memory_does_not_grow_with_the_members(tmp_path: Path) -> None:
    def most(count: int) -> int:
        source = archive_of(
            tmp_path / f"{count}.tar.gz", *(member(f"pos/{n}.txt") for n in range(count)), content=b"good"
        )
        tracemalloc.start()
        try:
            assert sum(1 for _ in source.reviews()) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert most(3000) < most(1000) + 200 * 1000
