"""Wheels small enough to be made in a test, and the requirements that name them."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

TAG = "cp313-cp313-manylinux_2_28_aarch64"
REQUIREMENTS = Path("templates", "lambda", "requirements.txt")


def make_wheel(folder: Path, name: str, files: Mapping[str, bytes], tag: str = TAG) -> Path:
    """Write a wheel of version 1.0 into a folder; its name is the same in a file's name."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1.0-{tag}.whl"
    about = f"{name}-1.0.dist-info"
    told = {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{about}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
        f"{about}/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, content in (dict(files) | told).items():
            archive.writestr(place, content)
    return path


def ask_for(project: Path, *wheels: Path) -> Path:
    """Write a project's own requirements of these wheels, each with its digest."""
    path = project / REQUIREMENTS
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        f"{wheel.name.partition('-')[0]}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
        for wheel in wheels
    )
    path.write_text("# of the test\n" + "".join(lines))
    return path


def keep_pip_offline(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have pip look into one folder, and nowhere else."""
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
