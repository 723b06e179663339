"""Folders and archives of any file names."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.folders.files import Folder, folder_of
from sentictl.reviews.read.resolve import open_source
from sentictl.reviews.read.source import Review, Source

Files = dict[str, bytes]
FILES: Files = {
    "pos/cv000.txt": b"Good",
    "pos/0_9.txt": b"Fine",
    "neg/no ending": b"Bad",
    "train/negative/x.md": "Très nul".encode("cp1252"),
    "Val/pos/y.txt": "Déjà vu".encode("utf-16"),
    "test/NEG/deeper/z.txt": b"Dull",
    "neg/photo.png": b"\x89PNG\0\0",
    ".DS_Store": b"\0",
    "pos/.hidden": b"x",
    "notes.txt": b"not a review",
}
EXPECTED = [
    Review("Bad", 0), Review("Dull", 0, "test"), Review("Déjà vu", 1, "validation"), Review("Fine", 1),
    Review("Good", 1), Review("Très nul", 0, "train"),
]  # fmt: skip


def as_folder(folder: Path, files: Files) -> Path:
    """The files in a folder."""
    for name, content in files.items():
        (folder / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "mine" / name).write_bytes(content)
    return folder / "mine"


def as_zip(folder: Path, files: Files) -> Path:
    """The files in a zip archive."""
    with zipfile.ZipFile(folder / "mine.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(f"mine/{name}", content)
    return folder / "mine.zip"


def as_tar(folder: Path, files: Files, mode: Any = "w", name: str = "mine.tar") -> Path:
    """The files in a tar archive."""
    with tarfile.open(folder / name, mode) as archive:
        for inner, content in files.items():
            member = tarfile.TarInfo(f"mine/{inner}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return folder / name


def as_tar_zst(folder: Path, files: Files) -> Path:
    """The files in a tar archive, packed by Zstandard."""
    packed = folder / "mine.tar.zst"
    packed.write_bytes(zstandard.ZstdCompressor().compress(as_tar(folder, files).read_bytes()))
    return packed


def opened(path: Path) -> Source:
    """The source that a path is."""
    return open_source(DataSettings(source=str(path)), path.parent, path.parent / "cache", lambda *_: None)


@pytest.mark.parametrize("pack", [as_folder, as_zip, as_tar, as_tar_zst])
def test_any_names_are_reviews_and_the_rest_is_counted(tmp_path: Path, pack: Callable[[Path, Files], Path]) -> None:
    source = opened(pack(tmp_path, FILES))
    assert sorted(source.reviews()) == EXPECTED
    assert source.warnings["file that is no review skipped"] == 2
    assert source.warnings["review with letters read as Windows-1252"] == 1
    assert "Très nul" in source.warnings.examples["review with letters read as Windows-1252"]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("pos/a.txt", Folder(1, None)),
        ("x/Train/Positive/a", Folder(1, "train")),
        ("dev/neg/a.txt", Folder(0, "validation")),
        ("neg/pos/a.txt", Folder(1, None)),
        ("pos.txt", None),
        ("other/a.txt", None),
        ("__MACOSX/pos/a.txt", None),
    ],
)
def test_the_folders_say_the_label_and_the_split(name: str, folder: Folder | None) -> None:
    assert folder_of(name) == folder


def test_the_official_layout_keeps_its_films_beside_other_names(tmp_path: Path) -> None:
    films = b"http://www.imdb.com/title/tt0000007/usercomments"
    source = opened(as_folder(tmp_path, {"train/urls_pos.txt": films, "train/pos/0_9.txt": b"a", "train/pos/x": b"b"}))
    reviews = sorted(source.reviews())
    assert [(review.text, review.film and source.film(review.film)) for review in reviews] == [
        ("a", "tt0000007"),
        ("b", None),
    ]


def test_much_damage_in_files_is_refused(tmp_path: Path) -> None:
    damaged = {f"pos/{number}.txt": "déjà vu".encode() + b" caf\xe9" for number in range(11)}
    with pytest.raises(DataError, match="mine is damaged"):
        list(opened(as_folder(tmp_path, damaged)).reviews())
    source = opened(as_folder(tmp_path / "few", dict(list(damaged.items())[:3])))
    assert len(list(source.reviews())) == 3
    assert source.warnings == {"invalid UTF-8 replaced": 3}


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = as_zip(tmp_path, {"pos/a.txt": b"Good", "neg/b.txt": b"Bad"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="is encrypted"):
        list(opened(path).reviews())
