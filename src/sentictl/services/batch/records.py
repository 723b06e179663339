"""The reviews of an input as JSON Lines, and which sections of them go into one object on S3."""

import hashlib
import json
import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sentictl.services.predict.rows import InputRow, Prediction, failed

MB = 1024 * 1024
# An answer is no longer than this, so that all answers to a request are no larger than the request: AWS's PyTorch image
# sends no more than 6.5 MB (TorchServe's max_response_size).
LEAST_BYTES = 192
SECTION_BYTES = 8 * MB  # of an object, at most: what a machine that fails at one record loses
NAME = re.compile(r"(?P<first>\d{10})-(?P<last>\d{10})\.jsonl(\.out)?")


@dataclass(frozen=True, order=True)
class Section:
    """A section of records, in one object.

    Args:
        first: the number of its first record, from 0.
        end: the number behind its last.
    """

    first: int
    end: int

    @property
    def name(self) -> str:
        """The object's name, which tells what is in it."""
        return f"{self.first:010d}-{self.end - 1:010d}.jsonl"

    def __len__(self) -> int:
        return self.end - self.first

    @classmethod
    def named(cls, key: str) -> Self | None:
        """Return what an object holds, or the answers to; None where it is neither."""
        found = NAME.fullmatch(key.rpartition("/")[2])
        return cls(int(found["first"]), int(found["last"]) + 1) if found else None


@dataclass(frozen=True)
class BatchRecords:
    """The reviews that a model can be asked about, as JSON Lines in a file of this machine.

    Args:
        path: the file.
        ends: where each record ends in it, in bytes.
        rows: how many reviews the input has; those that nobody can be asked about are no records.
        digest: of all records.
    """

    path: Path
    ends: Sequence[int]
    rows: int
    digest: str

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def size(self) -> int:
        """The bytes of all of them."""
        return self.ends[-1] if self.ends else 0

    def content(self, section: Section) -> bytes:
        """Return the lines of a section."""
        begin = self.ends[section.first - 1] if section.first else 0
        with self.path.open("rb") as stream:
            stream.seek(begin)
            return stream.read(self.ends[section.end - 1] - begin)

    def unanswered(self, answered: Iterable[Section], instances: int) -> list[Section]:
        """Cut what is not answered into sections: at least as many as there are machines, of about the same size.

        Args:
            answered: the sections whose answers are there.
            instances: how many machines there are, each of which takes one section after the other.
        """
        gaps, begin = [], 0
        for section in [*sorted(answered), Section(len(self), len(self))]:
            if section.first > begin:
                gaps.append(Section(begin, section.first))
            begin = max(begin, section.end)
        missing = sum(self._size(gap) for gap in gaps)
        most = min(SECTION_BYTES, -(-missing // instances))
        return [section for gap in gaps for section in self._cut(gap, most)]

    def _cut(self, gap: Section, most: int) -> Iterable[Section]:
        first = gap.first
        for end in range(gap.first + 1, gap.end + 1):
            if end == gap.end or self._size(Section(first, end + 1)) > most:
                yield Section(first, end)
                first = end

    def _size(self, section: Section) -> int:
        return self.ends[section.end - 1] - (self.ends[section.first - 1] if section.first else 0)


def write_records(rows: Iterable[InputRow], path: Path, most_bytes: int) -> BatchRecords:
    """Write what a model can be asked about, one by one.

    Args:
        rows: the reviews of the input.
        path: the file to write.
        most_bytes: of a record.
    """
    ends, digest, count, position = array("Q"), hashlib.sha256(), 0, 0
    with path.open("wb") as stream:
        for row in rows:
            count += 1
            record = record_of(row, most_bytes)
            if isinstance(record, bytes):
                stream.write(record)
                digest.update(record)
                position += len(record)
                ends.append(position)
    return BatchRecords(path, ends, count, digest.hexdigest())


def record_of(row: InputRow, most_bytes: int) -> bytes | Prediction:
    """Return a review as a line of JSON, with its line feed; or what is said in place of its prediction.

    A short one is filled up to `LEAST_BYTES`.
    """
    if row.fault is not None:
        return row.fault
    record = json.dumps({"review": row.text}, ensure_ascii=False).encode()
    if len(record) > most_bytes:
        return failed(
            "review_too_long",
            f"{row.where}: the review takes {len(record):,} bytes, more than batch.max_payload_mb allows.",
        )
    return record[:-1].ljust(LEAST_BYTES - 1) + b"}\n"
