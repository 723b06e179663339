"""A large file from the web, once for all projects: resumable, and checked before anybody sees it."""

import errno
import hashlib
import http.client
import re
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sentictl.aws.web import opener_for
from sentictl.errors import DataError
from sentictl.reviews.read.source import ReportProgress

CHUNK_BYTES = 256 * 1024
TIMEOUT_SECONDS = 30
BY_HAND = "Or download it yourself, and pass it: sentictl data --source PATH"


class RemoteFile(NamedTuple):
    """A file on the web, and the md5 its publisher gives (against damage, not against forgery)."""

    url: str
    md5: str


class _CutOffError(Exception):
    """The connection ended before the file did."""


def download(remote: RemoteFile, folder: Path, report: ReportProgress) -> Path:
    """The file's path in the folder; fetched if it is not there yet.

    What arrives is kept in a `.part` file, from which the next attempt goes on: at once if the connection is cut
    after some progress, else when this is called again.

    Args:
        remote: what to fetch; the last part of its address is the file's name.
        folder: where to keep it; made if it is not there.
        report: told the bytes so far and in all.

    Raises:
        DataError: the server cannot be reached or refuses, the disk is full, or the content has another md5.
        AwsError: the certificates that a variable names cannot be read.
    """
    target = folder / remote.url.rsplit("/", 1)[-1]
    if target.exists():
        return target
    part = folder / f"{target.name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fetch(remote.url, part, report)
        _check_md5(part, remote)
        part.replace(target)
    except (OSError, http.client.HTTPException) as error:
        raise _failed(remote.url, folder, error) from error
    return target


def _fetch(url: str, part: Path, report: ReportProgress) -> None:
    while True:
        before = _size(part)
        try:
            _fetch_rest(url, part, report)
        except _CutOffError as cut:
            if _size(part) > before:
                continue
            raise DataError(
                f"The connection to {url} keeps being cut: {cut}.",
                f"Run the command again to go on from there. {BY_HAND}",
            ) from cut
        return


def _fetch_rest(url: str, part: Path, report: ReportProgress) -> None:
    """One request for what `part` lacks; a server that does not know ranges sends all, and `part` starts again."""
    start = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})  # noqa: S310 (constant)
    try:
        with opener_for(url).open(request, timeout=TIMEOUT_SECONDS) as response:
            if response.status != HTTPStatus.PARTIAL_CONTENT or _range_start(response) != start:
                start = 0
            with part.open("r+b" if start else "wb") as file:
                file.seek(start)
                _copy(response, file, start, report)
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not start:
            raise
        if error.headers.get("Content-Range") != f"bytes */{start}":  # else all of it is there already
            part.unlink()
            _fetch_rest(url, part, report)


def _copy(response: http.client.HTTPResponse, file: BinaryIO, start: int, report: ReportProgress) -> None:
    total = start + response.length if response.length is not None else None
    done = start
    while True:
        try:
            chunk = response.read(CHUNK_BYTES)
        except (http.client.IncompleteRead, ConnectionError, TimeoutError) as error:
            raise _CutOffError(f"{error} after {done:,} bytes") from error
        if not chunk:
            break
        file.write(chunk)
        done += len(chunk)
        report("downloading", done, total)
    if total is not None and done < total:
        raise _CutOffError(f"{done:,} of {total:,} bytes came")


def _range_start(response: http.client.HTTPResponse) -> int | None:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _check_md5(part: Path, remote: RemoteFile) -> None:
    with part.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != remote.md5:
        part.unlink()
        raise DataError(
            f"{remote.url} came with md5 {found} where {remote.md5} is right; the file was removed.",
            f"Run the command again. {BY_HAND}",
        )


def _failed(url: str, folder: Path, error: OSError | http.client.HTTPException) -> DataError:
    if isinstance(error, urllib.error.HTTPError):
        return DataError(f"{url} answers {error.code} {error.reason}.", f"Try again later. {BY_HAND}")
    if isinstance(error, http.client.HTTPException):
        return DataError(f"{url} does not answer as a web server does: {error!r}.", f"Try again later. {BY_HAND}")
    if isinstance(error, urllib.error.URLError | ConnectionError | TimeoutError):
        reason = getattr(error, "reason", error)
        return DataError(
            f"{url} cannot be reached: {reason}.",
            f"Check the internet connection, and run the command again. {BY_HAND}",
        )
    if error.errno == errno.ENOSPC:
        return DataError(f"The disk of {folder} is full.", "Make room, and run the command again to go on.")
    return DataError(f"{folder} cannot be written: {error.strerror or error}.", "Check its permissions.")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
