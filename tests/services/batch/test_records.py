"""The reviews of an input as JSON Lines, and how they are cut into objects."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.services.batch.records import (
    LEAST_BYTES,
    MB,
    SECTION_BYTES,
    BatchRecords,
    Section,
    record_of,
    write_records,
)
from sentictl.services.predict.rows import InputRow


def records_of(path: Path, texts: list[str]) -> BatchRecords:
    return write_records([InputRow(text, where=f"row {place}") for place, text in enumerate(texts)], path, MB)


def test_each_review_is_a_line_of_json_whatever_is_in_it(tmp_path: Path) -> None:
    texts = ["one\ntwo\r\nthree", 'a "quote"', "naïve ☃ 🎬", "\u2028 and \x00", "x" * 1_000]
    records = records_of(tmp_path / "records", texts)
    lines = (tmp_path / "records").read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == [{"review": text} for text in texts]
    assert (lines[-1], len(records), records.rows) == (b"", 5, 5)
    assert min(map(len, lines[:-1])) == LEAST_BYTES  # so that no answer is longer than what it answers


def test_what_nobody_can_be_asked_about_is_no_record(tmp_path: Path) -> None:
    rows = [
        InputRow("good", where="row 1"),
        InputRow(" ", where="row 2"),
        InputRow("", where="row 3", problem="row 3: no text"),
        InputRow("half \ud83d", where="row 4"),
        InputRow("x" * MB, where="row 5"),
    ]
    records = write_records(rows, tmp_path / "records", MB)
    assert (len(records), records.rows) == (1, 5)
    said = [record_of(row, MB) for row in rows[1:]]
    codes = [each["error"]["code"] for each in said if not isinstance(each, bytes)]
    assert codes == ["empty_review", "invalid_review", "not_utf8", "review_too_long"]


def test_the_digest_is_of_the_reviews_and_their_order(tmp_path: Path) -> None:
    one, same, other = (
        records_of(tmp_path / str(place), texts).digest
        for place, texts in enumerate((["a", "b"], ["a", "b"], ["b", "a"]))
    )
    assert one == same != other


@given(
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=60),
    instances=st.integers(1, 9),
    cuts=st.sets(st.integers(0, 60), max_size=6),
)
def test_what_is_unanswered_is_cut_whole_and_once_into_enough_shards(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], instances: int, cuts: set[int]
) -> None:
    path = tmp_path_factory.mktemp("records") / "records"
    records = records_of(path, ["x" * size for size in sizes])
    places = sorted(place for place in cuts if place <= len(sizes))
    answered = [Section(first, end) for first, end in zip(places[::2], places[1::2], strict=False)]
    sections = records.unanswered(answered, instances)
    covered = [number for section in [*answered, *sections] for number in range(section.first, section.end)]
    assert sorted(covered) == list(range(len(sizes)))
    missing = sum(map(len, sections))
    assert len(sections) >= min(instances, missing)
    assert b"".join(map(records.content, sorted([*answered, *sections]))) == path.read_bytes()


def test_no_object_is_larger_than_what_one_failure_may_cost(tmp_path: Path) -> None:
    records = records_of(tmp_path / "records", ["x" * 500_000] * 40)
    sizes = [len(records.content(section)) for section in records.unanswered([], 1)]
    assert max(sizes) <= SECTION_BYTES
    assert len(sizes) == 3


@pytest.mark.parametrize("key", ["batch/0/out/{}.out", "batch/0/out/batch/0/in/{}.out", "batch/0/in/{}"])
def test_an_object_tells_what_is_in_it_wherever_it_lies(key: str) -> None:
    assert Section.named(key.format(Section(20, 1_000).name)) == Section(20, 1_000)


@pytest.mark.parametrize("key", ["batch/0/out/other.jsonl", "batch/0/out/1-2.jsonl", "batch/0/"])
def test_what_holds_something_else_is_none(key: str) -> None:
    assert Section.named(key) is None
