"""Files with delimiters, as spreadsheets, databases and people write them."""

import csv
import io
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.reader import read_inputs
from sentictl.reviews.read.source import Review
from sentictl.reviews.read.tables.table import TableSource

QUOTE = "row with a quote that is no CSV, read as it stands"


def source(path: Path, content: str, **settings: Any) -> TableSource:
    """The source that a file of this content is."""
    path.write_text(content, encoding="utf-8", newline="")
    return TableSource(path, DataSettings(source=path.name, **settings))


def read(path: Path, content: str, **settings: Any) -> list[tuple[str, int | None]]:
    """The texts and labels of a file of this content."""
    return [(review.text, review.label) for review in source(path, content, **settings).reviews()]


def refused(path: Path, content: str, **settings: Any) -> DataError:
    """The error that a file of this content ends in."""
    with pytest.raises(DataError) as caught:
        list(source(path, content, **settings).reviews())
    return caught.value


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_the_delimiter_is_the_headers(tmp_path: Path, delimiter: str, quoting: Any, suffix: str) -> None:
    rows = [("Good, really; so | much\tof it", 1), ("Bad", 0), ('He said "no"', 0), ("Two\nlines", 1)]
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, quoting=quoting).writerows([("review", "label"), *rows])
    assert read(tmp_path / f"a{suffix}", written.getvalue()) == rows


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_no_header_is_read_by_the_names_that_are_given(tmp_path: Path, delimiter: str) -> None:
    rows = "".join(f"7{delimiter}good film{delimiter}1\n8{delimiter}bad film{delimiter}0\n" for _ in range(3))
    expected = [("good film", 1), ("bad film", 0)] * 3
    assert read(tmp_path / "a.csv", rows, columns="id,review,label") == expected
    assert (
        read(tmp_path / "a.csv", f"ID{delimiter}Review{delimiter}label\n{rows}", columns="id,review,label") == expected
    )


@pytest.mark.parametrize(
    ("first", "columns"),
    [("A good film,1\nA bad film,0\n", "review,label"), ("pos,A good film\nneg,A bad film\npos,x\n", "label,review")],
)
def test_a_missing_header_is_told_with_the_command_that_names_the_columns(
    tmp_path: Path, first: str, columns: str
) -> None:
    error = refused(tmp_path / "a b.csv", first)
    assert "a b.csv has no header: its first line holds" in error.message
    assert error.hint.endswith(f"sentictl data --source 'a b.csv' --columns {columns}")
    assert len(read(tmp_path / "a b.csv", first, columns=columns)) == first.count("\n")


def test_columns_are_found_in_any_case_and_with_blanks_around(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "id; LABEL;Review \n1;1;Fine\n") == [("Fine", 1)]


def test_the_other_names_are_told_by_the_delimiter_that_the_file_has(tmp_path: Path) -> None:
    error = refused(tmp_path / "a.csv", "text;verdict\n" + "Good, so, so;1\nBad, no;0\n" * 20)
    assert "there is no column 'review'; the columns are text, verdict" in error.message
    assert error.hint.endswith("sentictl data --source a.csv --review-column text")


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        (("bad", "good"), "--positive good --negative bad"),
        (("1", "2", "3", "4", "5"), "--positive 4,5 --negative 1,2 --ignore 3"),
        (("negative", "neutral", "positive"), "--positive positive --negative negative --ignore neutral"),
        (("2.5", "10"), "--positive 10 --negative 2.5"),
        (
            ("bad", "good", "ok", "very bad", "very good"),
            "--positive 'good,very good' --negative 'bad,very bad' --ignore ok",
        ),
        (("a", "b"), "--positive b --negative a"),
        (tuple(str(number) for number in range(2, 40)), "--positive '>=20'"),
        (tuple(f"0.{number}" for number in range(10, 90)), "--positive '>=0.49'"),
        (tuple(f"2024-01-{number}" for number in range(10, 30)), "--label-column NAME"),
    ],
)
def test_labels_that_are_not_known_are_proposed_as_they_stand(
    tmp_path: Path, labels: tuple[str, ...], options: str
) -> None:
    rows = "".join(f"Film {number},{labels[number % len(labels)]}\n" for number in range(80))
    error = refused(tmp_path / "a.csv", f"review,label\n{rows}")
    assert error.hint.endswith(f"sentictl data --source a.csv {options}")
    assert ("the model knows two" in error.message) == (len(labels) > 2)


@pytest.mark.parametrize("header", ["id, review, label", 'id, "review", "label"', "id,  review,  label"])
def test_blanks_behind_the_delimiter_belong_to_no_field(tmp_path: Path, header: str) -> None:
    content = f'{header}\n1, "Good, really", "1"\n2, "Bad", "0"\n3, Fine, 1\n'
    assert read(tmp_path / "a.csv", content) == [("Good, really", 1), ("Bad", 0), ("Fine", 1)]


