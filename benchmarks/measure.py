"""What a command costs: seconds, computing, and the memory of all its processes."""

import os
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

MEGABYTE = 2**20
SAMPLE_SECONDS = 0.02


class Cost(NamedTuple):
    """What a command took.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of computing, by all its processes.
        megabytes: the most memory that all its processes held at one time; what several share counts once.
    """

    seconds: float
    cpu_seconds: float
    megabytes: float


def measured(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None, beside: int = 0
) -> Cost:
    """Run a command in a folder, to its end.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        environment: its variables, if not those of this process.
        beside: a process whose memory counts as well, with all that it starts: one that does the command's work.

    Raises:
        SystemExit: it failed; what it said is on stderr.
    """
    # ONNX Runtime's telemetry is off in sentictl; so it is in what it is compared with.
    variables = {"ORT_DISABLE_TELEMETRY": "1", **(os.environ if environment is None else environment)}
    started = perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, env=variables)
    with _Memory(process.pid, *([beside] if beside else [])) as memory:
        _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}.")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, memory.most / MEGABYTE)


def medians(costs: Iterable[Cost]) -> Cost:
    """Return the median of each figure of several runs."""
    return Cost(*map(median, zip(*costs, strict=True)))


class _Memory:
    """Watches the memory of processes and of all that they start, while the block runs."""

    def __init__(self, *pids: int) -> None:
        self.most = 0  # bytes
        self._pids = pids
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_Memory":
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.most = max(self.most, sum(map(_proportional, _family(self._pids))))


def _family(pids: Iterable[int]) -> list[int]:
    """Processes and all those below them."""
    members = list(pids)
    for member in members:
        for listed in Path("/proc", str(member), "task").glob("*/children"):
            try:
                members += map(int, listed.read_text().split())
            except OSError:  # ended meanwhile
                continue
    return members


def _proportional(pid: int) -> int:
    """The memory of a process in bytes: of a page that n processes share, the n-th part (Linux' PSS)."""
    try:
        lines = Path("/proc", str(pid), "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(
        int(line.split()[1]) * 1024 for line in lines if line.startswith(("Pss_Anon:", "Pss_File:", "Pss_Shmem:"))
    )
