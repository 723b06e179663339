"""`sentictl logs`: what the parts of the chain wrote."""

from enum import StrEnum
from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command

app = typer.Typer(add_completion=False)


class LogSource(StrEnum):
    """The parts of the chain that write a log."""

    TRAIN = "train"
    ENDPOINT = "endpoint"
    LAMBDA = "lambda"


@app.command("logs")
@command
def logs(invocation: Invocation, part: Annotated[LogSource, typer.Argument(help="Whose log.")]) -> None:
    """Show what a part of the chain wrote.

    That is the latest training job, the endpoint, or the Lambda function.
    """
    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        lines = list(project.logs(part))
    invocation.output.result(lines, "\n".join(lines))
