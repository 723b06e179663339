"""The native packages in a function's code that are for another machine than this one.

What is built for Lambda's processor or for another Python cannot be loaded here. It is left out, so that what this
machine has installed under that name takes its place; nothing but its speed differs then, if it is of the same version.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ELF = b"\x7fELF"
MACHINE = slice(18, 20)  # of an ELF header: the processor that it is for
ANY_PYTHON = ".abi3."  # in the name of a module for Python's stable interface


def leave_out_foreign(folder: Path, runtime: str) -> list[str]:
    """Delete the packages that cannot be loaded here, and return their names.

    Args:
        folder: the function's code, unpacked.
        runtime: what Lambda runs it in, such as "python3.13".
    """
    same_python = runtime == f"python{sys.version_info.major}.{sys.version_info.minor}"
    machine = _machine(Path(sys.executable))
    foreign = [
        entry
        for entry in sorted(folder.iterdir())
        if any(_is_foreign(library, machine, same_python) for library in _libraries(entry))
    ]
    for entry in foreign:
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    return [entry.name for entry in foreign]


def _libraries(entry: Path) -> Iterator[Path]:
    """Yield the shared libraries that an entry of the code is or holds, extension modules among them."""
    paths = entry.rglob("*.so*") if entry.is_dir() else [entry]
    return (path for path in paths if path.is_file() and ".so" in path.suffixes)


def _is_foreign(library: Path, machine: bytes, same_python: bool) -> bool:
    another = _machine(library)
    return another != b"" and (another != machine or not (same_python or ANY_PYTHON in library.name))


def _machine(path: Path) -> bytes:
    """Return what stands for the processor that a program or library is for; empty where it is no ELF file."""
    with path.open("rb") as stream:
        header = stream.read(MACHINE.stop)
    return header[MACHINE] if header.startswith(ELF) else b""
