"""`sentictl init`: begin a project."""

from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation, command

app = typer.Typer(add_completion=False)


@app.command("init")
@command
def init(
    invocation: Invocation,
    name: Annotated[str | None, typer.Option(help="The project's name; by default the folder's.")] = None,
) -> None:
    """Begin a project in this folder: write a commented sentictl.toml."""
    from sentictl.services.initializing import begin

    folder = begin(name)
    invocation.output.result({"file": str(folder.settings_file)}, f"Wrote {folder.settings_file.name}.")
    invocation.next("up")
