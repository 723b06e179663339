"""A training job that knows what was trained before: `python recall.py MEMORY train.py args…`.

The first job of a name really trains; what its script leaves behind is remembered. Another of the same name gets that,
and says what the first one said; one that comes while the first trains waits for it. Several hosts of one job meet
while they train, so they always do. Imports nothing of sentictl.
"""

import fcntl
import json
import os
import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

FOLDERS = ("SM_MODEL_DIR", "SM_CHECKPOINT_DIR")


def main() -> None:
    """Recall, or train and remember."""
    remembered, script = Path(sys.argv[1]) / os.environ["TRAINING_JOB_NAME"], sys.argv[2:]
    if len(json.loads(os.environ["SM_HOSTS"])) > 1:
        _train(script)
        return
    with Path(f"{remembered}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not remembered.is_dir():
            _train_and_remember(remembered, script)
            return
    for name in _folders():
        shutil.copytree(remembered / name, os.environ[name], dirs_exist_ok=True)
    sys.stdout.write((remembered / "stdout.txt").read_text())


class _Listener:
    """A stream that keeps what is written to it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.heard: list[str] = []

    def write(self, text: str) -> int:
        self.heard.append(text)
        return int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _train_and_remember(remembered: Path, script: list[str]) -> None:
    stdout: Any = _Listener(sys.stdout)
    sys.stdout = stdout
    try:
        _train(script)
    except SystemExit as end:
        if end.code:
            raise
    fresh = remembered.with_name(f"{remembered.name}.{os.getpid()}")
    for name in _folders():
        shutil.copytree(os.environ[name], fresh / name)
    (fresh / "stdout.txt").write_text("".join(stdout.heard))
    fresh.rename(remembered)


def _train(script: list[str]) -> None:
    """Be the script, in this process: torch is there already."""
    sys.argv, sys.path[0] = script, str(Path(script[0]).resolve().parent)
    runpy.run_path(script[0], run_name="__main__")


def _folders() -> list[str]:
    return [name for name in FOLDERS if name in os.environ]


if __name__ == "__main__":
    main()
