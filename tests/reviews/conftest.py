"""Small sources of reviews, in every form that is read."""

import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Files = dict[str, bytes]
Pack = Callable[[Mapping[str, bytes]], Path]


@pytest.fixture
def official() -> Files:
    """The files of the official layout: 120 reviews for training about 40 films, 40 for testing, and more."""
    files: Files = {"README": b"read me", "imdb.vocab": b"the\nfilm", "train/unsup/0_0.txt": b"not labelled"}
    for split, each, films in (("train", 60, 40), ("test", 20, 10)):
        for label, word in (("pos", "wonderful"), ("neg", "dreadful")):
            for number in range(each):
                text = f"A {word} {split} film<br />about word{number} and {number} things."
                files[f"{split}/{label}/{number}_{9 if label == 'pos' else 2}.txt"] = text.encode()
            addresses = (
                f"http://www.imdb.com/title/tt00{number % films}{split}/usercomments" for number in range(each)
            )
            files[f"{split}/urls_{label}.txt"] = "\n".join(addresses).encode()
    return files


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Packs files, in their order, as the official archive is packed."""

    def packed(files: Mapping[str, bytes]) -> Path:
        path = tmp_path / "reviews.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(f"aclImdb/{name}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return path

    return packed


@pytest.fixture
def unpack(tmp_path: Path) -> Pack:
    """Writes files as the official archive unpacks."""

    def unpacked(files: Mapping[str, bytes]) -> Path:
        folder = tmp_path / "unpacked"
        for name, content in files.items():
            path = folder / "aclImdb" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    return unpacked
