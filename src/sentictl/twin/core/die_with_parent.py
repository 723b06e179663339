"""Runs a Python program that dies with the process that started it, however that one ends.

`python die_with_parent.py train.py args…` or `python die_with_parent.py -m module args…`. The parent holds the write
end of this process's stdin; when the parent is gone the kernel closes it, and this process takes its whole process
group down. The program itself sees an empty stdin.
"""

import os
import runpy
import signal
import sys
import threading
from pathlib import Path


def main() -> None:
    """Begin to watch the parent, then become the program."""
    parent = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    threading.Thread(target=_die_with_parent, args=(parent,), daemon=True).start()
    arguments = sys.argv[1:]
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[0] = str(Path(arguments[0]).resolve().parent)
        runpy.run_path(arguments[0], run_name="__main__")


def _die_with_parent(parent: int) -> None:
    while os.read(parent, 1):
        continue
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
