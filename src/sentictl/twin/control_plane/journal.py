"""The journal, which survives a restart: mutating calls and facts of the data plane, in order, as JSON lines.

`calls.jsonl` holds one entry a line; bodies over `INLINE_BYTES` are files named by their SHA-256 beside it. Nothing is
a pickle. Wherever the process is killed, at most the entry being written is lost: its half line is cut off when the
journal is opened again. On a full disk nothing is lost either: a call has its room before it is carried out, and facts
wait until there is some.
"""

import contextlib
import hashlib
import json
import logging
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
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
IN_ORDER = "in_order"  # the member of a call's entry that says that its time comes after those of all others with it
NEWEST = "newest"  # of the header: the newest time of such calls that were dropped
INLINE_BYTES = 4096
EXTRA_BYTES = 512  # for what only the answer to a call tells: an id
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

    Attributes:
        newest_dropped: the newest time of the calls that are made in order and were dropped, in seconds since the
            epoch; known once the entries were read.

    Raises:
        TwinError: the journal was written by another version, or is damaged before its last line.
    """

    def __init__(self, folder: Path) -> None:
        self._bodies = folder / "bodies"
        self._bodies.mkdir(parents=True, exist_ok=True)
        self._path = folder / "calls.jsonl"
        self._cut_half_line()
        self.newest_dropped = 0.0
        self._unwritten: list[tuple[dict[str, Any], bytes]] = []  # facts and their bodies, for which there is no room
        self._open()
        if self._end == 0:
            self._append({"format": FORMAT})

    @contextlib.contextmanager
    def room_for_call(
        self, request: Request, region: str, service: str, when: float, seed: str
    ) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """Keep room for a call that is carried out within the `with`.

        Args:
            when: seconds since the epoch.
            seed: under which moto carries it out.

        Yields:
            What writes it down, once it was carried out; it is given what a replay needs besides.

        Raises:
            OSError: there is no room, and it is not to be carried out.
        """
        sent = {name.lower(): value for name, value in request.headers.items()}
        headers = {name: value for name, value in sent.items() if _is_kept(name)}
        headers["authorization"] = authorization(service, region)
        query = "&".join(part for part in request.query.split("&") if part.partition("=")[0] not in SIGNING)
        call = {"method": request.method, "target": request.target, "query": query, "headers": headers}
        self._catch_up()
        entry = {"call": call | self._store(request.get_data()), "time": when, "seed": seed}
        self._write(b" " * (len(_line(entry)) + EXTRA_BYTES))
        try:
            yield lambda extra: self._append({**entry, **extra})
        finally:
            os.ftruncate(self._stream.fileno(), self._end)

    def record_fact(self, fact: str, body: bytes = b"", **data: Any) -> None:
        """Write down something the data plane did by itself, such as a training job's end; later on a full disk."""
        self._unwritten.append(({"fact": fact, "data": data}, body))
        try:
            self._catch_up()
        except OSError as problem:
            logger.warning("%s is not written down yet: %s", fact, problem.strerror)

    def compact(self) -> None:
        """Drop what no replay needs any more: see `compaction` and `lifetimes`. A kill loses nothing."""
        entries = list(self.entries())
        gone = spared(entries, self.body_of) | ended(entries, self.body_of)
        if gone:
            dropped = (entries[position] for position in gone)
            times = (entry["time"] for entry in dropped if entry.get(IN_ORDER))
            self.newest_dropped = max([self.newest_dropped, *times])
            _, *lines = (line for _, line in self._lines())
            kept = [line for position, line in enumerate(lines) if position not in gone]
            self._stream.close()
            header = _line({"format": FORMAT, NEWEST: self.newest_dropped})
            write_atomically(self._path, b"".join([header, *kept]))
            self._open()
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
                self._read_header(entry)
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

    def _read_header(self, header: Any) -> None:
        newest = header.get(NEWEST, 0.0) if isinstance(header, dict) and header.get("format") == FORMAT else None
        if not isinstance(newest, int | float):
            raise self._of_another_version()
        self.newest_dropped = newest

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
        with contextlib.suppress(OSError):  # there is no room to the end
            self._catch_up()
        self._stream.close()

    def _open(self) -> None:
        self._stream = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)
        self._end = os.fstat(self._stream.fileno()).st_size  # of the last entry; after it may come room for a call

    def _catch_up(self) -> None:
        """Write the facts for which there was no room.

        Raises:
            OSError: there still is none for one of them.
        """
        while self._unwritten:
            entry, body = self._unwritten[0]
            self._append(entry | self._store(body))
            self._unwritten.pop(0)

    def _append(self, entry: dict[str, Any]) -> None:
        """Write an entry, or, on a disk that is full, nothing of it."""
        line = _line(entry)
        self._write(line)
        self._end += len(line)

    def _write(self, content: bytes) -> None:
        """Write after the last entry; where that fails, nothing is left of it."""
        written = 0
        try:
            while written < len(content):
                written += os.pwrite(self._stream.fileno(), content[written:], self._end + written)
        except OSError:
            os.ftruncate(self._stream.fileno(), self._end)
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


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


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
