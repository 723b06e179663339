"""The help of every command: examples first, options in groups, in 80 columns, and nothing heavy imported for it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from sentictl.cli import examples
from sentictl.cli.app import COMMANDS, GROUPS, app, load
from sentictl.cli.help import first_sentence, option_panels
from tests.chain.shell import Shell
from tests.chain.terminal import on_terminal
from tests.cli.conftest import SENTICTL, Run
from tests.cli.test_app import HEAVY, imported
from tests.prepared import popen as prepared

COMMON = {"--env", "--json", "--quiet", "--no-color", "--debug", "--help"}
WIDTH = 80


def contexts(context: typer.Context) -> Iterator[typer.Context]:
    """The context of a command and of every command below it."""
    yield context
    command: Any = context.command
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from contexts(typer.Context(command.get_command(context, name), parent=context, info_name=name))


ROOT = typer.Context(typer.main.get_command(app), info_name="sentictl")
BY_PATH = {" ".join(context.command_path.split()[1:]): context for context in contexts(ROOT)}
EXAMPLES = [(path, line) for path in BY_PATH for line, _ in examples.examples_of(path)]


@pytest.fixture(scope="module", params=BY_PATH, ids=lambda path: path or "sentictl")
def path(request: pytest.FixtureRequest) -> str:
    """Every command, such as "local start"; "" is the program itself."""
    return str(request.param)


@pytest.fixture(scope="module")
def shown(path: str) -> str:
    """Its help, in a pipe."""
    done = prepared.run([SENTICTL, *path.split(), "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == ""
    return str(done.stdout)


def called(line: str) -> list[str]:
    """The words of the first call of sentictl in an example."""
    call = re.search(r"\bsentictl [^<>)|]*", line)
    assert call, line
    return shlex.split(call.group())[1:]


def test_every_command_has_one_to_four_examples_of_itself(path: str) -> None:
    lines = [line for line, _ in examples.examples_of(path)]
    assert 1 <= len(lines) <= 4
    assert len(set(lines)) == len(lines)
    for line in lines:
        assert called(line)[: len(path.split())] == path.split()


def test_there_is_no_example_of_a_command_that_does_not_exist() -> None:
    assert examples.COMMANDS.keys() == BY_PATH.keys() - {""}


@pytest.mark.parametrize(("path", "line"), EXAMPLES)
def test_an_example_uses_options_that_exist(path: str, line: str) -> None:
    words = called(line)
    named = max((known for known in BY_PATH if words[: len(known.split())] == known.split()), key=len)
    context = BY_PATH[named]
    parameters: Any = context.command.get_params(context)
    known = {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


def test_help_leads_with_the_examples(shown: str, path: str) -> None:
    usage, brief, example_lines, *rest = shown.split("\n\n")
    assert usage.startswith(f"Usage: sentictl {path}".rstrip())
    assert brief.replace("\n", " ").startswith(first_sentence(BY_PATH[path].command))
    assert example_lines.startswith("Examples\n")
    for line, meaning in examples.examples_of(path):
        assert f"  {line}" in example_lines
        assert meaning in " ".join(example_lines.split())
    assert not any(paragraph.startswith("Examples") for paragraph in rest)


def test_help_fits_80_columns_and_has_no_colors_in_a_pipe(shown: str) -> None:
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert "\033" not in shown


def test_every_option_is_shown_once_and_those_of_all_commands_come_last(path: str) -> None:
    context = BY_PATH[path]
    panels = option_panels(context.command, context)
    written = [word for rows in panels.values() for left, _ in rows for word in re.findall(r"--[a-z-]+", left)]
    assert len(set(written)) == len(written)
    assert list(panels)[-1] == "Everywhere"
    parameters: Any = context.command.get_params(context)
    assert len([row for rows in panels.values() for row in rows]) == len(parameters)
    everywhere = {word for left, _ in panels["Everywhere"] for word in re.findall(r"--[a-z-]+", left)}
    if hasattr(context.command, "list_commands"):
        assert everywhere in ({"--help"}, COMMON | {"--version"})
    else:
        assert everywhere == COMMON


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    assert {name: does for rows in GROUPS.values() for name, does in rows.items()} == {
        name: first_sentence(load(name)) for name in COMMANDS
    }


def test_the_program_alone_shows_its_help(run: Run) -> None:
    alone = run()
    assert alone.returncode == 0
    assert alone.stdout == run("--help").stdout
    assert run("local").stdout == run("local", "-h").stdout


def test_no_help_imports_anything_heavy(tmp_path: Path) -> None:
    modules = imported(tmp_path, *(f"{path} --help" for path in BY_PATH))
    assert {f"sentictl.cli.commands.{name.replace('-', '_')}" for name in COMMANDS} <= modules
    assert not modules & {*HEAVY, "rich"}


def test_the_list_of_commands_imports_none_of_them(tmp_path: Path) -> None:
    modules = imported(tmp_path, "--help")
    assert "sentictl.cli.app" in modules
    assert not [name for name in modules if name.startswith("sentictl.cli.commands.")]


@pytest.mark.parametrize(
    ("variables", "options", "colored"),
    [
        ({}, (), True),
        ({"NO_COLOR": "1"}, (), False),
        ({}, ("--no-color",), False),
        ({"TERM": "dumb"}, (), False),
    ],
)
def test_titles_are_bold_on_a_terminal_that_has_colors(
    tmp_path: Path, variables: dict[str, str], options: tuple[str, ...], colored: bool
) -> None:
    shown = on_terminal(Shell(tmp_path), *options, "train", "--help", variables=variables)
    assert shown.code == 0
    assert ("\033[1mExamples\033[0m" in shown.written) is colored
    assert ("\033" in shown.written) is colored
    assert "sentictl train --arch ngram" in shown.text()
