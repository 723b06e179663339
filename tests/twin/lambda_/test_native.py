"""Native packages in a function's code: what this machine cannot load is left out."""

import sys
from pathlib import Path

import pytest

from sentictl.twin.lambda_.native import leave_out_foreign

HERE = f"python{sys.version_info.major}.{sys.version_info.minor}"
ELSEWHERE = "python3.99"
OWN = Path(sys.executable).read_bytes()[:20]
OTHER = b"\x7fELF" + bytes(14) + (b"\xb7\x00" if OWN[18:20] != b"\xb7\x00" else b"\x3e\x00")

pytestmark = pytest.mark.skipif(not OWN.startswith(b"\x7fELF"), reason="here all of Lambda's packages are foreign")


def place(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def test_packages_for_another_processor_go_whole_and_all_else_stays(tmp_path: Path) -> None:
    place(
        tmp_path,
        {
            "far/__init__.py": b"",
            "far/deep/core.so": OTHER,
            "far.libs/libmath.so.1.2": OTHER,
            "single.so": OTHER,
            "near/core.so": OWN,
            "plain/notes.so.txt": b"no library",
            "handler.py": b"",
        },
    )
    assert leave_out_foreign(tmp_path, HERE) == ["far", "far.libs", "single.so"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["handler.py", "near", "plain"]


def test_modules_for_another_python_go_unless_they_are_for_any(tmp_path: Path) -> None:
    place(tmp_path, {"bound/core.cpython-399.so": OWN, "stable/core.abi3.so": OWN})
    assert leave_out_foreign(tmp_path, HERE) == []
    assert leave_out_foreign(tmp_path, ELSEWHERE) == ["bound"]
