"""`sentictl export`: the stack, or its API, for other tools."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command

app = typer.Typer(add_completion=False)
# Bytes of a template that CloudFormation takes without a bucket: "Understand CloudFormation quotas" in its user guide.
LARGEST_INLINE = 51_200


@app.command("export")
@command
def export(
    invocation: Invocation,
    cloudformation: Annotated[bool, typer.Option("--cloudformation", help="As a CloudFormation template.")] = False,
    openapi: Annotated[bool, typer.Option("--openapi", help="The API, as an OpenAPI 3.0 document.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write it to this file instead of stdout.")] = None,
) -> None:
    """Write the stack for CloudFormation, or the API as OpenAPI.

    Both are what the settings ask for. For the template a model must have been trained; its names are the same as
    sentictl's, so the two cannot stand at once. API Gateway can make an API of the document.
    """
    import json

    from sentictl.cli.open_project import opened
    from sentictl.errors import UsageError

    if cloudformation == openapi:
        raise UsageError(
            "As what shall it be exported?", "Say one: sentictl export --cloudformation, sentictl export --openapi"
        )
    if output and not output.resolve().parent.is_dir():
        raise UsageError(f"There is no folder {output.resolve().parent}.", "Make it, or choose another --output.")
    with opened(invocation) as project:
        document = project.openapi() if openapi else project.cloudformation()
    text = json.dumps(document, indent=1)
    if cloudformation and len(text.encode()) >= LARGEST_INLINE:
        text = json.dumps(document, separators=(",", ":"))
    if output is None:
        invocation.output.result({"document" if openapi else "template": document}, text)
    else:
        _write(output, f"{text}\n")
        size = f"{len(document['paths']['/'])} methods" if openapi else f"{len(document['Resources'])} resources"
        invocation.output.result({"file": str(output)}, f"Wrote {output}: {size}.")
    if cloudformation and len(text.encode()) >= LARGEST_INLINE:
        invocation.output.say(_by_bucket(document, output))


def _by_bucket(template: Mapping[str, Any], output: Path | None) -> str:
    """Say how a stack is made of a template that is too large to be handed over as it is."""
    told = template["Metadata"]["sentictl"]
    return (
        f"CloudFormation takes {LARGEST_INLINE:,} bytes without a bucket, and this template has more. By way of the "
        "project's bucket it takes it:\n"
        f"  aws cloudformation deploy --stack-name {told['Config']} --template-file {output or 'stack.json'} "
        f"--s3-bucket {template['Parameters']['Bucket']['Default']} "
        f"--capabilities CAPABILITY_NAMED_IAM --region {told['Region']}"
    )


def _write(path: Path, text: str) -> None:
    from sentictl.assets.atomic import replacing
    from sentictl.errors import UsageError

    try:
        with replacing(path) as stream:
            stream.write(text.encode())
    except OSError as problem:
        raise UsageError(
            f"{path} cannot be written: {problem.strerror}.", "Choose another file with --output."
        ) from None
