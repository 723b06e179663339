"""One process of a program for each GPU of this host."""

import os
import subprocess
import time
from collections.abc import Sequence

from sentimodel.distributed import Place

SECONDS_TO_END = 15.0  # longer than the processes wait to hear why one of them failed


def run_all(command: Sequence[str], places: Sequence[Place]) -> int:
    """Run a command once for each place, told by the variables of torchrun, until all have ended or one has failed.

    However this ends, by an exception too, no process is left behind.

    Returns:
        0, or the exit code of one that failed; 128 more than the signal's number if a signal ended it, as in a shell.
    """
    processes = [subprocess.Popen(command, env=os.environ | place.variables()) for place in places]
    try:
        code = _first_failure(processes)
        _wait(processes, SECONDS_TO_END)  # the others hear of it and say so before they end
    finally:
        for process in processes:
            process.terminate()
        _wait(processes, SECONDS_TO_END)
        for process in processes:
            process.kill()
            process.wait()
    return code if code >= 0 else 128 - code


def _first_failure(processes: Sequence["subprocess.Popen[bytes]"]) -> int:
    while True:
        codes = [process.poll() for process in processes]
        failed = [code for code in codes if code]
        if failed or None not in codes:
            return next(iter(failed), 0)
        time.sleep(0.1)


def _wait(processes: Sequence["subprocess.Popen[bytes]"], seconds: float) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and any(process.poll() is None for process in processes):
        time.sleep(0.1)
