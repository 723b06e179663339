"""A folder of tables as one source."""

from pathlib import Path

import pytest

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.resolve import open_source
from sentictl.reviews.read.source import Source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of tables that spell their labels in different ways."""
    folder = tmp_path / "reviews"
    (folder / "more").mkdir(parents=True)
    (folder / "b.csv").write_text("review,label\nFirst,1\n,0\nSecond,0\n")
    (folder / "a.jsonl").write_text('{"review": "Third", "label": "neg"}\n')
    (folder / "more" / "c.tsv").write_text("review\tlabel\nFourth\tpositive\nFifth\t\n")
    return folder


def opened(folder: Path, ignore: str = "") -> Source:
    """The source that the folder is."""
    return open_source(DataSettings(source=str(folder), ignore=ignore), folder, folder, lambda *_: None)


def test_all_tables_are_read_in_the_order_of_their_paths(folder: Path) -> None:
    source = opened(folder)
    found = [(review.text, review.label) for review in source.reviews()]
    assert found == [("Third", 0), ("First", 1), ("Second", 0), ("Fourth", 1)]
    assert source.description == "reviews"
    assert source.done == source.total == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_what_is_left_out_is_counted_over_all_of_them(folder: Path) -> None:
    (folder / "notes.txt").write_text("x")
    (folder / "_SUCCESS").touch()
    (folder / ".a.jsonl.crc").write_text("x")
    source = opened(folder)
    list(source.reviews())
    assert dict(source.warnings) == {
        "file that is no table skipped": 1,
        "empty review skipped": 1,
        "review without a label skipped": 1,
    }
    assert source.warnings.examples["file that is no table skipped"] == "notes.txt"


def test_the_fingerprint_follows_names_contents_and_settings(folder: Path) -> None:
    before = opened(folder).fingerprint()
    assert opened(folder, ignore="3").fingerprint() != before
    (folder / "b.csv").rename(folder / "d.csv")
    renamed = opened(folder).fingerprint()
    assert renamed != before
    (folder / "notes.txt").write_text("x")
    assert opened(folder).fingerprint() == renamed


def test_one_table_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "b.csv").write_text("review,label\nFirst,perhaps\n")
    with pytest.raises(DataError, match=r"line 2 of b\.csv"):
        list(opened(folder).reviews())


def test_folders_that_are_called_for_a_label_come_before_tables(folder: Path) -> None:
    for name in ("pos", "neg"):
        (folder / name).mkdir()
        (folder / name / "1.txt").write_text(f"A {name} review")
    assert sorted(review.text for review in opened(folder).reviews()) == ["A neg review", "A pos review"]


def test_tables_that_are_passed_over_are_counted(folder: Path) -> None:
    """Spark passes those over whose names begin with an underscore; links are not followed."""
    (folder / "_b.csv").write_text("review,label\nSixth,1\n")
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "d.csv").write_text("review,label\nSeventh,1\n")
    (folder / "linked").symlink_to(elsewhere)
    source = opened(folder)
    assert {"Sixth", "Seventh"}.isdisjoint(review.text for review in source.reviews())
    assert source.warnings["file that is no table skipped"] == 2
