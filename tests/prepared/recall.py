"""What runs in a training job of the sweep: `python recall.py MEMORY train.py args…`.

The first job of a name really trains; what its script leaves behind is remembered. Another of the same name gets that,
and says what the first one said. Imports nothing of sentictl.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDERS = ("SM_MODEL_DIR", "SM_CHECKPOINT_DIR")


def main() -> int:
    """Recall, or train and remember. Returns the script's exit code."""
    remembered = Path(sys.argv[1]) / os.environ["TRAINING_JOB_NAME"]
    if not remembered.is_dir():
        return _train(remembered, sys.argv[2:])
    for name in FOLDERS:
        shutil.copytree(remembered / name, os.environ[name], dirs_exist_ok=True)
    sys.stdout.writelines(json.loads((remembered / "stdout.json").read_text()))
    return 0


def _train(remembered: Path, script: list[str]) -> int:
    lines = []
    with subprocess.Popen([sys.executable, *script], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            lines.append(line)
            sys.stdout.write(line)
            sys.stdout.flush()
    if process.returncode == 0:
        _remember(remembered, lines)
    return process.returncode


def _remember(remembered: Path, lines: list[str]) -> None:
    fresh = remembered.with_name(f"{remembered.name}.{os.getpid()}")
    for name in FOLDERS:
        shutil.copytree(os.environ[name], fresh / name)
    (fresh / "stdout.json").write_text(json.dumps(lines))
    fresh.rename(remembered)


if __name__ == "__main__":
    sys.exit(main())
