"""The root of the command line: help, version, mistakes, and what is not imported for them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sentictl import __version__
from sentictl.cli.app import COMMANDS
from tests.cli.conftest import Run

HEAVY = {
    *("torch", "boto3", "botocore", "sagemaker", "numpy", "pandas", "onnxruntime"),
    *("pydantic", "moto", "nltk", "jinja2", "tomlkit", "requests"),
}


def imported(folder: Path, *lines: str) -> set[str]:
    """The modules that commands import, one after the other in one process."""
    program = (
        "import sys\n"
        "from sentictl.cli.app import main\n"
        "for line in sys.argv[1:]:\n"
        "    sys.argv = ['sentictl', *line.split()]\n"
        "    try:\n        main()\n"
        "    except SystemExit:\n        pass\n"
        "print('\\nIMPORTED', *sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *lines], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("IMPORTED")[2].split())


def test_the_version_imports_nothing_heavy(tmp_path: Path) -> None:
    assert not imported(tmp_path, "--version") & HEAVY


def test_predict_imports_nothing_heavy(project: Path) -> None:
    unneeded = HEAVY - {"numpy", "onnxruntime"}
    assert not imported(project, "predict superb") & unneeded
    assert not imported(project, "predict superb --json") & unneeded


def test_help_names_every_command_with_what_it_does(run: Run) -> None:
    shown = run("--help")
    assert shown.returncode == 0
    for name in COMMANDS:
        assert any(line.startswith(f"  {name} ") and len(line.split()) > 3 for line in shown.stdout.splitlines()), name


def test_the_version_is_the_packages(run: Run) -> None:
    assert run("--version").stdout == f"sentictl {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("trian",), "'train'"),
        (("local", "strat"), "'start', 'status'"),
        (("train", "--epoch", "3"), "--epochs"),
        (("predict", "x", "--explian"), "--explain"),
        (("up", "--evn", "prod"), "--env"),
    ],
)
def test_a_mistyped_command_or_option_gets_a_suggestion_and_the_usage_exit_code(
    run: Run, arguments: tuple[str, ...], meant: str
) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert f"Did you mean {meant}?" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        (("train", "--stop", "--dry-run"), "--dry-run"),
        (("train", "--stop", "--every", "off", "--epochs", "3"), "--epochs, --every"),
        (("data", "--stop", "--on", "aws"), "--on"),
        (("deploy", "--abort", "--no-wait", "--force"), "--force"),
        (("site", "--serve", "--open", "--adopt"), "--adopt"),
        (("doctor", "--policy", "--instances"), "--instances"),
        (("doctor", "--github", "our/repository", "--previews", "--instances"), "--instances"),
    ],
)
def test_what_an_option_takes_no_notice_of_is_refused(
    run: Run, project: Path, arguments: tuple[str, ...], refused: str
) -> None:
    before = (project / "sentictl.toml").read_bytes()
    done = run(*arguments)
    assert done.returncode == 2
    assert f"{arguments[1]} " in done.stderr
    assert "and nothing else is done" in " ".join(done.stderr.split())
    assert f"Leave out {refused}." in done.stderr
    assert (project / "sentictl.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("config", "get", "train.epoch"), "train.epochs"),
        (("config", "set", "site.titel", "x"), "site.title"),
        (("status", "--env", "prdo"), "prod"),
    ],
)
def test_a_mistyped_setting_or_environment_gets_a_suggestion(
    run: Run, project: Path, arguments: tuple[str, ...], meant: str
) -> None:
    with (project / "sentictl.toml").open("a") as settings:
        settings.write('\n[env.prod]\nregion = "eu-west-1"\n')
    done = run(*arguments)
    assert done.returncode == 2
    assert f"Did you mean {meant}?" in done.stderr


@pytest.mark.parametrize(
    "arguments", [("--json", "trian"), ("predict", "--nonsense", "--json"), ("keys", "create", "--json")]
)
def test_a_mistake_on_the_command_line_is_json_where_that_was_asked_for(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "usage"
    assert error["message"]
    assert "--help" in error["hint"]


@pytest.mark.parametrize(
    ("option", "answer"),
    [
        (("--env", "prod"), "7\n"),
        (("--json",), "5\n"),
        (("--quiet",), "5\n"),
        (("--no-color",), "5\n"),
        (("--debug",), "5\n"),
    ],
)
def test_common_options_go_before_and_after_the_command(
    run: Run, project: Path, option: tuple[str, ...], answer: str
) -> None:
    with (project / "sentictl.toml").open("a") as settings:
        settings.write('\n[train]\nepochs = 5\n\n[env.prod]\nregion = "eu-west-1"\ntrain.epochs = 7\n')
    asked = ("config", "get", "train.epochs")
    for arguments in ((*option, *asked), (*asked, *option)):
        done = run(*arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, answer, "")


def test_outside_a_project_the_next_step_is_named(run: Run) -> None:
    done = run("status")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "sentictl init" in done.stderr


def test_a_bug_is_one_message_and_a_traceback_only_with_debug(run: Run, project: Path) -> None:
    current = project / ".sentictl" / "models" / "current-local"
    current.unlink()
    current.mkdir()
    (current / "metadata.json").mkdir()  # nothing that sentictl itself would make
    plain, debug = run("predict", "x"), run("predict", "x", "--debug")
    assert plain.returncode == 1
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr
    assert "Traceback" in (project / ".sentictl" / "sentictl.log").read_text()


def test_on_windows_one_error_says_where_it_runs(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(('fcntl', 'grp', 'pty', 'pwd', 'resource', 'termios', 'tty'))\n"
        "from sentictl.cli import app\n"
        "sys.platform = 'win32'\n"
        "sys.argv = ['sentictl', 'up', '--json']\n"
        "app.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert "WSL" in error["message"]
    assert "wsl --install" in error["hint"]
