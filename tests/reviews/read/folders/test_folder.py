"""The official archive, unpacked."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sentictl.errors import DataError
from sentictl.reviews.read.folders.archive import ArchiveSource
from sentictl.reviews.read.folders.folder import FolderSource

Files = dict[str, bytes]
Pack = Callable[[Mapping[str, bytes]], Path]


def test_a_folder_gives_what_the_archive_gives(official: Files, pack: Pack, unpack: Pack) -> None:
    archived = sorted(ArchiveSource(pack(official)).reviews(), key=str)
    folder = unpack(official)
    for path in (folder, folder / "aclImdb"):
        assert sorted(FolderSource(path).reviews(), key=str) == archived


def test_the_fingerprint_follows_names_and_contents(official: Files, unpack: Pack) -> None:
    folder = unpack(official)
    first = FolderSource(folder).fingerprint()
    assert FolderSource(folder / "aclImdb").fingerprint() == first
    unpack({"README": b"changed"})
    assert FolderSource(folder).fingerprint() == first
    unpack({"train/pos/0_9.txt": b"changed"})
    second = FolderSource(folder).fingerprint()
    path = folder / "aclImdb" / "train" / "pos" / "0_9.txt"
    path.rename(path.with_name("99_9.txt"))
    assert len({first, second, FolderSource(folder).fingerprint()}) == 3


def test_a_folder_has_the_name_it_really_has(official: Files, unpack: Pack) -> None:
    assert FolderSource(unpack(official) / "aclImdb" / "..").description == "unpacked"


def test_progress_counts_files(official: Files, unpack: Pack) -> None:
    source = FolderSource(unpack(official))
    list(source.reviews())
    assert source.done == source.total == 165


def test_a_folder_without_the_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train" / "good").mkdir(parents=True)
    with pytest.raises(DataError, match="has no files in folders called pos and neg") as caught:
        FolderSource(tmp_path)
    assert "folders pos and neg" in caught.value.hint


def test_a_folder_without_reviews_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train" / "pos").mkdir(parents=True)
    with pytest.raises(DataError, match="has no files in folders called pos and neg"):
        FolderSource(tmp_path)


def test_an_unreadable_review_is_refused(unpack: Pack) -> None:
    folder = unpack({"train/pos/0_9.txt": b"good"})
    (folder / "aclImdb" / "train" / "pos" / "1_9.txt").symlink_to("gone")
    with pytest.raises(DataError, match=r"1_9\.txt cannot be read: No such file"):
        list(FolderSource(folder).reviews())


def test_a_folder_beside_the_official_one_is_read_as_well(official: Files, unpack: Pack, pack: Pack) -> None:
    more = {"mine/pos/a.txt": b"A fine film of my own.", "mine/neg/b.txt": b"A bad one."}
    folder = unpack(official)
    for name, content in more.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    found = {review.text for review in FolderSource(folder).reviews()}
    assert {"A fine film of my own.", "A bad one."} <= found
    assert len(found) == len({review.text for review in FolderSource(folder / "aclImdb").reviews()}) + 2
