"""The root of the command line: help, version, mistakes, and what is not imported for them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sentictl import __version__
from sentictl.cli.app import COMMANDS
from tests.cli.conftest import Run

HEAVY = ("torch", "boto3", "botocore", "pydantic", "sagemaker", "moto", "nltk", "pandas", "tomlkit")


def imported(folder: Path, *arguments: str) -> set[str]:
    """The heavy packages that a command imports."""
    program = (
        "import sys\n"
        "from sentictl.cli.app import main\n"
        "sys.argv = ['sentictl', *sys.argv[1:]]\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        f"print('\\nIMPORTED', *[name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("IMPORTED")[2].split())


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("predict", "--help"), ("train", "--help")])
def test_help_imports_nothing_heavy(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert imported(tmp_path, *arguments) == set()


def test_predict_imports_nothing_heavy(project: Path) -> None:
    assert imported(project, "predict", "a superb film") == set()
    assert imported(project, "predict", "a superb film", "--json") == set()


def test_help_names_every_command_with_what_it_does(run: Run) -> None:
    shown = run("--help")
    assert shown.returncode == 0
    for name in COMMANDS:
        assert any(line.startswith(f"│ {name} ") and len(line.split()) > 3 for line in shown.stdout.splitlines()), name
    assert max(map(len, shown.stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run: Run, name: str) -> None:
    shown = run(name, "--help")
    assert shown.returncode == 0
    assert "Usage:" in shown.stdout


def test_the_version_is_the_packages(run: Run) -> None:
    assert run("--version").stdout == f"sentictl {__version__}\n"


def test_a_mistyped_command_gets_a_suggestion_and_the_usage_exit_code(run: Run) -> None:
    done = run("trian")
    assert done.returncode == 2
    assert "Did you mean 'train'?" in done.stderr


@pytest.mark.parametrize("arguments", [("--json", "trian"), ("predict", "--nonsense", "--json"), ("logs", "--json")])
def test_a_mistake_on_the_command_line_is_json_where_that_was_asked_for(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "usage"
    assert error["message"]
    assert "--help" in error["hint"]


def test_common_options_go_before_and_after_the_command(run: Run, project: Path) -> None:
    before, after = run("--json", "config", "get", "train.epochs"), run("config", "get", "train.epochs", "--json")
    assert before.stdout == after.stdout
    assert before.stdout.strip().isdigit()


def test_outside_a_project_the_next_step_is_named(run: Run) -> None:
    done = run("status")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "sentictl init" in done.stderr


def test_a_bug_is_one_message_and_a_traceback_only_with_debug(run: Run, project: Path) -> None:
    current = project / ".sentictl" / "models" / "current"
    current.unlink()
    current.mkdir()
    (current / "metadata.json").mkdir()  # nothing that sentictl itself would make
    plain, debug = run("predict", "x"), run("predict", "x", "--debug")
    assert plain.returncode == 1
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr
    assert "Traceback" in (project / ".sentictl" / "sentictl.log").read_text()
