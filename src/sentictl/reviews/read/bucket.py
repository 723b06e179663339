"""Reviews on S3: fetched into a folder of this machine, once for each version of an object."""

import hashlib
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sentictl.errors import DataError
from sentictl.reviews.read.source import ReportProgress

SCHEME = "s3://"
NOT_FOUND = ("404", "NoSuchKey", "NotFound", "NoSuchBucket")


class StoredFile(NamedTuple):
    """An object on S3.

    Attributes:
        key: its key in the bucket.
        path: what of the key follows the address that it was found under; its last part where the address names it.
        version: its ETag, which another content changes.
        size: in bytes.
    """

    key: str
    path: str
    version: str
    size: int


class Found(NamedTuple):
    """What an address on S3 names.

    Attributes:
        bucket: the bucket's name.
        name: what a person calls it: the last part of the address.
        is_folder: whether it is all that stands under the address, and not one object.
        files: the objects; at least one.
    """

    bucket: str
    name: str
    is_folder: bool
    files: Sequence[StoredFile]


def look_up(address: str, client: Any) -> Found:
    """Return what an address names: an object, or a folder of all that stand under it.

    Args:
        address: `s3://BUCKET/KEY`.
        client: boto3's for S3.

    Raises:
        DataError: the address is not of that form, or there is nothing.
    """
    bucket, _, key = address.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise DataError(f"{address} names no bucket.", "It is of the form s3://BUCKET/KEY.")
    files = _under(client, bucket, key, address)
    name = key.rstrip("/").rsplit("/", 1)[-1] or bucket
    return Found(bucket, name, files[0].key != key, files)


def fetch(address: str, folder: Path, client: Any, report: ReportProgress) -> Path:
    """Return the path here of what an address names; its last part is what the address ends with.

    Args:
        address: `s3://BUCKET/KEY`.
        folder: where to keep it.
        client: boto3's for S3.
        report: told how many bytes of how many have come.

    Raises:
        DataError: as `look_up`, or a key is not safe to fetch.
    """
    found = look_up(address, client)
    versions = [(file.key, file.version, file.size) for file in found.files]
    version = hashlib.sha256(repr([client.meta.endpoint_url, address, versions]).encode()).hexdigest()[:16]
    place = folder / "s3" / version
    total = sum(file.size for file in found.files)
    done = 0
    for file in found.files:
        path = _inside(place, f"{found.name}/{file.path}" if found.is_folder else file.path, file.key)
        if not path.is_file() or path.stat().st_size != file.size:
            path.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(found.bucket, file.key, str(path), Callback=_reporter(report, done, total))
        done += file.size
    return place / found.name


def _under(client: Any, bucket: str, key: str, address: str) -> list[StoredFile]:
    """The object of this key, or all in the folder of this name."""
    from botocore.exceptions import ClientError

    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
    try:
        objects = [
            StoredFile(item["Key"], _relative(key, item["Key"]), item["ETag"], item["Size"])
            for page in pages
            for item in page.get("Contents", [])
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_FOUND:
            raise
        objects = []
    objects = [item for item in objects if not item.key.endswith("/")]  # a folder, as the console makes it
    same = [item for item in objects if item.key == key]
    above = key if not key or key.endswith("/") else f"{key}/"
    found = same or [item for item in objects if item.key.startswith(above)]
    if not found:
        raise DataError(
            f"There is no {address} that this environment can see.",
            f"See what there is: aws s3 ls {shlex.quote(SCHEME + bucket)} --recursive. "
            "Or download it, and name its path on this machine.",
        )
    return found


def _relative(key: str, name: str) -> str:
    """The path of an object under the address, or its own last part where it is what the address names."""
    if name == key:
        return name.rsplit("/", 1)[-1]
    return name.removeprefix(key).lstrip("/")


def _inside(place: Path, relative: str, name: str) -> Path:
    if ".." in relative.split("/"):
        raise DataError(f"The object {name} is not safe to fetch: its key escapes its folder.", "Give it another key.")
    return place / relative


def _reporter(report: ReportProgress, before: int, total: int) -> Callable[[int], None]:
    done = before

    def add(count: int) -> None:
        nonlocal done
        done += count
        report("downloading", done, total)

    return add
