"""Command lines as a shell and the program would read them, of which nothing is carried out."""

import contextlib
import os
import shlex
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import typer

from sentictl.cli.app import app

SHELL = ("|", "||", "&&", ";", ">", ">>", "<", "&")  # where one command ends
PROGRAM: Any = typer.main.get_command(app)


def calls_in(line: str) -> Iterator[list[str]]:
    """The arguments of each call of sentictl in a shell's line."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    call: list[str] | None = None
    for word in [*words, ";"]:
        if call is not None and word in SHELL:
            yield call
            call = None
        elif call is not None:
            call.append(word)
        elif word.rpartition("/")[2] == "sentictl":
            call = []


def parse(arguments: list[str]) -> None:
    """Read a command line as the program would, down to the command that it names, and carry nothing out."""
    # --help ends by itself, and --no-color sets a variable.
    with contextlib.suppress(typer.Exit), patch.dict(os.environ):
        context = PROGRAM.make_context("sentictl", list(arguments))
        while hasattr(context.command, "resolve_command"):
            name, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
            context = command.make_context(name, rest, parent=context)
