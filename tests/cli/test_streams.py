"""The program with streams that are closed, full, or read by nobody: started for real, as a shell closes them."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

SENTICTL = Path(sys.executable).with_name("sentictl")
# What succeeds and writes its answer by each of the ways that there are: our own, Rich's, Typer's, and line by line.
ANSWERS = (
    "config show",
    "--help",
    "--version",
    "predict --explain 'what a film'",
    "predict --file reviews.csv",
    "predict 'what a film' --json",
)
FAILURES = (("config get train.epoch", 2), ("predict --file none.csv", 1))


@pytest.fixture(autouse=True)
def reviews(project: Path) -> None:
    (project / "reviews.csv").write_text("review\nWhat a film!\nSo dull.\n")


def call(project: Path, command: str, streams: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command by a shell that does something to its streams; stdin is empty."""
    script = f"set -o pipefail; {shlex.quote(str(SENTICTL))} {command} {streams}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SENTICTL_")} | variables
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    for unwanted in ("Traceback", "should not happen", "Exception ignored"):
        assert unwanted not in done.stderr
    return done


@pytest.mark.parametrize("command", ANSWERS)
@pytest.mark.parametrize(("stdout", "reason"), [(">&-", "it is closed"), (">/dev/full", "No space left on device")])
def test_an_answer_that_stdout_does_not_take_is_one_error(
    project: Path, command: str, stdout: str, reason: str
) -> None:
    done = call(project, command, stdout)
    message = f"The answer cannot be written to stdout: {reason}."
    assert done.returncode == 1
    assert done.stderr.count("stdout") == 1
    if "--json" in command:
        error = json.loads(done.stderr)["error"]
        assert (error["code"], error["message"]) == ("stream", message)
    else:
        assert done.stderr.startswith(f"✗ {message}\n")


@pytest.mark.parametrize("command", ANSWERS)
def test_a_reader_that_goes_is_no_error(project: Path, command: str) -> None:
    done = call(project, command, "| true")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ANSWERS)
@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_an_answer_needs_no_stderr(project: Path, command: str, stderr: str) -> None:
    done = call(project, command, stderr)
    assert done.returncode == 0
    assert done.stdout


@pytest.mark.parametrize(("command", "code"), [*FAILURES, ("no-such-command --json", 2)])
@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full", ">&- 2>&-", ">/dev/full 2>/dev/full", "2>&1 | true"])
def test_an_exit_code_is_the_same_where_nobody_is_told_why(
    project: Path, command: str, code: int, streams: str
) -> None:
    assert call(project, command, streams).returncode == code


@pytest.mark.parametrize(("command", "code"), FAILURES)
def test_an_error_that_stdout_does_not_take_as_json_is_on_stderr(project: Path, command: str, code: int) -> None:
    done = call(project, f"{command} --json", ">/dev/full")
    assert done.returncode == code
    assert set(json.loads(done.stderr)["error"]) == {"code", "message", "hint"}


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_nothing_is_written_into_a_file_that_got_the_number_of_a_closed_stream(project: Path, closed: str) -> None:
    call(project, "config set train.epochs 7", closed)
    assert (project / "sentictl.toml").read_text() == '[project]\nname = "toy"\n\n[train]\nepochs = 7\n'


def test_a_closed_stdin_is_an_empty_one(project: Path) -> None:
    done = call(project, "predict - --json", "<&-")
    assert (done.returncode, done.stdout) == (0, "[]\n")


def test_a_stdin_that_cannot_be_read_is_one_error(project: Path) -> None:
    done = call(project, "predict -", "0>/dev/null")
    assert done.returncode == 1
    assert done.stderr.startswith("✗ stdin cannot be read: Bad file descriptor.")


@pytest.mark.parametrize("stdout", [">&-", ">/dev/full", "| true"])
def test_a_shell_that_asks_for_completions_hears_of_no_error(project: Path, stdout: str) -> None:
    asked = {"_SENTICTL_COMPLETE": "complete_bash", "COMP_WORDS": "sentictl con", "COMP_CWORD": "1"}
    assert call(project, "", stdout, **asked).stderr == ""
