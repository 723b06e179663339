"""Reviews to predict."""

from pathlib import Path

import pytest

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.reader import Input, read_inputs
from sentictl.reviews.read.source import MAX_REVIEW_BYTES, Warnings


def written(path: Path, content: bytes) -> Path:
    """The path, with this content."""
    path.write_bytes(content)
    return path


def test_csv_rows_keep_their_fields_in_order(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", b'id,review,stars\n7,"Good, really",5\n8,,1\n')
    assert [(row.text, list(row.fields.items())) for row in read_inputs(path, DataSettings())] == [
        ("Good, really", [("id", "7"), ("review", "Good, really"), ("stars", "5")]),
        ("", [("id", "8"), ("review", ""), ("stars", "1")]),
    ]


def test_json_lines_keep_their_values(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", b'{"id": 7, "text": "Good", "tags": ["a"]}\n')
    rows = read_inputs(path, DataSettings(review_column="text"))
    assert list(rows) == [Input("Good", {"id": 7, "text": "Good", "tags": ["a"]}, 41, "line 1 of a.jsonl")]


def test_a_text_file_is_one_review_a_line(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", b"\xef\xbb\xbfGood, really\r\n\nBad\xe2\x80\xa8film")
    texts = [row.text for row in read_inputs(path, DataSettings())]
    assert texts == ["Good, really", "", "Bad\u2028film"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"id,review\n\xff,Bl\xe9 caf\xc3\xa9 \xc3\xa9\n"),
        ("a.txt", b"Bl\xe9 caf\xc3\xa9\n"),
        ("a.tsv", b"review\nBl\xe9 caf\xc3\xa9\n"),
    ],
)
def test_invalid_utf8_is_replaced_and_counted(tmp_path: Path, name: str, content: bytes) -> None:
    warnings = Warnings()
    rows = list(read_inputs(written(tmp_path / name, content), DataSettings(), warnings))
    assert rows[0].text.startswith("Bl\ufffd caf\u00e9")
    assert warnings["invalid UTF-8 replaced"] == 1 + ("id" in rows[0].fields)
    assert all(str(value).isprintable() for value in rows[0].fields.values())


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", "Ein schöner Film\n"), ("a.csv", "review\nEin schöner Film\n")]
)
def test_another_encoding_is_told(tmp_path: Path, name: str, content: str) -> None:
    warnings = Warnings()
    rows = read_inputs(written(tmp_path / name, content.encode("cp1252")), DataSettings(), warnings)
    assert [row.text for row in rows] == ["Ein schöner Film"]
    assert warnings == {"review with letters read as Windows-1252": 1}


def test_rows_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    rows = read_inputs(written(tmp_path / "a.jsonl", b'{"review": "Good"}\nnot JSON\n'), DataSettings())
    assert next(rows).text == "Good"
    assert next(rows).problem.startswith("line 2 of a.jsonl is not JSON")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.jsonl", b'{"review": 5}\n{"review": "Good"}\n', "line 1 of a.jsonl: 'review' is of type int, not text."),
        ("a.jsonl", b'{"text": "x"}\n{"review": "Good"}\n', "line 1 of a.jsonl: there is no column 'review'"),
        ("a.jsonl", b'[1]\n{"review": "Good"}\n', "line 1 of a.jsonl is of type list, not an object."),
        ("a.jsonl", b'{\n{"review": "Good"}\n', "line 1 of a.jsonl is not JSON"),
        ("a.csv", b"id,review\n7\n8,Good\n", "line 2 of a.csv: 1 fields, where the header has 2."),
        ("a.csv", b"id,review\n7,x,y\n8,Good\n", "line 2 of a.csv: 3 fields, where the header has 2."),
    ],
)
def test_what_is_wrong_with_one_row_leaves_the_others(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    bad, good = read_inputs(written(tmp_path / name, content), DataSettings())
    assert (bad.text, good.text, good.problem) == ("", "Good", "")
    assert bad.problem.startswith(problem)


LONG = b"x" * (MAX_REVIEW_BYTES + 3_000_000)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b'{"id": "1", "review": "Good"}\n' + LONG + b'\n{"id": "3", "review": "Bad"}\n'),
        ("a.txt", b"Good\r\n" + LONG + b"\r\nBad\r\n"),
        ("a.csv", b"id,review\n1,Good\n" + LONG + b"\n3,Bad\n"),
        ("b.csv", b'id,review\r\n1,Good\r\n2,"' + LONG + b'"\r\n3,Bad'),
        ("c.csv", b'id,review\n1,Good\n2,So "so", he said\n3,Bad\n'),
        ("d.csv", b'id,review\n1,Good\n2,"So" so,"\n3,Bad\n'),
    ],
)
def test_a_row_that_is_too_long_or_badly_quoted_leaves_the_others(tmp_path: Path, name: str, content: bytes) -> None:
    rows = list(read_inputs(written(tmp_path / name, content), DataSettings()))
    assert [row.text for row in rows] == ["Good", "", "Bad"]
    assert [row.problem.startswith(f"{rows[1].where}") for row in rows if row.problem] == [True]
    assert len({tuple(row.fields) for row in rows}) == 1


def test_a_quote_that_never_closes_costs_its_own_row(tmp_path: Path) -> None:
    content = b'id,review\n1,Good\n2,"Open\n3\n4,"Bad, too"\n'
    rows = list(read_inputs(written(tmp_path / "a.csv", content), DataSettings()))
    assert [(row.where.split(" of ")[0], row.text) for row in rows] == [
        ("line 2", "Good"), ("line 3", ""), ("line 4", ""), ("line 5", "Bad, too")
    ]  # fmt: skip
    assert [bool(row.problem) for row in rows] == [False, True, True, False]


def test_a_header_with_a_quote_that_is_open_ends_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 1 of a\.csv"):
        list(read_inputs(written(tmp_path / "a.csv", b'review,"id\nGood,1\n'), DataSettings()))


def test_an_object_of_a_list_that_is_too_long_ends_it_by_its_number(tmp_path: Path) -> None:
    content = b'[{"review": "Good"}, {"review": "' + 2 * LONG + b'"}]'
    rows = read_inputs(written(tmp_path / "a.json", content), DataSettings())
    assert next(rows).text == "Good"
    with pytest.raises(DataError, match=r"object 2 of a\.json is no JSON that ends within 16 MiB"):
        next(rows)


def test_half_a_surrogate_pair_is_kept_to_be_told_and_the_fields_are_mended(tmp_path: Path) -> None:
    (row,) = read_inputs(written(tmp_path / "a.jsonl", b'{"review": "so \\ud800 good"}\n'), DataSettings())
    assert (row.text, row.fields) == ("so \ud800 good", {"review": "so \ufffd good"})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text\nGood\n", "there is no column 'review'; the columns are text"),
        ("a.csv", b"", "is empty"),
        ("a.txt", b"", "is empty"),
        ("a.pdf", b"x", "is not of a known form"),
    ],
)
def test_bad_input_is_refused_with_its_reason(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        list(read_inputs(written(tmp_path / name, content), DataSettings()))
    assert caught.value.hint
