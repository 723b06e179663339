"""`sentictl export`: the stack for other tools."""

from pathlib import Path
from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation, command

app = typer.Typer(add_completion=False)


@app.command("export")
@command
def export(
    invocation: Invocation,
    cloudformation: Annotated[bool, typer.Option("--cloudformation", help="As a CloudFormation template.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write it to this file instead of stdout.")] = None,
) -> None:
    """Write what the settings ask for as a template that CloudFormation makes a stack of.

    A model must have been trained. The names are the same as sentictl's, so the two cannot stand at once.
    """
    import json

    from sentictl.cli.session import opened
    from sentictl.errors import UsageError
    from sentictl.services.cloudformation import template
    from sentictl.stack import CHAIN

    if not cloudformation:
        raise UsageError("As what shall the stack be exported?", "Say it: sentictl export --cloudformation")
    if output and not output.resolve().parent.is_dir():
        raise UsageError(f"There is no folder {output.resolve().parent}.", "Make it, or choose another --output.")
    with opened(invocation) as project:
        document = template(project.session.looking(), [kind for kinds in CHAIN.values() for kind in kinds])
    text = json.dumps(document, indent=2)
    if output is None:
        invocation.output.result({"template": document}, text)
        return
    _write(output, f"{text}\n")
    invocation.output.result({"file": str(output)}, f"Wrote {output}: {len(document['Resources'])} resources.")


def _write(path: Path, text: str) -> None:
    from sentictl.errors import UsageError
    from sentictl.files import replacing

    try:
        with replacing(path) as stream:
            stream.write(text.encode())
    except OSError as problem:
        raise UsageError(
            f"{path} cannot be written: {problem.strerror}.", "Choose another file with --output."
        ) from None
