"""`sentictl completion`: the script that lets a shell complete what is typed."""

from enum import StrEnum
from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command

app = typer.Typer(add_completion=False)


class Shell(StrEnum):
    """The shells that can complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command("completion")
@command
def completion(invocation: Invocation, shell: Annotated[Shell, typer.Argument(help="Your shell.")]) -> None:
    """Let a shell complete commands, options and their values.

    Prints the script that the shell runs for that. Environments are completed too, and versions of the model and
    settings, from the sentictl.toml of the folder you are in. Nothing on AWS is asked.
    """
    from sentictl.cli.completer import script

    text = script(shell)
    invocation.output.result({"shell": shell, "script": text}, text)
