"""How commands talk with people and programs: answers, questions, exit codes, and what they keep to themselves."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from sentictl.cli.app import app
from tests.chain.shell import Shell, begin
from tests.chain.terminal import on_terminal
from tests.prepared.programs import MEMORY
from tests.prepared.watch import WATCHED

ROOT: Any = typer.main.get_command(app)
OUTPUT = Path(__file__).parents[2] / "docs" / "output.md"


def walk(command: Any, context: typer.Context, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The command lines of all commands that do something, with a word for each argument that must be there."""
    if not hasattr(command, "list_commands"):
        required = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
        yield (*path, *("bash" if path == ("completion",) else "train" for one in required if one.required))
        return
    for name in command.list_commands(context):
        yield from walk(command.get_command(context, name), context, (*path, name))


CONTEXT = typer.Context(ROOT, info_name="sentictl")
# What stands behind `local run` is the program's.
COMMANDS = [line for line in walk(ROOT, CONTEXT) if line[:2] != ("local", "run")]


def options_of(line: tuple[str, ...]) -> set[str]:
    command = ROOT
    for name in line:
        if hasattr(command, "get_command"):
            command = command.get_command(CONTEXT, name)
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("line", COMMANDS, ids=" ".join)
def test_with_json_stdout_is_one_document_whatever_happens(tmp_path: Path, line: tuple[str, ...]) -> None:
    """In an environment that there is not: what needs one fails, what needs none answers."""
    (tmp_path / "sentictl.toml").write_text('[project]\nname = "toy"\n')
    done = Shell(tmp_path).run(*line, "--env", "nope", "--json", expect=None)
    document = json.loads(done.stdout)
    assert done.returncode == 0 or document.keys() == {"error"} or "checks" in document
    assert "Traceback" not in done.stderr


def test_each_exit_code_means_what_the_docs_say(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    with (shell.folder / "sentictl.toml").open("a") as settings:
        settings.write('\n[env.prod]\nregion = "eu-west-1"\n')
    codes = {
        0: shell.run("status", expect=None),
        1: shell.run("train", expect=None),
        2: shell.run("train", "--epochs", "none", expect=None),
        3: shell.run("plan", "--exit-code", expect=None),
        4: shell.run("up", "--env", "prod", expect=None),
    }
    shell.run("down", "--yes")
    assert {code: done.returncode for code, done in codes.items()} == {code: code for code in codes}
    documented = re.findall(r"^\| (\d+) \|", OUTPUT.read_text(encoding="utf-8"), re.MULTILINE)
    assert list(map(int, documented)) == [*codes, 130]  # 130 is shown where Ctrl-C is typed


@pytest.mark.parametrize(("answer", "code"), [(b"no\n", 2), (b"\n", 2), (b"yes\n", 0)])
def test_a_question_is_asked_on_a_terminal_and_declined_is_not_done(tmp_path: Path, answer: bytes, code: int) -> None:
    shell = begin(tmp_path / "toy")
    shell.run("data")
    shown = on_terminal(shell, "down", typing={"Type yes:": answer})
    assert shown.code == code
    assert bool(shell.json("status")["resources"]) is (code != 0)
    shell.run("down", "--yes")


@pytest.mark.parametrize(("answer", "code"), [(b"eu-west-1\n", 0), (b"\n", 2), (b"nowhere\n", 2)])
def test_an_environment_that_there_is_not_is_asked_for(tmp_path: Path, answer: bytes, code: int) -> None:
    (tmp_path / "sentictl.toml").write_text('[project]\nname = "toy"\n')
    shell = Shell(tmp_path)
    shown = on_terminal(shell, "config", "get", "project.name", "--env", "prod", typing={"only Enter:": answer})
    assert (shown.code, shown.lines()[-1] == "toy") == (code, code == 0)
    assert ("eu-west-1" in (tmp_path / "sentictl.toml").read_text()) is (code == 0)


def test_json_is_no_yes(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    assert "--yes" in shell.json("down", expect=2)["error"]["hint"]


def test_what_is_about_to_change_is_told_before_anything_changes(aws: Shell) -> None:
    s3 = aws.client("s3", "eu-west-1")
    s3.create_bucket(
        Bucket="toy-prod-123456789012", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )  # refused before the first call that changes something
    said = aws.run("data", "--env", "prod", expect=1).stderr
    told = said.index("environment prod (AWS, eu-west-1)"), said.index("account 123456789012"), said.index("✗ There is")
    assert list(told) == sorted(told)
    s3.delete_bucket(Bucket="toy-prod-123456789012")
    stopping = aws.run("train", "--stop", "--env", "prod")
    assert "account 123456789012" in stopping.stderr
    assert stopping.stdout == "No training job is running.\n"


# What a command plans only together with other options.
PLANNED_WITH: dict[tuple[str, ...], tuple[str, ...]] = {("predict",): ("--via", "batch", "--file", "reviews.csv")}


@pytest.mark.parametrize("line", [line for line in COMMANDS if "--dry-run" in options_of(line)], ids=" ".join)
def test_a_dry_run_tells_costs_and_changes_nothing(live: Shell, line: tuple[str, ...]) -> None:
    before, settings = live.journal(), (live.folder / "sentictl.toml").read_bytes()
    planned = live.json(*line, *PLANNED_WITH.get(line, ()), "--dry-run")
    assert {"steps", "hourly_cost", "permissions"} <= planned.keys()
    assert (live.journal(), (live.folder / "sentictl.toml").read_bytes()) == (before, settings)


def test_no_option_takes_a_secret() -> None:
    words = re.compile(r"secret|password|token|credential|access|session|(^|-)key", re.IGNORECASE)
    taken = {option for line in COMMANDS for option in options_of(line) if words.search(option)}
    assert taken <= {"--max-tokens", "key"}  # of a review, and of a setting


def test_secrets_are_kept_nowhere(aws: Shell) -> None:
    planted = {"AWS_SECRET_ACCESS_KEY": "planted-secret", "AWS_SESSION_TOKEN": "planted-token"}
    shell = Shell(aws.folder, dict(aws.variables) | planted)
    said = [
        shell.run("data", "--env", "prod", "--debug"),
        shell.run("train", "--env", "prod", "--instance-type", "ml.m5.huge", "--debug", expect=2),
        shell.run("wire-api", "--env", "prod", "--debug", expect=1),
        shell.run("doctor", "--env", "prod", expect=None),
    ]
    files = [path for path in shell.folder.rglob("*") if path.is_file()]
    assert shell.folder / ".sentictl" / "sentictl.log" in files
    for content in [*(path.read_bytes() for path in files), *((done.stdout + done.stderr).encode() for done in said)]:
        assert b"planted-" not in content


def test_nobody_is_phoned(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    shell = Shell(begin(tmp_path / "toy").folder, {WATCHED: str(file), MEMORY: ""})
    for line in (("up",), ("predict", "superb"), ("predict", "superb", "--via", "api"), ("evaluate",), ("doctor",)):
        shell.run(*line)
    shell.run("down", "--yes")
    hosts = set(file.read_text().split())
    assert "127.0.0.1" in hosts
    assert hosts <= {"127.0.0.1", "localhost", "0.0.0.0", "::1", "None", "unix"}
