"""What the program does at once, without the command line's own machinery: the same as with it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_app import HEAVY

PROGRAM = (
    "import os, sys\n"
    "from sentictl.cli import {module}\n"
    "os._exit = sys.exit\n"  # so that what was imported can still be told
    "sys.argv = ['sentictl', *sys.argv[1:]]\n"
    "try:\n    {module}.main()\n"
    "finally:\n    sys.stderr.write(' '.join(['\\nIMPORTED', *sys.modules]))\n"
)


def called(module: str, folder: Path, *arguments: str) -> tuple[int, str, str, set[str]]:
    """The exit code, what stands on stdout and stderr, and the modules that were imported."""
    program = [sys.executable, "-c", PROGRAM.format(module=module), *arguments]
    done = subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False)
    said, _, modules = done.stderr.rpartition("\nIMPORTED")
    return done.returncode, done.stdout, said, set(modules.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("a superb film",),
        ("a superb film", "dreadful", "--json"),
        ("--explain", "--json", "a superb film"),
        ("a superb film", " ", "--quiet"),
    ],
)
def test_a_plain_question_is_answered_the_same_without_typer(project: Path, arguments: tuple[str, ...]) -> None:
    *quick, modules = called("program", project, "predict", *arguments)
    *usual, _ = called("app", project, "predict", *arguments)
    assert quick == usual
    assert not modules & {*HEAVY, "typer", "concurrent.futures", "logging"} - {"numpy", "onnxruntime"}


def test_without_a_model_the_error_is_the_same(tmp_path: Path) -> None:
    code, out, said, _ = called("program", tmp_path, "predict", "a superb film")
    assert code == 1
    assert (code, out, said) == called("app", tmp_path, "predict", "a superb film")[:3]


@pytest.mark.parametrize(
    "arguments", [("predict", "--explian", "x"), ("predict", "-1 stars"), ("--version",), ("predict", "-h")]
)
def test_everything_else_goes_through_the_command_line(project: Path, arguments: tuple[str, ...]) -> None:
    assert called("program", project, *arguments)[:3] == called("app", project, *arguments)[:3]
