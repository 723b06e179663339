"""Commands where the process itself lacks something: its working directory, a home, a place for temporary files."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

SENTICTL = Path(sys.executable).with_name("sentictl")
COMMANDS = ("status", "init", "predict good", "local status", "up", "doctor")
NOWHERE = {"HOME": "/nowhere", "TMPDIR": "/nowhere", "XDG_CACHE_HOME": "/nowhere"}


def call(folder: Path, script: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a shell's script, in which `sentictl` is the program, with only these variables."""
    environment = {"PATH": f"{SENTICTL.parent}:/usr/bin:/bin"} | variables
    done = subprocess.run(
        ["sh", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert "Traceback" not in done.stderr
    assert "should not happen" not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize("command", COMMANDS)
def test_a_working_directory_that_was_deleted_is_one_error(tmp_path: Path, command: str) -> None:
    (tmp_path / "gone").mkdir()
    done = call(tmp_path, f"cd gone && rmdir ../gone && exec sentictl {command} --json")
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["message"] == "The working directory cannot be found: No such file or directory."
    assert done.stderr == ""


def test_help_needs_no_working_directory(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    done = call(tmp_path, "cd gone && rmdir ../gone && sentictl --help && sentictl predict --help")
    assert done.returncode == 0


@pytest.mark.parametrize("variables", [{}, NOWHERE, {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}])
def test_commands_need_no_home_no_temporary_folder_and_no_locale(project: Path, variables: dict[str, str]) -> None:
    for command in ("status", "config set site.title Films", "predict 'schön ✓'", "doctor"):
        done = call(project, f"sentictl {command}", **variables)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("source", ["imdb", "~/reviews.csv", "~nobody-at-all/reviews.csv"])
def test_a_user_without_a_home_is_told_so(project: Path, source: str) -> None:
    with (project / "sentictl.toml").open("a") as settings:
        settings.write(f'[data]\nsource = {json.dumps(source)}\n[env.prod]\nregion = "eu-west-1"\n')
    # No variable, and no entry among the users: as in a container that runs under a number.
    nobody = "import pwd, sys; pwd.getpwuid = {}.__getitem__; sys.argv = ['sentictl', 'plan', '--env', 'prod']; "
    done = call(project, f"{sys.executable} -c {shlex.quote(nobody + 'from sentictl.cli.program import main; main()')}")
    assert done.returncode == 1
    assert ("this user has no home" in done.stderr) == (source == "imdb")
    assert "There is no " in done.stderr
