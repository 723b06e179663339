"""A project that is made for a measurement, on a twin of its own."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SENTICTL = Path(sys.executable).with_name("sentictl")


def sentictl(folder: Path, *arguments: str) -> str:
    """Run a command in a project's folder. Returns what it wrote on stdout."""
    command = [SENTICTL, *arguments]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def project(source: str, *commands: str, **settings: str) -> Iterator[Path]:
    """Give a project's folder, and stop its twin afterwards.

    Args:
        source: the reviews, named as `sentictl data --source` takes them.
        commands: what is done in it first.
        settings: others than the defaults, with `__` for the dot in their names.
    """
    given = Path(source)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sentictl(folder, "init")
        settings = {"data__source": str(given.resolve()) if given.exists() else source, **settings}
        for key, value in settings.items():
            sentictl(folder, "config", "set", key.replace("__", "."), value)
        try:
            for command in commands:
                sentictl(folder, command)
            yield folder
        finally:
            sentictl(folder, "local", "stop")
