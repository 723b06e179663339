"""S3 objects as the data plane reads and writes them."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from sentictl.assets.archives import ArchiveError, unpack_tar_gz
from sentictl.twin.control_plane.control_plane import REGION, ControlPlane
from sentictl.twin.core.messages import Request, authorization
from sentictl.twin.iam.roles import AssumedRole


class ObjectMissingError(Exception):
    """There is no such bucket or object."""


class BadArchiveError(Exception):
    """An object is not the archive that it should be."""


class Objects:
    """The objects in the twin's S3, as anybody reaches them or one role does.

    Methods raise AccessDeniedError where that role does not allow what they do.
    """

    def __init__(self, control: ControlPlane, role: AssumedRole | None = None) -> None:
        self._control = control
        self._role = role

    def acting_as(self, role: AssumedRole) -> "Objects":
        """Return the same objects, as `role` reaches them."""
        return Objects(self._control, role)

    def read(self, uri: str) -> bytes:
        """Return the content of `s3://bucket/key`.

        Raises:
            ObjectMissingError: with the URI.
        """
        bucket, key = split_uri(uri)
        self._demand("s3:GetObject", f"{bucket}/{key}")
        with self._control.lock:
            backend = self._control.backend("s3")
            found = backend.get_object(bucket, key) if bucket in backend.buckets else None
            if found is None:
                raise ObjectMissingError(uri)
            content: bytes = found.value
            return content

    def extract(self, uri: str, folder: Path) -> None:
        """Unpack the `tar.gz` at `uri` into `folder`; links and paths that lead out of it are refused.

        Raises:
            ObjectMissingError: there is nothing at `uri`.
            BadArchiveError: it cannot be unpacked, or holds too much.
        """
        content = self.read(uri)
        try:
            unpack_tar_gz(io.BytesIO(content), folder)
        except ArchiveError as error:
            raise BadArchiveError(f"{uri}: {error}") from error

    def download(self, prefix: str, folder: Path, place: int = 0, places: int = 1) -> int:
        """Write the objects under an `s3://bucket/prefix` into `folder`, as SageMaker's S3Prefix does.

        Args:
            prefix: where they are.
            folder: where to.
            place: which of the places among which they are dealt this is, from 0.
            places: how many there are; with one, it gets them all.

        Returns:
            how many were written.
        """
        bucket, start = split_uri(prefix)
        keys = self._keys(bucket, start)[place::places]
        for key in keys:
            path = folder / (key[len(start) :].lstrip("/") or Path(key).name)
            if not path.resolve().is_relative_to(folder.resolve()):
                raise BadArchiveError(f"s3://{bucket}/{key} leads out of its folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.read(f"s3://{bucket}/{key}"))
        return len(keys)

    def under(self, prefix: str) -> list[str]:
        """Return the address of every object under an `s3://bucket/prefix`, by key."""
        bucket, start = split_uri(prefix)
        return [f"s3://{bucket}/{key}" for key in self._keys(bucket, start)]

    def write(self, uri: str, content: bytes) -> None:
        """Store an object, as any client would: it is journalled.

        Raises:
            ObjectMissingError: there is no such bucket.
        """
        bucket, key = split_uri(uri)
        self._demand("s3:PutObject", f"{bucket}/{key}")
        headers = {"authorization": authorization("s3", REGION), "content-type": "application/octet-stream"}
        request = Request.make("PUT", f"/{bucket}/{quote(key)}", headers=headers, body=content)
        if not self._control.handle(request).ok:
            raise ObjectMissingError(uri)

    def _demand(self, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        if self._role:
            self._role.demand(action, f"arn:aws:s3:::{resource}", context)

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        self._demand("s3:ListBucket", bucket, {"s3:prefix": prefix})
        with self._control.lock:
            backend = self._control.backend("s3")
            if bucket not in backend.buckets:
                return []
            found = [key for key in list(backend.buckets[bucket].keys) if key.startswith(prefix)]
            # Folder markers carry no data; a deleted object of a versioned bucket is still listed by the store.
            return sorted(k for k in found if not k.endswith("/") and backend.get_object(bucket, k))


def split_uri(uri: str) -> tuple[str, str]:
    """Return the bucket and the key of `s3://bucket/key`."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def pack(folder: Path) -> bytes:
    """Return a gzipped tar of `folder`; the same files give the same bytes (sorted, no times, no owners)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=6) as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, arcname=str(path.relative_to(folder)), recursive=False, filter=_anonymous)
    content = bytearray(buffer.getvalue())
    content[4:8] = bytes(4)  # gzip's own time stamp (RFC 1952, MTIME)
    return bytes(content)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
