"""`sentictl predict`: positive or negative?"""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from sentictl.cli import answers
from sentictl.cli.answers import Via
from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.errors import UsageError

app = typer.Typer(add_completion=False)


def of_file(meaning: str) -> Any:
    """An option about the reviews of `--file`; the settings stay as they are."""
    return typer.Option(help=meaning, rich_help_panel="How --file is read")


@app.command("predict")
@command
def predict(
    invocation: Invocation,
    reviews: Annotated[list[str] | None, typer.Argument(help="Reviews, or - for one a line on stdin.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show which words and phrases made it so.")] = False,
    file: Annotated[Path | None, typer.Option(help="A table or .txt file of reviews.")] = None,
    review_column: Annotated[str | None, of_file("The column of the reviews.")] = None,
    delimiter: Annotated[str | None, of_file("What parts the fields, such as ; or tab. Else found out.")] = None,
    encoding: Annotated[str | None, of_file("The encoding of the file, such as cp1252. Else found out.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the answers to this .jsonl or .csv file.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the answers in --output end.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first row that cannot be answered.")] = False,
    via: Annotated[Via, typer.Option(help="The model on this machine, or the deployed API or endpoint.")] = Via.LOCAL,
) -> None:
    """Tell whether reviews are positive or negative.

    By default the model artifact on this machine is asked, which needs no server.
    """
    if resume and not output:
        raise UsageError("--resume goes on with answers in a file.", "Name it with --output.")
    form = {"review_column": review_column, "delimiter": delimiter, "encoding": encoding}
    asked = answers.given(invocation, reviews or [], file, form)
    with closing(answers.asker_of(invocation, via, explain=explain)) as asker:
        if output:
            answers.write(invocation, output, asked, asker, resume=resume, strict=strict)
        else:
            answers.tell(invocation, asked, asker, strict=strict)
