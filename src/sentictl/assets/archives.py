"""Archives that come out byte for byte the same for the same files, whoever packs them and when."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a ZIP archive can hold


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar archive of files, by their path inside it: sorted, without dates or owners."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name]))
    return packed.getvalue()


def zip_stored(files: Mapping[str, bytes]) -> bytes:
    """A ZIP archive of files, by their path inside it: sorted, one date, not compressed (compressors differ)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, EPOCH)
            member.external_attr = 0o644 << 16  # readable for the Lambda runtime's user
            archive.writestr(member, files[name])
    return packed.getvalue()
