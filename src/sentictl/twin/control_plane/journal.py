"""The journal, which survives a restart: mutating calls and facts of the data plane, in order, as JSON lines.

`calls.jsonl` holds one entry a line; bodies over `INLINE_BYTES` are files named by their SHA-256 beside it. Nothing is
a pickle. Wherever the process is killed, at most the entry being written is lost: its half line is cut off when the
journal is opened again.
"""

import hashlib
import json
import logging
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sentictl.assets.atomic import write_atomically
from sentictl.errors import TwinError
from sentictl.twin.control_plane.compaction import spared
from sentictl.twin.control_plane.lifetimes import ended
from sentictl.twin.core.messages import Request, authorization

logger = logging.getLogger("sentictl.twin")

FORMAT = 1
# What signs a presigned URL (Signature Versions 4 and 2), which no replay needs.
SIGNING = (
    *("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"),
    *("X-Amz-Security-Token", "AWSAccessKeyId", "Signature", "Expires"),
)
FIRST_LINE = 2  # of the entries: the first line is the header
INLINE_BYTES = 4096
LONGEST_LINE = 16 * 1024 * 1024  # bodies that are long are files; the longest facts are a job's metrics
# The members of entries, and of what kind they are.
FACT: dict[str, Any] = {"fact": str, "data": dict}
ENTRY: dict[str, Any] = {"call": dict, "time": (int, float), "seed": str}
CALL: dict[str, Any] = {"method": str, "target": str, "query": str, "headers": dict}
# What a replay needs of the headers. Signatures, tokens and cookies are never written to disk.
KEPT_HEADERS = (
    "content-type",
    "content-encoding",
    "content-disposition",
    "content-language",
    "cache-control",
    "expires",
    "smithy-protocol",
)


