"""CSV, TSV and JSON-lines files."""

import csv
import io
import json
import os
import shlex
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.source import Review
from sentictl.reviews.read.tables.table import TableSource

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
labelled = st.lists(st.tuples(text, st.integers(0, 1)), min_size=1, max_size=8)
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def source(path: Path, content: str | bytes, chosen: DataSettings | None = None) -> TableSource:
    """The source that a file of this content is."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return TableSource(path, chosen or DataSettings())


def refused(path: Path, content: str | bytes) -> DataError:
    """The error that a file of this content ends in."""
    with pytest.raises(DataError) as caught:
        list(source(path, content).reviews())
    return caught.value


@given(rows=labelled)
@one_folder
def test_any_reviews_come_back_from_csv(tmp_path: Path, rows: list[tuple[str, int]]) -> None:
    written = io.StringIO()
    csv.writer(written).writerows([("label", "review"), *((label, review) for review, label in rows)])
    reviews = source(tmp_path / "a.csv", written.getvalue()).reviews()
    assert list(reviews) == [Review(review, label) for review, label in rows]


@given(rows=labelled, ascii_only=st.booleans())
@one_folder
def test_any_reviews_come_back_from_json_lines(tmp_path: Path, rows: list[tuple[str, int]], ascii_only: bool) -> None:
    objects = ({"review": review, "label": label} for review, label in rows)
    lines = "".join(json.dumps(fields, ensure_ascii=ascii_only) + "\n" for fields in objects)
    reviews = source(tmp_path / "a.jsonl", lines).reviews()
    assert list(reviews) == [Review(review, label) for review, label in rows]


@given(content=st.binary(max_size=200), suffix=st.sampled_from([".csv", ".tsv", ".jsonl"]))
@one_folder
def test_any_bytes_are_reviews_or_a_data_error(tmp_path: Path, content: bytes, suffix: str) -> None:
    try:
        reviews = list(source(tmp_path / f"a{suffix}", b"review,label\n" + content).reviews())
    except DataError as error:
        told = error.message
    else:
        told = "a" + suffix if all(review.text.strip() for review in reviews) else "an empty review"
    assert "a" + suffix in told


def test_tabs_delimit_tsv_and_endings_ignore_case(tmp_path: Path) -> None:
    reviews = source(tmp_path / "A.TSV", "label\treview\npos\tGood, really\n").reviews()
    assert list(reviews) == [Review("Good, really", 1)]


def test_settings_name_columns_and_label_values(tmp_path: Path) -> None:
    chosen = DataSettings(review_column="text", label_column="stars", positive="5", negative="1")
    table = source(tmp_path / "a.csv", "stars,text\n5,Fine\n1,Bad\n", chosen)
    assert list(table.reviews()) == [Review("Fine", 1), Review("Bad", 0)]


def test_own_splits_are_kept(tmp_path: Path) -> None:
    content = "review,label,split\na,1,train\nb,0,Test\nc,1,validation\nd,0,\n"
    splits = [review.split for review in source(tmp_path / "a.csv", content).reviews()]
    assert splits == ["train", "test", "validation", None]


def test_a_byte_order_mark_and_blank_lines_are_no_content(tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    expected = [Review("Good", 1), Review("Bad", 0)]
    rows = mark + b"review,label\r\n\r\nGood,1\r\nBad,0\r\n"
    assert list(source(tmp_path / "a.csv", rows).reviews()) == expected
    lines = mark + b'{"review": "Good", "label": 1}\n\n{"review": "Bad", "label": false}'
    assert list(source(tmp_path / "a.ndjson", lines).reviews()) == [Review("Good", 1), Review("Bad", 0)]


def test_invalid_utf8_is_replaced_and_counted(tmp_path: Path) -> None:
    table = source(tmp_path / "a.csv", b"review,label\nBl\xe9 caf\xc3\xa9,1\nfine,0\n")
    for _ in range(2):
        assert [review.text for review in table.reviews()] == ["Bl\ufffd caf\u00e9", "fine"]
        assert table.warnings == {"invalid UTF-8 replaced": 1}


def test_lone_surrogates_in_json_are_replaced_and_counted(tmp_path: Path) -> None:
    table = source(tmp_path / "a.jsonl", '{"review": "so \\ud800 so", "label": 1}')
    assert list(table.reviews()) == [Review("so \ufffd so", 1)]
    assert table.warnings == {"invalid UTF-8 replaced": 1}


def test_empty_reviews_are_skipped_and_counted(tmp_path: Path) -> None:
    table = source(tmp_path / "a.jsonl", "".join(
        f'{{"review": {review}, "label": 1}}\n' for review in ('""', '" \\n"', "null", '"Good"')
    ))  # fmt: skip
    assert list(table.reviews()) == [Review("Good", 1)]
    assert table.warnings == {"empty review skipped": 3}


def test_nul_bytes_stay_within_their_review(tmp_path: Path) -> None:
    table = source(tmp_path / "a.csv", b"review,label\nso\0so,1\nfine,0\n")
    assert [review.label for review in table.reviews()] == [1, 0]


def test_a_review_of_a_million_characters_is_read(tmp_path: Path) -> None:
    table = source(tmp_path / "a.csv", f'review,label\n"{"good, " * 200_000}",1\n')
    assert len(next(table.reviews()).text) == 1_200_000


def test_a_missing_column_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    for name, content in (("a.csv", "Reviews,label\nx,1\n"), ("a.jsonl", '{"Reviews": "x", "label": 1}\n')):
        error = refused(tmp_path / name, content)
        assert "no column 'review'; the columns are Reviews, label" in error.message
        assert "Did you mean 'Reviews'?" in error.hint
        assert "--review-column Reviews" in error.hint


@pytest.mark.parametrize("column", ["the label's", "$label", "-label", "; label"])
def test_a_column_that_is_proposed_can_be_pasted(tmp_path: Path, column: str) -> None:
    error = refused(tmp_path / "a.csv", f"review,{column}\ngood,1\n")
    words = shlex.split(error.hint.partition("Name it: ")[2])
    option = words[-1].split("=", 1) if "=" in words[-1] else words[-2:]  # with = it is not taken for an option
    assert [*words[:2], *option] == ["sentictl", "data", "--label-column", column]


def test_a_missing_label_column_names_its_own_setting(tmp_path: Path) -> None:
    error = refused(tmp_path / "a.csv", "review,xyz\ngood,1\n")
    assert "no column 'label'" in error.message
    assert "--label-column xyz" in error.hint


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "is empty"),
        ("a.jsonl", "", "is empty"),
        ("a.csv", "review,label\n", "holds no labelled reviews"),
        ("a.jsonl", "\n \n", "holds no labelled reviews"),
        ("a.csv", 'review,label\n"Good\nfilm",1\nbad,meh\n', "line 4 of a.csv: the label 'meh' is none that is known"),
        ("a.csv", "review,label\nGood, really,1\n", "line 2 of a.csv: 3 fields, where the header has 2"),
        ("a.csv", "review,label\nGood\n", "line 2 of a.csv: 1 fields"),
        (
            "a.csv",
            'review,label\nGood,1\n"Open, really,0\n',
            "line 3 of a.csv, or the quote that opens there: unexpected end of data",
        ),
        ("a.csv", 'review,label\n"Go"od, really,1\n', "line 2 of a.csv"),
        ("a.csv", "review,label,review\na,1,b\n", "the column 'review' is there twice"),
        ("a.csv", "review,label,split\na,1,half\n", "line 2 of a.csv: the split 'half' is not one of train"),
        ("a.jsonl", '{"review": "x", "label": 1}\n{"review": \n', "line 2 of a.jsonl is not JSON"),
        ("a.jsonl", "[" * 100_000, "line 1 of a.jsonl is not JSON"),
        ("a.jsonl", "[1, 2]", "line 1 of a.jsonl is of type list, not an object"),
        ("a.jsonl", '{"review": 5, "label": 1}', "line 1 of a.jsonl: 'review' is of type int, not text"),
        ("a.jsonl", '{"review": "x", "label": {"a": 1}}', "line 1 of a.jsonl: the label {'a': 1}"),
    ],
)
def test_bad_input_is_refused_with_its_reason(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    error = refused(tmp_path / name, content)
    assert message in error.message
    assert error.hint


def test_a_field_larger_than_any_review_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path / "a.csv", "review,label\n" + '"' + ("x" * 9_000_000 + "\n") * 2 + '",1\n')
    assert "line 2 of a.csv, or the quote that opens there: field larger than field limit" in error.message


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_a_line_larger_than_any_review_is_not_read_to_its_end(tmp_path: Path, name: str) -> None:
    """The rest of the file is a hole of 4 GiB, which no test could hold in memory."""
    path = tmp_path / name
    path.write_text('{"review": "x", "label": 1}\n' if name == "a.jsonl" else "review,label\n")
    os.truncate(path, 1 << 32)
    tracemalloc.start()
    with pytest.raises(DataError) as caught:
        list(TableSource(path, DataSettings()).reviews())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.message == f"line 2 of {name} is longer than 16 MiB, which no review is."
    assert most < 200 << 20


def test_errors_stay_short_whatever_the_file_holds(tmp_path: Path) -> None:
    review = "A long review, " * 1000
    for content in (
        f'"{review}",label\nx,1\n',
        f'label,review\n"{review}",1\n',
        f'review,label,split\nx,1,"{review}"\n',
    ):
        assert len(refused(tmp_path / "a.csv", content).message) < 500


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    table = TableSource(tmp_path / "gone.csv", DataSettings())
    with pytest.raises(DataError, match=r"gone\.csv cannot be read: No such file"):
        list(table.reviews())
    with pytest.raises(DataError, match=r"gone\.csv cannot be read: No such file"):
        table.fingerprint()


def test_the_fingerprint_follows_content_columns_and_label_values(tmp_path: Path) -> None:
    content = "review,label\na,1\n"
    first = source(tmp_path / "a.csv", content).fingerprint()
    assert source(tmp_path / "b.csv", content).fingerprint() == first
    changed = [
        source(tmp_path / "c.csv", content + "b,0\n"),
        source(tmp_path / "a.csv", content, DataSettings(label_column="review", positive="a", negative="b")),
        source(tmp_path / "a.csv", content, DataSettings(positive="1", negative="0")),
    ]
    assert len({first, *(table.fingerprint() for table in changed)}) == 4


def test_progress_reaches_the_size_of_the_file(tmp_path: Path) -> None:
    table = source(tmp_path / "a.csv", "review,label\n" + "good,1\n" * 10_000)
    done = [table.done for _ in table.reviews()]
    assert done == sorted(done)
    assert done[0] < done[-1] == table.total == (tmp_path / "a.csv").stat().st_size


@pytest.mark.parametrize("behind", ['[{"review": "Lost", "label": 0}]', "x", ", {}"])
def test_what_stands_behind_the_list_of_a_json_file_is_not_lost(tmp_path: Path, behind: str) -> None:
    """As `cat a.json b.json` leaves it."""
    blanks = "\n" * 100_000
    error = refused(tmp_path / "a.json", f'[{{"review": "Good", "label": 1}}]{blanks}{behind}')
    assert "goes on behind the end of its list" in error.message
    assert [
        review.text for review in source(tmp_path / "a.json", f'[{{"review": "Good", "label": 1}}]{blanks}').reviews()
    ] == ["Good"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_columns_that_are_called_alike_are_refused(tmp_path: Path, name: str) -> None:
    content = "review,Label,LABEL\ngood,0,1\n" if name == "a.csv" else '{"review": "good", "Label": 0, "LABEL": 1}\n'
    assert "the columns 'Label' and 'LABEL' are both called 'label'" in refused(tmp_path / name, content).message


def test_a_column_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    chosen = DataSettings(columns="review,label,label")
    with pytest.raises(DataError, match="'label' is named twice"):
        list(source(tmp_path / "a.csv", "good,1,0\n", chosen).reviews())
