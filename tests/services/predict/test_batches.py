"""Many reviews answered in order: batches that every route takes, and input that comes late or fast."""

import io
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.errors import DataError, RefusedError
from sentictl.reviews.read.source import MAX_REVIEW_BYTES
from sentictl.services.predict.batches import predict_each, windows
from sentictl.services.predict.clients import MAX_BODY_BYTES, Client
from sentictl.services.predict.rows import failed
from sentictl.services.predict.stdin import lines_as_they_come

SECONDS = 20


def echo(texts: Sequence[str]) -> list[dict[str, Any]]:
    return [{"echo": text} for text in texts]


@given(st.lists(st.lists(st.text(max_size=5), max_size=40), max_size=8), st.integers(1, 16), st.integers(1, 3))
def test_every_item_gets_its_own_answer_in_order(steps: list[list[str]], at_once: int, threads: int) -> None:
    sizes = []

    def ask(texts: Sequence[str]) -> list[dict[str, Any]]:
        sizes.append(len(texts))
        return echo(texts)

    answers = list(predict_each(Client(ask, at_once, threads), steps, str))
    texts = [text for step in steps for text in step]
    assert [(item, answer["echo"]) for item, answer in answers] == [(text, text) for text in texts]
    assert all(0 < size <= at_once for size in sizes)


def test_long_reviews_are_asked_in_bodies_that_every_service_takes() -> None:
    bodies = []

    def ask(texts: Sequence[str]) -> list[dict[str, Any]]:
        bodies.append(sum(map(len, texts)))
        return echo(texts)

    assert len(list(predict_each(Client(ask, 64), [["x" * 900_000] * 10], str))) == 10
    assert max(bodies) <= MAX_BODY_BYTES


def test_endless_input_is_read_only_as_far_as_it_is_answered() -> None:
    read = 0

    def endless() -> Iterator[list[str]]:
        nonlocal read
        while True:
            read += 1
            yield ["a film"]

    answers = predict_each(Client(echo, 8, threads=2), endless(), str)
    for _ in range(10):
        next(answers)
    assert read <= 10 + 3
    answers.close()  # type: ignore[attr-defined]  # a generator, which ends its threads


def test_two_batches_are_asked_at_the_same_time_where_the_asker_takes_them() -> None:
    both = threading.Barrier(2, timeout=SECONDS)

    def ask(texts: Sequence[str]) -> list[dict[str, Any]]:
        both.wait()
        return echo(texts)

    assert len(list(predict_each(Client(ask, 1, threads=2), [["a", "b"]], str))) == 2


@given(st.lists(st.sampled_from(["good", "refused", "faulty"]), max_size=30), st.integers(1, 8))
def test_what_cannot_be_answered_is_told_in_its_place_and_the_rest_is_answered(texts: list[str], at_once: int) -> None:
    def ask(asked: Sequence[str]) -> list[dict[str, Any]]:
        assert "faulty" not in asked
        if "refused" in asked:
            raise RefusedError("It is refused.", reason="too_long")
        return echo(asked)

    def fault_of(text: str) -> dict[str, Any] | None:
        return failed("faulty", "It is faulty.") if text == "faulty" else None

    said = {
        "good": {"echo": "good"},
        "refused": {"error": {"code": "too_long", "message": "It is refused."}},
        "faulty": {"error": {"code": "faulty", "message": "It is faulty."}},
    }
    answers = predict_each(Client(ask, at_once, threads=2), [texts], str, fault_of)
    assert list(answers) == [(text, said[text]) for text in texts]


def test_what_goes_wrong_comes_after_the_answers_before_it() -> None:
    def ask(texts: Sequence[str]) -> list[dict[str, Any]]:
        if "bad" in texts:
            raise ValueError("bad")
        return echo(texts)

    answers = predict_each(Client(ask, 1), [["good", "bad", "good"]], str)
    assert next(answers)[0] == "good"
    with pytest.raises(ValueError, match="bad"):
        next(answers)


@given(st.lists(st.integers(), max_size=30), st.integers(1, 7))
def test_windows_hold_everything_once_in_order(items: list[int], size: int) -> None:
    found = list(windows(items, size))
    assert [item for window in found for item in window] == items
    assert all(len(window) == size for window in found[:-1])


def test_items_before_one_that_cannot_be_read_are_answered_first() -> None:
    def items() -> Iterator[str]:
        yield from ["a", "b", "c"]
        raise ValueError("bad")

    answers = predict_each(Client(echo, 2, threads=2), windows(items(), 2), str)
    assert [next(answers)[0] for _ in range(3)] == ["a", "b", "c"]
    with pytest.raises(ValueError, match="bad"):
        next(answers)


@given(st.lists(st.text(st.characters(blacklist_characters="\r\n", codec="utf-8"))), st.integers(1, 5))
def test_all_lines_come_in_order(lines: list[str], most: int) -> None:
    steps = list(lines_as_they_come(io.BytesIO("".join(f"{line}\n" for line in lines).encode()), most))
    assert [line for step in steps for line in step] == lines
    assert all(len(step) <= most for step in steps)


def test_invalid_utf8_is_read_all_the_same() -> None:
    assert next(lines_as_they_come(io.BytesIO(b"so \xff good\r\n"), 9)) == ["so \ufffd good"]


def test_a_line_is_answered_before_the_next_one_is_written() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as stream, os.fdopen(write_end, "wb", buffering=0) as producer:
        steps = lines_as_they_come(stream, 100)
        answers = predict_each(Client(echo, 8, threads=2), steps, str)
        for number in range(3):
            producer.write(b"line %d\n" % number)
            assert next(answers)[0] == f"line {number}"
        producer.close()
        assert list(answers) == []


def test_a_stream_that_cannot_be_read_is_told() -> None:
    class Broken(io.RawIOBase):
        def readline(self, size: int | None = -1, /) -> bytes:
            raise OSError("gone")

    with pytest.raises(DataError, match="stdin cannot be read: gone"):
        list(lines_as_they_come(Broken(), 9))  # type: ignore[arg-type]  # all that is used of it is there


def test_a_line_too_long_for_a_review_is_an_error_in_its_place() -> None:
    long = b"x" * (MAX_REVIEW_BYTES + 2_000_000)
    steps = lines_as_they_come(io.BytesIO(b"good\n" + long + b"\nbad\n"), 9)
    first, second, third = (line for step in steps for line in step)
    assert (first, third) == ("good", "bad")
    assert "line 2 of stdin is longer than 16 MiB" in str(second)


def test_a_line_without_an_end_ends_the_input_after_those_before_it() -> None:
    class Endless(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            return super().readline(size) or b"x" * (size or 0)

    steps = lines_as_they_come(Endless(b"good\n"), 1)
    assert next(steps) == ["good"]
    with pytest.raises(DataError, match="line 2 of stdin is longer than 256 MiB"):
        list(steps)
