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


def on_a_disk(folder: Path, size: str, script: str) -> str:
    """What a script says in a project on a small disk of its own; `$S` is the program, and no twin is left."""
    whole = f"""
        mount -t tmpfs -o size={size} none {shlex.quote(str(folder))}
        cd {shlex.quote(str(folder))}
        S={SENTICTL}
        {script}
        mount -o remount,rw,size=8M . || umount . && cd "$PWD"
        [ ! -d .sentictl/local ] || $S local stop >/dev/null 2>&1
    """
    done = subprocess.run([*APART, "bash", "-c", whole], capture_output=True, text=True, check=True, timeout=120)
    told = done.stdout + done.stderr
    assert "Traceback" not in told
    assert "should not happen" not in told
    return told


PROJECT = """
    printf '[project]\\nname = "films"\\n[data]\\nsource = "r.csv"\\nvocabulary_size = 100\\n' > sentictl.toml
    (echo review,label; for n in $(seq 60); do echo "film $n was $((n % 2)),$((n % 2))"; done) > r.csv
"""


def test_a_twin_on_a_full_disk_loses_nothing_that_it_said_it_kept(tmp_path: Path) -> None:
    """The disk is full while the dataset goes to S3; with room the command goes on, and a new twin knows all of it."""
    told = on_a_disk(
        tmp_path,
        "48k",
        f"""{PROJECT}
        $S data; echo "exit code $?"
        mount -o remount,size=8M .
        $S data; echo "exit code $?"
        $S local stop >/dev/null
        $S status --exit-code; echo "exit code $?"
        """,
    )
    first, second, third, _ = told.split("exit code ")
    assert "full" in told or "No space left on device" in first
    assert [part[0] for part in (second, third)] == ["1", "0"]
    assert "2 resources, all as the settings want them." in third


@pytest.mark.parametrize("command", ["config set train.epochs 4", "data", "init"])
def test_a_project_that_may_only_be_read_is_one_error_for_a_command_that_changes_it(
    tmp_path: Path, command: str
) -> None:
    told = on_a_disk(tmp_path, "1M", f"{PROJECT} mount -o remount,ro .; $S {command}; echo exit code $?")
    assert told.count("✗") == 1
    assert "Read-only file system" in told
    assert "exit code 1" in told


def test_a_project_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    told = on_a_disk(
        tmp_path,
        "8M",
        f"""{PROJECT}
        $S data >/dev/null 2>&1
        $S status > before 2>&1
        mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" || echo "exit code of mount"
        touch here 2>/dev/null && echo "exit code of touch"
        $S status | diff before - || echo differs
        for command in plan 'down --dry-run' 'local logs' models; do
            $S $command > /dev/null || echo "$command: exit code $?"
        done
        """,
    )
    assert "exit code" not in told
    assert "differs" not in told
