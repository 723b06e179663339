"""What of an input object goes into one request, and what becomes of the answers: AWS's rules of Batch Transform.

"Batch Transform" and "Associate Prediction Results with Input Records" in SageMaker's developer guide, and botocore's
documentation of CreateTransformJob, which says what each parameter does.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

MB = 1024 * 1024
DEFAULT_PAYLOAD_MB = 6
JSON_TYPES = ("application/json", "application/jsonlines", "application/x-jsonlines")


class InputFailedError(Exception):
    """An input object gets no output; the message says why, as the job's data log does."""


@dataclass(frozen=True)
class Form:
    """How inputs become requests, and answers outputs.

    Args:
        split: whether each line is a record; otherwise an object is one.
        several: whether a request has as many records as fit into it; otherwise one.
        most: bytes of a request; 0 for any number.
        gzipped: whether the inputs are.
        lines: whether every answer ends with a line feed.
        joined: whether each answer is put beside its record.
    """

    split: bool
    several: bool
    most: int
    gzipped: bool
    lines: bool
    joined: bool

    @classmethod
    def of(cls, request: dict[str, Any]) -> Self:
        """Read it from the parameters of CreateTransformJob."""
        source, output = request["TransformInput"], request["TransformOutput"]
        payload_mb = request.get("MaxPayloadInMB")
        return cls(
            split=source.get("SplitType", "None") == "Line",
            several=request.get("BatchStrategy") == "MultiRecord",
            most=MB * (DEFAULT_PAYLOAD_MB if payload_mb is None else payload_mb),
            gzipped=source.get("CompressionType", "None") == "Gzip",
            lines=output.get("AssembleWith", "None") == "Line",
            joined=(request.get("DataProcessing") or {}).get("JoinSource", "None") == "Input",
        )

    def payloads(self, content: bytes) -> Iterator[list[bytes]]:
        """Yield the records of each request, in their order.

        Raises:
            InputFailedError: a record is larger than a request may be, or the object cannot be unpacked.
        """
        records: list[bytes] = []
        size = 0
        for record in self._records(content):
            if self.most and len(record) > self.most:
                limit = f"{self.most // MB} MB"
                raise InputFailedError(f"A record of {len(record)} bytes exceeds MaxPayloadInMB ({limit})")
            added = len(record) + 1
            if records and (not self.several or (self.most and size + added > self.most)):
                yield records
                records, size = [], 0
            records.append(record)
            size += added
        if records:
            yield records

    def assembled(self, records: Sequence[bytes], answer: bytes) -> bytes:
        """Return what the output object gets of an answer.

        Raises:
            InputFailedError: it is to be joined with its records, and is no JSON, or of another number.
        """
        told = b"\n".join(_joined(records, answer)) if self.joined else answer
        return told + b"\n" if self.lines else told

    def _records(self, content: bytes) -> Iterator[bytes]:
        if self.gzipped:
            try:
                content = gzip.decompress(content)
            except (OSError, EOFError, zlib.error) as error:
                raise InputFailedError(f"Cannot decompress: {error}") from error
        if not self.split:
            yield content
            return
        yield from (line for line in content.split(b"\n") if line)


def _joined(records: Sequence[bytes], answer: bytes) -> Iterator[bytes]:
    """Put each line of an answer into its record, under AWS's name."""
    answers = answer.rstrip(b"\n").split(b"\n")
    if len(answers) != len(records):
        raise InputFailedError(f"Fail to join data: mismatched number of lines: {len(records)} and {len(answers)}")
    for record, said in zip(records, answers, strict=True):
        try:
            document, told = json.loads(record), json.loads(said)
        except (ValueError, RecursionError) as error:
            raise InputFailedError(f"Fail to join data: not JSON: {error}") from error
        joined = {**(document if isinstance(document, dict) else {"SageMakerInput": document}), "SageMakerOutput": told}
        yield json.dumps(joined, ensure_ascii=False).encode()