def test_a_column_that_is_there_twice_matters_where_it_is_used(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "review,note,label,note\nGood,x,1,y\n") == [("Good", 1)]
    (row,) = read_inputs(tmp_path / "a.csv", DataSettings())
    assert row.fields == {"review": "Good", "note": "x", "label": "1", "note 2": "y"}
    for twice in ("review,label,split,split\nGood,1,,\n", "review,note,label,note,note 2\nGood,x,1,y,z\n"):
        assert "is there twice" in refused(tmp_path / "a.csv", twice).message


def test_a_row_that_ends_behind_what_is_needed_is_read_and_told(tmp_path: Path) -> None:
    table = source(tmp_path / "a.csv", "review,label,note\nGood,1\nBad,0,x\n")
    assert [review.text for review in table.reviews()] == ["Good", "Bad"]
    assert table.warnings.examples == {"row with fewer fields than the header": "line 2 of a.csv: Good, 1"}
    assert "2 fields, where the header has 3" in refused(tmp_path / "a.csv", "review,label,split\nGood,1\n").message


@pytest.mark.parametrize("content", ['[{"review": "Good", "label": 1}]', '{"review": "Good",\n"label": 1}\n'])
def test_json_under_another_name_is_told(tmp_path: Path, content: str) -> None:
    assert refused(tmp_path / "a.csv", content).message == "a.csv holds JSON."


@pytest.mark.parametrize("review", ['{"text": "Good"}', '["Good"]'])
def test_a_nested_review_is_told(tmp_path: Path, review: str) -> None:
    error = refused(tmp_path / "a.jsonl", f'{{"id": "1", "review": {review}, "label": 1}}\n')
    assert "what lies deeper is not looked for" in error.hint


def test_the_other_side_is_proposed_where_one_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path / "a.csv", "review,label\na,good\nb,bad\nc,meh\n", positive="good", ignore="meh")
    assert error.hint.endswith("sentictl data --source a.csv --positive good --negative bad --ignore meh")


def test_the_longest_texts_are_taken_for_the_reviews(tmp_path: Path) -> None:
    error = refused(tmp_path / "a.csv", "no,words,verdict\n1,A good film,1\n2,A bad film,0\n")
    assert error.hint.endswith("--review-column words")
    error = refused(tmp_path / "a.csv", "id,review,verdict\n17,A good film,1\n18,A bad film,0\n")
    assert error.hint.endswith("--label-column verdict")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_labels_show_the_delimiter_where_no_header_does(tmp_path: Path, delimiter: str) -> None:
    content = "".join(f"A {('bad', 'good')[n % 2]} film, no {n}{delimiter}{('neg', 'pos')[n % 2]}\n" for n in range(9))
    assert refused(tmp_path / "a.csv", content).hint.endswith("--columns review,label")
    assert refused(tmp_path / "a.csv", f"text{delimiter}verdict\n{content}").hint.endswith("--review-column text")


def test_a_header_below_other_lines_is_told(tmp_path: Path) -> None:
    error = refused(tmp_path / "a.csv", "# exported\n# today\nreview;label\nGood;1\n")
    assert "its header stands below other lines: 'review;label'" in error.message


@pytest.mark.parametrize("nothing", ["NaN", "null", " "])
def test_what_programs_write_for_nothing_is_no_label(tmp_path: Path, nothing: str) -> None:
    assert read(tmp_path / "a.csv", f"review,label\na,1\nb,{nothing}\nc,0\n") == [("a", 1), ("c", 0)]


def test_another_delimiter_is_proposed_and_taken(tmp_path: Path) -> None:
    content = "review^label\nGood, really^1\nBad^0\n"
    assert refused(tmp_path / "a.csv", content).hint.endswith("sentictl data --source a.csv --delimiter '^'")
    assert read(tmp_path / "a.csv", content, delimiter="^") == [("Good, really", 1), ("Bad", 0)]
    assert read(tmp_path / "a.csv", "review\tlabel\nGood\t1\n", delimiter="tab") == [("Good", 1)]


def test_excels_own_line_names_the_delimiter(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "sep=;\r\nreview;label\r\nGood, really;1\r\n") == [("Good, really", 1)]


def test_padding_is_skipped_and_counted(tmp_path: Path) -> None:
    table = source(tmp_path / "a.csv", "review,label,,\nGood,1,,\n,,,\nBad,0,,,,\n ,,,\nno label,,,\n")
    assert [review.text for review in table.reviews()] == ["Good", "Bad"]
    assert table.warnings == {"empty row skipped": 2, "review without a label skipped": 1}
    assert table.warnings.examples["review without a label skipped"] == "line 6 of a.csv: no label"


