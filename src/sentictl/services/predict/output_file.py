"""Answers in a file, written so that a kill at any moment leaves whole answers, and a later run can go on.

`.jsonl` holds one JSON object a line, `.csv` a header and one row an answer. Both have the fields of the input's row
and then those of the prediction.
"""

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from sentictl.errors import DataError, UsageError
from sentictl.reviews.read.source import MAX_REVIEW_BYTES, lines_of

MAX_ANSWER_BYTES = 4 * MAX_REVIEW_BYTES  # a review, written as JSON, and its explanation

Answer = dict[str, Any]

_WRITER = json.JSONEncoder(ensure_ascii=False, default=str)  # times and decimals of a Parquet file's other columns


class AnswerFile(ABC):
    """A file that answers are appended to. It is made with the first of them, or at the end if there were none.

    Args:
        path: the file.

    Attributes:
        answered: how many whole answers it holds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answered = 0
        self._stream: io.FileIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream:
            self._stream.close()
        elif kind is None:
            self.path.touch()

    def answers(self) -> Iterator[Answer]:
        """The whole answers that the file holds from an earlier run; half an answer at its end is cut off.

        Raises:
            DataError: the file holds something else.
        """
        if not self.path.exists():
            return
        end = 0
        with self.path.open("rb") as stream:
            for answer, position in self._read(stream):
                end = position
                if answer is not None:
                    self.answered += 1
                    yield answer
        with self.path.open("r+b") as stream:
            stream.truncate(end)

    def write(self, answer: Answer) -> None:
        """Append an answer; once this returns it outlasts a kill of this program.

        Raises:
            DataError: it has other fields than those before it, or cannot be written.
        """
        left = self._row(answer)
        try:
            if self._stream is None:
                self._stream = self.path.open("ab", buffering=0)
            while left:
                left = left[self._stream.write(left) :]
        except OSError as problem:
            raise DataError(
                f"{self.path} cannot be written: {problem.strerror}.", "Make room, or choose another --output."
            ) from None
        self.answered += 1

    @abstractmethod
    def _read(self, stream: BinaryIO) -> Iterator[tuple[Answer | None, int]]:
        """Each whole answer, or None for a header, with the position of its end."""

    @abstractmethod
    def _row(self, answer: Answer) -> bytes:
        """An answer as it is appended."""

    def _foreign(self, why: str) -> DataError:
        return DataError(f"{self.path} holds something other than predictions: {why}.", "Choose another --output.")


class JsonLines(AnswerFile):
    """One JSON object a line."""

    def _read(self, stream: BinaryIO) -> Iterator[tuple[Answer | None, int]]:
        end = 0
        for line in lines_of(stream, self.path.name, MAX_ANSWER_BYTES):
            if not line.endswith(b"\n"):
                return
            try:
                answer = json.loads(line)
            except (ValueError, RecursionError) as problem:
                raise self._foreign(f"{problem} in line {self.answered + 1}") from None
            if not isinstance(answer, dict):
                raise self._foreign(f"line {self.answered + 1} is not an object")
            end += len(line)
            yield answer, end

    def _row(self, answer: Answer) -> bytes:
        return _WRITER.encode(answer).encode(errors="replace") + b"\n"


class Csv(AnswerFile):
    """A table; what is a list or an object stands in its field as JSON."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._header: list[str] = []

    def _read(self, stream: BinaryIO) -> Iterator[tuple[Answer | None, int]]:
        lines = _Lines(lines_of(stream, self.path.name, MAX_ANSWER_BYTES))
        csv.field_size_limit(MAX_ANSWER_BYTES)
        reader = csv.reader(lines, strict=True)
        try:
            for row in reader:
                if not lines.whole:
                    return
                if self._header and len(row) != len(self._header):
                    raise self._foreign(f"line {reader.line_num} has {len(row)} fields, not {len(self._header)}")
                answer = dict(zip(self._header, row, strict=True)) if self._header else None
                self._header = self._header or row
                yield answer, lines.position
        except csv.Error as problem:
            if not lines.ended:  # at the end it is half an answer
                raise self._foreign(f"{problem} in line {reader.line_num}") from None

    def _row(self, answer: Answer) -> bytes:
        rows: list[list[Any]] = []
        if not self._header:
            self._header = list(answer)
            rows.append(self._header)
        if set(answer) != set(self._header):
            odd = ", ".join(sorted(set(answer) ^ set(self._header)))
            raise DataError(
                f"Review {self.answered + 1:,} has other fields than the first: {odd}.", "Write them as .jsonl instead."
            )
        rows.append([cell(answer[name]) for name in self._header])
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        return text.getvalue().encode(errors="replace")


FORMS: Mapping[str, type[AnswerFile]] = {".jsonl": JsonLines, ".csv": Csv}


def open_answers(path: Path, *, resume: bool) -> AnswerFile:
    """The file to write answers to.

    Args:
        path: its name says the form: `.jsonl` or `.csv`.
        resume: whether answers that it holds are to be kept and continued; it need not be there.

    Raises:
        UsageError: the form is not known, there is no such folder, or the file is there and `resume` is false.
    """
    if path.suffix.lower() not in FORMS:
        raise UsageError(f"{path} is of no known form.", f"Its name should end in {' or '.join(FORMS)}.")
    if not path.resolve().parent.is_dir():
        raise UsageError(f"There is no folder {path.resolve().parent}.", "Make it, or choose another --output.")
    if path.exists() and not resume:
        raise UsageError(
            f"{path} is there already, and is not overwritten.",
            "Go on where it ends with --resume, remove it, or choose another --output.",
        )
    return FORMS[path.suffix.lower()](path)


def cell(value: object) -> str:
    """A value as a field of a table holds it: nothing for JSON's null, and lists and objects as JSON."""
    if value is None:
        return ""
    return _WRITER.encode(value) if isinstance(value, dict | list | tuple) else str(value)


class _Lines:
    """Lines, decoded, and how many bytes they had."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.position = 0
        self.whole = True
        self.ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = next(self._lines, b"")
        if not line:
            self.ended = True
            raise StopIteration
        self.position += len(line)
        self.whole = line.endswith(b"\n")
        return line.decode(errors="replace")
