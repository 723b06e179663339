"""The journal, which survives a restart: mutating calls and facts of the data plane, in order, as JSON lines.

`calls.jsonl` holds one entry a line; bodies over `INLINE_BYTES` are files named by their SHA-256 beside it. Nothing is
a pickle. Wherever the process is killed, at most the entry being written is lost: its half line is cut off when the
journal is opened again.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sentictl.assets.atomic import write_atomically
from sentictl.errors import TwinError
from sentictl.twin.core.compaction import spared
from sentictl.twin.core.messages import Request, authorization

FORMAT = 1
# What signs a presigned URL (Signature Versions 4 and 2), which no replay needs.
SIGNING = (
    *("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"),
    *("X-Amz-Security-Token", "AWSAccessKeyId", "Signature", "Expires"),
)
INLINE_BYTES = 4096
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
        self._stream = self._path.open("ab")
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
        """Drop what no replay needs any more: see `compaction`."""
        entries = list(self.entries())
        gone = spared(entries, self.body_of)
        if gone:
            header, *lines = self._path.read_bytes().splitlines(keepends=True)
            kept = [line for position, line in enumerate(lines) if position not in gone]
            self._stream.close()
            write_atomically(self._path, b"".join([header, *kept]))
            self._stream = self._path.open("ab")
        stored = (entry.get("call", entry) for position, entry in enumerate(entries) if position not in gone)
        needed = {entry.get("sha256") for entry in stored}
        for path in self._bodies.iterdir():
            if path.name not in needed:
                path.unlink()

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield all entries, oldest first, without the header line."""
        lines = self._path.read_bytes().splitlines()
        for number, line in enumerate(lines, start=1):
            try:
                entry = json.loads(line)
            except ValueError as error:
                raise self._damaged(f"line {number} is not JSON") from error
            if number == 1 and entry.get("format") != FORMAT:
                raise self._damaged("it was written by another version of sentictl")
            if number > 1:
                yield entry

    def request_of(self, entry: dict[str, Any]) -> Request:
        """Return the request of a call entry, as it was."""
        call = entry["call"]
        return Request.make(call["method"], call["target"], call["query"], call["headers"], self.body_of(call))

    def body_of(self, entry: dict[str, Any]) -> bytes:
        """Return the body stored with a fact or a call."""
        if "sha256" in entry:
            path = self._bodies / str(entry["sha256"])
            try:
                return path.read_bytes()
            except FileNotFoundError as error:
                raise self._damaged(f"{path.name} is missing from {path.parent.name}") from error
        return str(entry["body"]).encode("latin-1")

    def close(self) -> None:
        self._stream.close()

    def _append(self, entry: dict[str, Any]) -> None:
        self._stream.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        self._stream.flush()

    def _store(self, body: bytes) -> dict[str, str]:
        if len(body) <= INLINE_BYTES:
            return {"body": body.decode("latin-1")}  # every byte is one character, and comes back as that byte
        digest = hashlib.sha256(body).hexdigest()
        path = self._bodies / digest
        if not path.exists():
            temporary = path.with_suffix(".new")
            temporary.write_bytes(body)
            temporary.replace(path)
        return {"sha256": digest}

    def _cut_half_line(self) -> None:
        if not self._path.exists():
            return
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self._path, whole)

    def _damaged(self, why: str) -> TwinError:
        return TwinError(
            f"The local twin cannot use {self._path}: {why}.",
            f"Delete {self._path.parent}: the twin is then empty, and `sentictl up` makes everything again.",
        )


def _is_kept(name: str) -> bool:
    if name == "x-amz-security-token":
        return False
    return name in KEPT_HEADERS or name.startswith(("x-amz-", "if-"))