def test_ignored_labels_are_counted(tmp_path: Path) -> None:
    table = source(tmp_path / "a.csv", "review,label\na,5\nb,3\nc,1\n", positive="4,5", negative="1,2", ignore="3")
    assert list(table.reviews()) == [Review("a", 1), Review("c", 0)]
    assert table.warnings.examples == {"review with an ignored label skipped": "line 3 of a.csv: 3"}


@pytest.mark.parametrize(("suffix", "delimiter"), [(".tsv", "\t"), (".csv", ","), (".csv", ";")])
def test_rows_that_a_stray_quote_would_swallow_are_read_as_rows(tmp_path: Path, suffix: str, delimiter: str) -> None:
    rows = [(f"Film number {number}", number % 2) for number in range(200)]
    rows[50], rows[120] = ('"Wow so good', 0), ('so bad"', 0)
    rows[150] = ('"Best" of all', 0)
    content = "".join(f"{text}{delimiter}{label}\n" for text, label in [("review", "label"), *rows])
    table = source(tmp_path / f"a{suffix}", content)
    assert [(review.text, review.label) for review in table.reviews()] == rows
    assert table.warnings[QUOTE] == 2
    assert table.warnings.examples[QUOTE].startswith(f"line 52 of a{suffix}")


def test_a_stray_quote_that_never_closes_costs_no_row(tmp_path: Path) -> None:
    rows = [('"Open', 1), *((f"Film {number}", number % 2) for number in range(3_000))]
    content = "review\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)
    assert read(tmp_path / "a.tsv", content) == rows


def test_rows_for_predictions_are_not_swallowed_either(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    texts = ['"Wow', *(f"Film {number}" for number in range(20)), 'so bad"']
    path.write_text("id\treview\n" + "".join(f"7\t{text}\n" for text in texts))
    assert [row.text for row in read_inputs(path, DataSettings())] == texts


def test_quoted_rows_inside_a_stray_quote_are_told_by_the_line_where_it_opens(tmp_path: Path) -> None:
    rows = "".join(f"Film {number},{number % 2}\n" for number in range(9))
    error = refused(tmp_path / "a.csv", f'review,label\nGood,1\n"Wow, so good,1\n{rows}so bad",0\n')
    assert "line 3 of a.csv: the quote that opens there closes in line 13 only" in error.message
    assert "9 of the lines between look like reviews" in error.message


@pytest.mark.parametrize(
    "text", ["Well, it was\nfine", "One\n\ntwo, three\n", "So,1 of\nthem", 'A "b",\nc', "Line one\nline,two\nend"]
)
def test_texts_over_several_lines_stay_whole(tmp_path: Path, text: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerows([("review", "label"), (text, 1), ("x", 0)])
    assert read(tmp_path / "a.csv", written.getvalue()) == [(text, 1), ("x", 0)]
    assert [row.text for row in read_inputs(tmp_path / "a.csv", DataSettings())] == [text, "x"]


def test_quotes_behind_backslashes_are_read(tmp_path: Path) -> None:
    content = 'review,label\n"He said \\"so, so\\", twice",1\n"Fine",0\n'
    assert read(tmp_path / "a.csv", content) == [('He said "so, so", twice', 1), ("Fine", 0)]


@given(
    texts=st.lists(st.text(st.characters(exclude_characters="\t\r\n\0", exclude_categories=["Cs"])), min_size=1),
    labels=st.lists(st.sampled_from([0, 1]), min_size=1),
)
def test_any_lines_without_quoting_come_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], labels: list[int]
) -> None:
    """But for those that are quoted by the rules: their quotes are taken for that."""
    rows = [(f"x{text}", label) for text, label in zip(texts, labels, strict=False) if text.strip()]
    content = "review\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)
    path = tmp_path_factory.mktemp("lines") / "a.tsv"
    if rows:
        assert read(path, content) == rows


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    peaks = []
    for count in (2_000, 40_000):
        path.write_text("review,label\n" + '"A film, or so",1\n' * count)
        tracemalloc.start()
        assert sum(1 for _ in TableSource(path, DataSettings()).reviews()) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 2_000_000


def test_many_bad_rows_take_no_more_time_each_than_few(tmp_path: Path) -> None:
    """Each is looked at again with the lines behind it, and none is kept for the next."""

    def calls(rows: int) -> int:
        path = tmp_path / f"{rows}.csv"
        path.write_text("review,label\n" + '"He said "great, fun", ok",7\n' * rows)
        count = 0

        def counted(*_: Any) -> None:
            nonlocal count
            count += 1

        before = sys.getprofile()
        sys.setprofile(counted)
        try:
            found = list(read_inputs(path, DataSettings()))
        finally:
            sys.setprofile(before)
        assert len(found) == rows
        return count

    assert calls(400) < 5 * calls(100)
