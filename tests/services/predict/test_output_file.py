"""Answers in a file: whole at any moment, and continued."""

import csv
import json
import resource
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sentictl.errors import DataError, UsageError
from sentictl.services.predict.batches import predict_each
from sentictl.services.predict.clients import Client
from sentictl.services.predict.output_file import open_answers
from sentictl.services.predict.resume import unanswered
from sentictl.services.predict.rows import InputRow, answer_of, whole

ROWS: list[InputRow] = [
    InputRow(text, {"id": number, "review": text, "note": None, "label": "given"}, 0, f"row {number}")
    for number, text in enumerate(["good", 'sa"id, she\nand\r more', "", "caf\u00e9", "bad"])
]
FORMS = pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])


def asker(model: str = "toy", shift: float = 0.0, *, explain: bool = False) -> Client:
    """Says of a text what its length says."""

    def ask(texts: Sequence[str]) -> list[dict[str, Any]]:
        extra: dict[str, Any] = {"explanation": {"words": [], "phrases": []}} if explain else {}
        return [
            {"label": "positive", "sentiment": 1, "probability": len(text) / 100 + shift, "model": model} | extra
            for text in texts
        ]

    return Client(ask, 2, explains=explain)


def run(path: Path, rows: list[InputRow], by: Client, *, resume: bool = False) -> int:
    """Answer what is not answered yet; how many that were."""
    count = 0
    with open_answers(path, resume=resume) as file:
        for new in unanswered(file, [rows[:3], [], rows[3:]], by):
            for row, prediction in predict_each(by, [new], lambda row: row.text, lambda row: row.fault):
                file.write(answer_of(row.fields, whole(prediction, explain=by.explains)))
                count += 1
    return count


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


@FORMS
def test_answers_have_the_rows_fields_and_the_predictions(tmp_path: Path, name: str) -> None:
    assert run(tmp_path / name, ROWS, asker(explain=True)) == len(ROWS)
    answers = read(tmp_path / name)
    assert [answer["review"] for answer in answers] == [row[0] for row in ROWS]
    assert [str(answer["id"]) for answer in answers] == ["0", "1", "2", "3", "4"]
    assert {answer["label"] for answer in answers} == {"given"}
    assert [answer["prediction_label"] for answer in answers] == [
        "positive",
        "positive",
        answers[2]["prediction_label"],
        "positive",
        "positive",
    ]
    assert [bool(answer["error"]) for answer in answers] == [False, False, True, False, False]
    assert "row 2: the review is empty" in str(answers[2]["error"])
    assert "words" in answers[0]["explanation"]


@FORMS
def test_a_file_cut_at_any_byte_is_continued_to_the_same_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    run(path, ROWS, asker())
    whole = path.read_bytes()
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        assert run(path, ROWS, asker(), resume=True) <= len(ROWS)
        assert path.read_bytes() == whole


@FORMS
def test_what_is_finished_stays_as_it_is(tmp_path: Path, name: str) -> None:
    run(tmp_path / name, ROWS, asker())
    assert run(tmp_path / name, ROWS, asker(), resume=True) == 0


@FORMS
def test_resuming_without_a_file_begins_one(tmp_path: Path, name: str) -> None:
    assert run(tmp_path / name, ROWS, asker(), resume=True) == len(ROWS)


@FORMS
def test_a_full_disk_is_told_and_what_is_whole_is_continued(tmp_path: Path, name: str) -> None:
    path, whole = tmp_path / name, tmp_path / f"whole-{name}"
    run(whole, ROWS, asker())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (whole.stat().st_size - 30, limits[1]))
    try:
        with pytest.raises(DataError, match=f"{name} cannot be written: File too large"):
            run(path, ROWS, asker())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    run(path, ROWS, asker(), resume=True)
    assert path.read_bytes() == whole.read_bytes()


def test_no_reviews_make_an_empty_file(tmp_path: Path) -> None:
    run(tmp_path / "out.jsonl", [], asker())
    assert (tmp_path / "out.jsonl").read_bytes() == b""


@FORMS
@pytest.mark.parametrize(
    ("rows", "by", "words"),
    [
        (ROWS[1:], asker(), "'id' of answer 1"),
        (ROWS[:2], asker(), "more answers than the input has reviews"),
        (ROWS, asker(model="other"), "from the model toy, not other"),
        (ROWS, asker(shift=0.01), "differently"),
        (ROWS, asker(explain=True), "--explain"),
    ],
)
def test_another_input_or_model_is_refused(
    tmp_path: Path, name: str, rows: list[InputRow], by: Client, words: str
) -> None:
    path = tmp_path / name
    run(path, ROWS, asker())
    whole = path.read_bytes()
    with pytest.raises(DataError, match=words):
        run(path, rows, by, resume=True)
    assert path.read_bytes() == whole


def test_another_text_file_is_refused_by_its_last_answers(tmp_path: Path) -> None:
    rows: list[InputRow] = [InputRow("x" * number) for number in range(1, 9)]
    run(tmp_path / "out.jsonl", rows, asker())
    with pytest.raises(DataError, match="differently"):
        run(tmp_path / "out.jsonl", [InputRow("xx"), *rows], asker(), resume=True)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("out.jsonl", b"not JSON\n"),
        ("out.jsonl", b"[1]\n"),
        ("out.jsonl", b"{}\n"),
        ("out.csv", b"id,review\r\n1\r\n"),
        ("out.csv", b'id\r\n"a"b\r\n1\r\n'),
        ("out.csv", b"id,review,note\r\n0,good,\r\n"),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="out"):
        run(tmp_path / name, ROWS, asker(), resume=True)
    assert (tmp_path / name).read_bytes() == content


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("mine")
    with pytest.raises(UsageError, match="already") as refusal:
        open_answers(tmp_path / "out.csv", resume=False)
    assert "--resume" in refusal.value.hint


def test_a_form_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="form"):
        open_answers(tmp_path / "out.parquet", resume=False)


def test_rows_of_a_table_have_the_same_fields(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="other fields than the first: extra"):
        run(tmp_path / "out.csv", [InputRow("a"), InputRow("b", {"extra": 1})], asker())


@FORMS
def test_values_that_json_has_no_form_for_are_written_as_text(tmp_path: Path, name: str) -> None:
    """Other columns of a Parquet file hold such."""
    day, price = datetime(2026, 12, 1, tzinfo=UTC), Decimal("1.50")
    with open_answers(tmp_path / name, resume=False) as file:
        file.write({"day": day, "price": price, "several": [price], "label": "positive"})
    (answer,) = read(tmp_path / name)
    assert (answer["day"], answer["price"]) == ("2026-12-01 00:00:00+00:00", "1.50")
