"""A copy of the repository, in which a file may be wrong for a while, and forks that run pytest in it."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
OURS = ("sentictl", "sentimodel", "tests")  # what a fork imports anew, from its copy
# Others, imported once, before all forks.
MODULES = (
    *("boto3", "botocore.stub", "clevercsv", "hypothesis.strategies", "jinja2", "moto", "numpy.ma", "onnxruntime"),
    *("pydantic", "rich.console", "rich.table", "tomlkit", "torch", "torch.onnx", "typer", "typer.testing"),
)
LONGEST_SECONDS = 600  # of a fork, for one that waits for ever
PASSED, FAILED, NONE_FOUND = 0, 1, 5  # pytest's exit codes


def prepare() -> None:
    """Import what the forks need from elsewhere. Starts no thread."""
    os.environ |= {"OMP_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1"}  # theirs, read when they are imported
    for module in MODULES:
        import_module(module)
    if psutil.Process().num_threads() > 1:
        raise RuntimeError("an import starts a thread: forks could wait for it for ever")


class Checkout:
    """A copy of the repository's files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._root, self._temporary = folder / "copy", folder / "t"
        self._temporary.mkdir(parents=True)
        listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\0")
        for name in filter(None, names):
            if (ROOT / name).is_file():
                (self._root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self._root / name)
        self._written = int(time.time())

    @property
    def root(self) -> Path:
        """Where the copy is."""
        return self._root

    def write(self, path: Path, source: str) -> None:
        """Replace a file. Python compiles it anew: the time of the change is another each time, by whole seconds."""
        self._written += 1
        (self._root / path).write_text(source, encoding="utf-8")
        os.utime(self._root / path, (self._written, self._written))

    def run_pytest(self, arguments: Sequence[str], plugin: Any, cpu_seconds: float) -> int:
        """Run it in a fork. Returns its exit code, or the negative number of the signal that ended it.

        Args:
            arguments: of pytest, with paths from the copy's root.
            plugin: an object with pytest's hooks.
            cpu_seconds: the processor time after which the fork is killed.
        """
        process = os.fork()
        if process == 0:
            self._become_pytest(arguments, plugin, cpu_seconds)
        deadline = time.monotonic() + LONGEST_SECONDS
        try:
            while not (ended := os.waitpid(process, os.WNOHANG))[0]:
                if time.monotonic() > deadline:
                    os.kill(process, signal.SIGKILL)
                time.sleep(0.02)
        finally:
            _end_group(process)
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary.mkdir(exist_ok=True)
        return os.waitstatus_to_exitcode(ended[1])

    def _become_pytest(self, arguments: Sequence[str], plugin: Any, cpu_seconds: float) -> None:
        code = 70
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_seconds) + 1, int(cpu_seconds) + 1))
            self._move_in()
            code = int(pytest.main(["-p", "no:cacheprovider", "--hypothesis-seed=0", *arguments], plugins=[plugin]))
        finally:
            os._exit(code)

    def _move_in(self) -> None:
        """Be a process of the copy: its folder, its modules, its temporary files, and its output beside it."""
        output = os.open(self._root.parent / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(self._root)
        own = [str(self._root / "src"), str(self._root / "model_code")]
        sys.path[:] = [*own, *(path for path in sys.path if path and not _is_ours(Path(path)))]
        os.environ |= {"PYTHONPATH": os.pathsep.join(own), "TMPDIR": str(self._temporary)}
        import tempfile

        tempfile.tempdir = None
        for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
            del sys.modules[name]


def _is_ours(path: Path) -> bool:
    return path in (ROOT, ROOT / "src", ROOT / "model_code")


def _end_group(process: int) -> None:
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        return
