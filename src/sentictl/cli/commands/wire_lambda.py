"""`sentictl wire-lambda`: a Lambda function in front of the endpoint."""

from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import Adopt, DryRun, command, setting

app = typer.Typer(add_completion=False)


@app.command("wire-lambda")
@command
def wire_lambda(
    invocation: Invocation,
    memory_mb: Annotated[int | None, setting("The function's memory, where it asks an endpoint.")] = None,
    timeout_seconds: Annotated[int | None, setting("How long it may take; 29 at most.")] = None,
    dry_run: DryRun = False,
    adopt: Adopt = False,
) -> None:
    """Put a Lambda function in front of the endpoint.

    Its role allows it to invoke this endpoint and to write its log, and nothing else. Where deploy.serving is lambda,
    it holds the model itself.
    """
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.plan import show_plan

    settings = {"lambda.memory_mb": memory_mb, "lambda.timeout_seconds": timeout_seconds}
    with opened(invocation, announced=True) as project:
        if dry_run:
            show_plan(invocation.output, project.plan("wire-lambda", settings=settings, adopt=adopt))
            return
        record = project.wire_lambda(settings, adopt=adopt)
    invocation.output.result({"name": record.name, "arn": record.arn}, record.name)
    invocation.next("wire-api")
