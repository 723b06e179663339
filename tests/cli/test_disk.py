"""What a command says on a disk that is full or may not be written: real disks, seen by the command alone."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

SENTICTL = Path(sys.executable).with_name("sentictl")
APART = ["unshare", "--map-root-user", "--mount"]
FILE = '[project]\nname = "films"\n'

pytestmark = pytest.mark.skipif(
    subprocess.run([*APART, "true"], capture_output=True, check=False).returncode != 0,
    reason="this system does not let one mount a disk of one's own",
)


@pytest.mark.parametrize(
    ("preparation", "reason"),
    [
        ("mount -o remount,ro .", "Read-only file system"),
        ("mkdir .sentictl; head -c 1M /dev/zero > filler || true", "No space left on device"),
    ],
)
def test_a_disk_that_cannot_be_written_ends_in_one_clear_error(tmp_path: Path, preparation: str, reason: str) -> None:
    script = f"""
        set -e
        mount -t tmpfs -o size=16k none {shlex.quote(str(tmp_path))}
        cd {shlex.quote(str(tmp_path))}
        printf %s {shlex.quote(FILE)} > sentictl.toml
        {preparation}
        {SENTICTL} config set train.epochs 4 2>&1 || echo "exit code $?"
        cat sentictl.toml
    """
    shown = subprocess.run([*APART, "sh", "-c", script], capture_output=True, text=True, check=True, timeout=60).stdout
    error, _, rest = shown.partition("exit code ")
    assert reason in error
    assert "run this again" in error
    assert "should not happen" not in error
    assert rest == "1\n" + FILE
