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


def main() -> int:
    """Recall, or train and remember. Returns the script's exit code."""
    remembered, script = Path(sys.argv[1]) / os.environ["TRAINING_JOB_NAME"], sys.argv[2:]
    if len(json.loads(os.environ["SM_HOSTS"])) > 1:
        return _train(script)
    with Path(f"{remembered}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not remembered.is_dir():
            return _train_and_remember(remembered, script)
    for name in _folders():
        shutil.copytree(remembered / name, os.environ[name], dirs_exist_ok=True)
    sys.stdout.write((remembered / "stdout.txt").read_text())
    return 0


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


def _train_and_remember(remembered: Path, script: list[str]) -> int:
    stdout: Any = _Listener(sys.stdout)
    sys.stdout = stdout
    code = _train(script)
    if code == 0:
        fresh = remembered.with_name(f"{remembered.name}.{os.getpid()}")
        for name in _folders():
            shutil.copytree(os.environ[name], fresh / name)
        (fresh / "stdout.txt").write_text("".join(stdout.heard))
        fresh.rename(remembered)
    return code


def _train(script: list[str]) -> int:
    """Be the script, in this process: torch is there already. Returns its exit code."""
    sys.argv, sys.path[0] = script, str(Path(script[0]).resolve().parent)
    try:
        runpy.run_path(script[0], run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _folders() -> list[str]:
    return [name for name in FOLDERS if name in os.environ]


if __name__ == "__main__":
    sys.exit(main())
