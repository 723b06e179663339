"""sentictl itself as a wheel, packed from what is installed here: a checkout or a wheel, whatever was changed in it."""

import base64
import hashlib
from importlib.metadata import distribution
from pathlib import PurePosixPath

from sentictl import archives, bundled

NAME = "sentictl"
# https://packaging.python.org/en/latest/specifications/binary-distribution-format/
WHEEL = "Wheel-Version: 1.0\nGenerator: sentictl\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
OWN_METADATA = ("METADATA", "entry_points.txt")


def wheel() -> tuple[str, bytes]:
    """The wheel's file name and its content, byte for byte the same for the same files."""
    installed = distribution(NAME)
    stem = f"{NAME}-{installed.version}"
    information = PurePosixPath(f"{stem}.dist-info")
    files = {name: path.read_bytes() for name, path in bundled.package_files().items()}
    files |= {f"{information / name}": (installed.read_text(name) or "").encode() for name in OWN_METADATA}
    files[f"{information / 'WHEEL'}"] = WHEEL.encode()
    record = f"{information / 'RECORD'}"
    lines = [f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in sorted(files.items())]
    files[record] = "".join([*lines, f"{record},,\n"]).encode()
    return f"{stem}-py3-none-any.whl", archives.zip_stored(files)


def _digest(content: bytes) -> str:
    """A digest as the wheel format writes it: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
