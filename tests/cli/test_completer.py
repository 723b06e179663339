"""What a shell completes, asked as a shell asks: Bash itself, and Zsh and fish by the variables of their scripts."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sentictl.cli.app import COMMANDS
from sentictl.cli.completer import settings
from sentictl.config.dotted_keys import all_keys
from tests.cli.conftest import Run
from tests.cli.test_app import HEAVY, imported
from tests.prepared import popen as prepared

PROJECT = """\
[project]
name = "toy"

[env.prod]
region = "eu-west-1"

[env.staging]
region = "eu-west-1"

[state.local]
version = 2
account = ""

[[state.local.resources]]
kind = "training-job"
name = "toy-local-new"
arn = "arn:2"
artifact = "s3://bucket/new"
trained = "2026-02-01T00:00:00"

[[state.local.resources]]
kind = "training-job"
name = "toy-local-old"
arn = "arn:1"
artifact = "s3://bucket/old"
trained = "2026-01-01T00:00:00"

[[state.local.resources]]
kind = "training-job"
name = "toy-local-failed"
arn = "arn:3"

[[state.prod.resources]]
kind = "training-job"
name = "toy-prod-one"
arn = "arn:4"
artifact = "s3://bucket/one"
"""
Complete = Callable[..., list[str]]


@pytest.fixture
def complete(tmp_path: Path) -> Complete:
    """What Bash offers at the end of a command line, in the test's folder, after it has evaluated the script."""

    def complete(*words: str, variables: dict[str, str] | None = None) -> list[str]:
        program = (
            'eval "$(sentictl completion bash)"\n'
            "function=$(complete -p sentictl | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n"
            f"COMP_WORDS=({shlex.join(('sentictl', *words))}); COMP_CWORD={len(words)}\n"
            '"$function" sentictl\n'
            'printf "%s\\n" "${COMPREPLY[@]}"\n'
        )
        done = shell("bash", program, tmp_path, variables)
        assert done.stderr == ""
        return done.stdout.split()

    return complete


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A project with environments and versions of the model."""
    (tmp_path / "sentictl.toml").write_text(PROJECT)
    return tmp_path


def shell(
    name: str, program: str, folder: Path, variables: dict[str, str] | None
) -> "subprocess.CompletedProcess[str]":
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SENTICTL_")}
    with tempfile.TemporaryDirectory() as programs:
        ours |= prepared.on_path(Path(programs))
        return subprocess.run(
            [name, "-c", program], cwd=folder, env=ours | (variables or {}), capture_output=True, text=True, check=True
        )


def test_commands_are_completed(complete: Complete) -> None:
    assert complete("") == list(COMMANDS)
    assert complete("de") == ["deploy"]
    assert complete("config", "") == ["show", "get", "set"]
    assert complete("local", "sta") == ["start", "status"]


def test_options_are_completed_before_and_after_the_command(complete: Complete) -> None:
    assert complete("--q") == ["--quiet"]
    assert complete("train", "--instance") == ["--instance-type", "--instance-count"]
    assert complete("train", "--no-w") == ["--no-wait"]
    assert {"--env", "--json", "--dry-run"} <= set(complete("up", "--"))


def test_choices_and_parts_are_completed(complete: Complete) -> None:
    assert complete("train", "--arch", "") == ["ngram", "lstm", "wide-lstm"]
    assert complete("down", "") == ["endpoint", "lambda", "users", "api", "site", "alerts", "batch", "train"]
    assert complete("logs", "l") == ["lambda"]
    assert complete("completion", "") == ["bash", "zsh", "fish"]


def test_environments_are_those_of_the_nearest_settings(complete: Complete, toy: Path) -> None:
    assert complete("up", "--env", "") == ["local", "prod", "staging"]
    assert complete("--env", "st") == ["staging"]
    assert complete("config", "get", "--env", "p") == ["prod"]
    with (toy / "sentictl.toml").open("a") as settings:
        settings.write("[env.local]\ntrain.epochs = 2\n")  # which is there anyway
    assert complete("--env", "l") == ["local"]


def test_versions_are_those_recorded_in_the_environment(complete: Complete, toy: Path) -> None:
    local = ["latest", "previous", "1", "2", "toy-local-old", "toy-local-new"]
    prod = ["latest", "previous", "1", "toy-prod-one"]
    assert complete("deploy", "--model", "") == local
    assert complete("deploy", "--env", "prod", "--model", "") == prod
    assert complete("--env", "prod", "deploy", "--model", "") == prod
    assert complete("deploy", "--model", "", variables={"SENTICTL_ENV": "prod"}) == prod
    assert complete("deploy", "--env", "staging", "--model", "") == []


def test_settings_are_completed_by_their_keys(complete: Complete) -> None:
    assert complete("config", "get", "lambda.") == ["lambda.memory_mb", "lambda.timeout_seconds"]
    assert complete("config", "set", "train.ep") == ["train.epochs"]
    assert settings() == list(all_keys())


def test_outside_a_project_there_is_the_local_environment(complete: Complete) -> None:
    assert complete("up", "--env", "") == ["local"]
    assert complete("deploy", "--model", "") == []


@pytest.mark.parametrize(
    "damage", ["[project", "env = 3", "[env]\nprod = 1", "state = 'none'", "[[state.local]]", "\0"]
)
def test_damaged_settings_are_no_reason_to_say_anything(complete: Complete, toy: Path, damage: str) -> None:
    (toy / "sentictl.toml").write_text(damage)
    assert set(complete("up", "--env", "")) <= {"local", "prod"}
    assert complete("deploy", "--model", "") == []
    assert complete("deploy", "--nonsense", "--model", "") == []


@pytest.mark.parametrize("words", ["", "up --env ", "deploy --model ", "config get ", "train --"])
def test_nothing_heavy_is_imported_for_it(toy: Path, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_SENTICTL_COMPLETE", "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"sentictl {words}")
    assert not imported(toy, "completing") & HEAVY


def test_zsh_gets_values_with_what_they_do(toy: Path) -> None:
    asked = {"_SENTICTL_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "sentictl up --env "}
    assert '"staging"' in shell("bash", "sentictl", toy, asked).stdout
    asked["_TYPER_COMPLETE_ARGS"] = "sentictl sta"
    assert shell("bash", "sentictl", toy, asked).stdout.startswith('_arguments \'*: :(("status":"Show what stands')


def test_fish_gets_values_with_what_they_do(toy: Path) -> None:
    asked = {"_SENTICTL_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    asked["_TYPER_COMPLETE_ARGS"] = "sentictl deploy --model t"
    assert shell("bash", "sentictl", toy, asked).stdout.split() == ["toy-local-old", "toy-local-new"]
    asked["_TYPER_COMPLETE_ARGS"] = "sentictl stat"
    assert shell("bash", "sentictl", toy, asked).stdout.startswith("status\tShow what stands")


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_its_shell_reads(run: Run, name: str, tmp_path: Path) -> None:
    script = run("completion", name).stdout
    assert json.loads(run("completion", name, "--json").stdout) == {"shell": name, "script": script.rstrip("\n")}
    assert f"_SENTICTL_COMPLETE=complete_{name}" in script
    (tmp_path / "script").write_text(script)
    if shutil.which(name):
        subprocess.run([name, "-n", tmp_path / "script"], check=True)


def test_another_shell_is_refused(run: Run) -> None:
    done = run("completion", "tcsh")
    assert done.returncode == 2
    assert "'bash', 'zsh', 'fish'" in done.stderr