class Journal:
    """An append-only file under `folder`.

    Raises:
        TwinError: the journal was written by another version, or is damaged before its last line.
    """

    def __init__(self, folder: Path) -> None:
        self._bodies = folder / "bodies"
        self._bodies.mkdir(parents=True, exist_ok=True)
        self._path = folder / "calls.jsonl"
        self._cut_half_line()
        self._stream = self._path.open("ab", buffering=0)
        if self._path.stat().st_size == 0:
            self._append({"format": FORMAT})

    def record_call(self, request: Request, region: str, service: str, when: float, **extra: Any) -> None:
        """Write down a call that moto carried out at `when`. `extra` is what its replay needs besides (the seed)."""
        sent = {name.lower(): value for name, value in request.headers.items()}
        headers = {name: value for name, value in sent.items() if _is_kept(name)}
        headers["authorization"] = authorization(service, region)
        query = "&".join(part for part in request.query.split("&") if part.partition("=")[0] not in SIGNING)
        call = {"method": request.method, "target": request.target, "query": query, "headers": headers}
        self._append({"call": call | self._store(request.get_data()), "time": when, **extra})

    def record_fact(self, fact: str, body: bytes = b"", **data: Any) -> None:
        """Write down something the data plane did by itself, such as a training job's end."""
        self._append({"fact": fact, "data": data} | self._store(body))

    def compact(self) -> None:
        """Drop what no replay needs any more: see `compaction` and `lifetimes`. A kill loses nothing."""
        entries = list(self.entries())
        gone = spared(entries, self.body_of) | ended(entries, self.body_of)
        if gone:
            header, *lines = (line for _, line in self._lines())
            kept = [line for position, line in enumerate(lines) if position not in gone]
            self._stream.close()
            write_atomically(self._path, b"".join([header, *kept]))
            self._stream = self._path.open("ab", buffering=0)
        stored = (entry.get("call", entry) for position, entry in enumerate(entries) if position not in gone)
        needed = {entry.get("sha256") for entry in stored}
        for path in self._bodies.iterdir():
            if path.name not in needed:
                path.unlink()

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield all entries, oldest first, without the header line: the first one stands in line `FIRST_LINE`.

        Raises:
            TwinError: the journal was written by another version, or a line of it is no entry.
        """
        bodies = {path.name for path in self._bodies.iterdir()}
        for number, line in self._lines():
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                raise self.damaged(number, "is not JSON") from None
            if number < FIRST_LINE:
                if not isinstance(entry, dict) or entry.get("format") != FORMAT:
                    raise self._of_another_version()
                continue
            lacking = _lacking(entry)
            if lacking:
                raise self.damaged(number, f"lacks {lacking}, or has it in another form")
            stored = entry.get("call", entry)
            if "sha256" in stored and stored["sha256"] not in bodies:
                raise self.damaged(number, f"needs {stored['sha256']}, which is missing from {self._bodies.name}")
            yield entry

    def damaged(self, number: int, why: str) -> TwinError:
        """Return the error that a line cannot be used."""
        path, folder = shlex.quote(str(self._path)), shlex.quote(str(self._path.parent))
        return TwinError(
            f"The local twin cannot use its journal: line {number} of {self._path} {why}.",
            f"Take that line out, and lose what it did: sed -i.bak {number}d {path} Or begin with an empty twin, "
            f"in which `sentictl up` makes everything again: rm -r {folder}",
        )

    def _of_another_version(self) -> TwinError:
        return TwinError(
            f"The local twin cannot use its journal: another version of sentictl wrote {self._path}, or it is damaged.",
            "Begin with an empty twin, in which `sentictl up` makes everything again: "
            f"rm -r {shlex.quote(str(self._path.parent))}",
        )

    def request_of(self, entry: dict[str, Any]) -> Request:
        """Return the request of a call entry, as it was."""
        call = entry["call"]
        return Request.make(call["method"], call["target"], call["query"], call["headers"], self.body_of(call))

    def body_of(self, entry: dict[str, Any]) -> bytes:
        """Return the body stored with a fact or a call."""
        if "sha256" in entry:
            return (self._bodies / str(entry["sha256"])).read_bytes()
        return str(entry["body"]).encode("latin-1", "replace")

    def close(self) -> None:
        self._stream.close()

    def _append(self, entry: dict[str, Any]) -> None:
        """Write an entry, or, on a disk that is full, nothing of it."""
        left = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        before = os.fstat(self._stream.fileno()).st_size
        try:
            while left:
                left = left[self._stream.write(left) :]
        except OSError:
            os.truncate(self._path, before)
            raise

    def _store(self, body: bytes) -> dict[str, str]:
        if len(body) <= INLINE_BYTES:
            return {"body": body.decode("latin-1")}  # every byte is one character, and comes back as that byte
        digest = hashlib.sha256(body).hexdigest()
        path = self._bodies / digest
        if not path.exists():
            temporary = path.with_suffix(".new")
            try:
                temporary.write_bytes(body)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
            temporary.replace(path)
        return {"sha256": digest}

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Each line and its number."""
        with self._path.open("rb") as stream:
            number = 0
            while line := stream.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise self.damaged(number, f"is longer than {LONGEST_LINE // 1024**2} MiB, which no entry is")
                yield number, line

    def _cut_half_line(self) -> None:
        """Cut off the entry that was being written when the twin was killed: its call was not answered yet."""
        if not self._path.exists():
            return
        with self._path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - LONGEST_LINE))
            half = len(stream.read().rpartition(b"\n")[2])
        if 0 < half < LONGEST_LINE:  # one that is longer is refused when it is read
            os.truncate(self._path, size - half)
            logger.warning("cut off the last line of %s: the twin was ended while it wrote it", self._path)


def _lacking(entry: Any) -> str:
    """The name of what an entry lacks or has in another form; empty where it has everything."""
    if not isinstance(entry, dict):
        return "the form of an object"
    if "fact" in entry:
        return _missing(entry, FACT | _body(entry))
    lacking = _missing(entry, ENTRY)
    call = entry.get("call", {})
    return (
        lacking or _missing(call, CALL | _body(call)) or _missing(call["headers"], dict.fromkeys(call["headers"], str))
    )


def _missing(table: Mapping[str, Any], kinds: Mapping[str, Any]) -> str:
    return next((name for name, kind in kinds.items() if not isinstance(table.get(name), kind)), "")


def _body(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {"sha256" if "sha256" in stored else "body": str}


def _is_kept(name: str) -> bool:
    if name == "x-amz-security-token":
        return False
    return name in KEPT_HEADERS or name.startswith(("x-amz-", "if-"))
