"""Reviews on S3: fetched into a folder of this machine, once for each version of an object."""

import hashlib
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sentictl.errors import DataError
from sentictl.reviews.read.source import ReportProgress

SCHEME = "s3://"
NOT_FOUND = ("404", "NoSuchKey", "NotFound", "NoSuchBucket")


def fetch(address: str, folder: Path, client: Any, report: ReportProgress) -> Path:
    """Return the path here of what an address names: an object, or a folder of all that stand under it.

    Args:
        address: `s3://BUCKET/KEY`.
        folder: where to keep it.
        client: boto3's for S3.
        report: told how many bytes of how many have come.

    Raises:
        DataError: the address is not of that form, or there is nothing.
    """
    bucket, _, key = address.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise DataError(f"{address} names no bucket.", "It is of the form s3://BUCKET/KEY.")
    found = _under(client, bucket, key, address)
    version = hashlib.sha256(repr([client.meta.endpoint_url, address, found]).encode()).hexdigest()[:16]
    place = folder / "s3" / version
    total = sum(size for _, _, size in found)
    done = 0
    for name, _, size in found:
        path = _inside(place, _relative(key, name), name)
        if not path.is_file() or path.stat().st_size != size:
            path.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, name, str(path), Callback=_reporter(report, done, total))
        done += size
    return place / _relative(key, found[0][0]) if found[0][0] == key else place


def _under(client: Any, bucket: str, key: str, address: str) -> list[tuple[str, str, int]]:
    """Key, version (ETag) and size of the object of this key, or of all in the folder of this name."""
    from botocore.exceptions import ClientError

    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
    try:
        objects = [(item["Key"], item["ETag"], item["Size"]) for page in pages for item in page.get("Contents", [])]
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_FOUND:
            raise
        objects = []
    objects = [item for item in objects if not item[0].endswith("/")]  # a folder, as the console makes it
    same = [item for item in objects if item[0] == key]
    above = key if not key or key.endswith("/") else f"{key}/"
    found = same or [item for item in objects if item[0].startswith(above)]
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
