"""Files as they are packed, and of the other forms that tables have."""

import bz2
import gzip
import json
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.resolve import open_source

CSV = b"review,label\nGood,1\nBad,0\n"
ROWS = [("Good", 1), ("Bad", 0)]
Pack = Callable[[bytes], bytes]
PACKS: dict[str, Pack] = {
    ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstandard.ZstdCompressor().compress,
}  # fmt: skip


def read(path: Path) -> list[tuple[str, int | None]]:
    """The texts and labels in a file."""
    source = open_source(DataSettings(source=str(path)), path.parent, path.parent / "cache", lambda *_: None)
    return [(review.text, review.label) for review in source.reviews()]


def refused(path: Path) -> DataError:
    """The error that a file ends in."""
    with pytest.raises(DataError) as caught:
        read(path)
    return caught.value


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    """The path, with an archive of these files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("packing", PACKS)
def test_packed_tables_are_read(tmp_path: Path, packing: str) -> None:
    path = tmp_path / f"A.CSV{packing}"
    path.write_bytes(PACKS[packing](CSV))
    assert read(path) == ROWS
    path.write_bytes(PACKS[packing](CSV) + PACKS[packing](b"Fine,1\n"))
    assert read(path) == [*ROWS, ("Fine", 1)]


@pytest.mark.parametrize("packing", PACKS)
@pytest.mark.parametrize("kept", [0.5, 0.95])
def test_packed_tables_that_are_cut_short_are_refused(tmp_path: Path, packing: str, kept: float) -> None:
    whole = PACKS[packing](CSV + b"".join(b"Film %d,1\n" % number for number in range(50_000)))
    path = tmp_path / f"a.csv{packing}"
    path.write_bytes(whole[: int(len(whole) * kept)])
    assert "is cut short or damaged" in refused(path).message


def test_the_content_says_how_a_file_is_packed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(CSV))
    assert read(path) == ROWS


def test_the_table_in_a_zip_archive_is_read(tmp_path: Path) -> None:
    files = {"README.md": b"x", "export/a.csv": CSV, "__MACOSX/export/._a.csv": b"\0", ".x.csv": b""}
    assert read(zipped(tmp_path / "a.zip", files)) == ROWS


def test_a_zip_archive_of_two_tables_names_them(tmp_path: Path) -> None:
    error = refused(zipped(tmp_path / "a b.zip", {"a.csv": CSV, "b.csv": CSV}))
    assert "holds 2 tables, not one: a.csv, b.csv" in error.message
    assert f"unzip '{tmp_path / 'a b.zip'}'" in error.hint


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
def test_a_spreadsheet_is_refused_with_the_line_that_converts_it(tmp_path: Path, name: str) -> None:
    error = refused(zipped(tmp_path / name, {"xl/workbook.xml": b"<x/>"}))
    assert "is a spreadsheet" in error.message
    assert "pip install pandas openpyxl && python -c 'import pandas; pandas.read_excel(" in error.hint


@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_in_json_is_read(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"review": text, "label": bool(label)} for text, label in ROWS], indent=indent))
    assert read(path) == ROWS


def test_a_long_list_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    rows = [("x" * (number % 7_000), number % 2) for number in range(1, 3_000)]
    path.write_text(json.dumps([{"review": text, "label": label} for text, label in rows]))
    assert read(path) == rows


def test_json_may_be_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("".join(json.dumps({"review": text, "label": label}) + "\n" for text, label in ROWS))
    assert read(path) == ROWS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"review": "x", "label": 1}, {"review": ', "object 2 of a.json is not JSON"),
        ('[{"review": "x", "label": 1}, 5]', "object 2 of a.json is of type int"),
        ('[{"review": "x", "label": 1}', "object 2 of a.json is not JSON"),
        ("[]", "holds no labelled reviews"),
    ],
)
def test_broken_lists_are_refused_by_the_object(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    assert message in refused(path).message


def test_parquet_is_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    table = {"Review": ["Good", "Bad", "None"], "label": [True, False, None], "split": ["train", "test", "test"]}
    parquet.write_table(pyarrow.table(table), path)
    assert read(path) == ROWS
    path.write_bytes(path.read_bytes()[:-30])
    assert "is not a Parquet file, or damaged" in refused(path).message


def test_a_pipe_is_refused_before_anything_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    assert "is a pipe" in refused(tmp_path / "a.csv").message
