"""`sentictl deploy`: the trained model behind a SageMaker endpoint."""

from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation, command

app = typer.Typer(add_completion=False)


@app.command("deploy")
@command
def deploy(
    invocation: Invocation,
    instance_type: Annotated[str | None, typer.Option(help="The machine on AWS, such as ml.m5.large.")] = None,
    instance_count: Annotated[int | None, typer.Option(help="How many of them.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait until the endpoint is in service.")] = True,
) -> None:
    """Put the trained model behind a SageMaker endpoint; a newer model replaces it without a failed request."""
    from sentictl.cli.session import changing
    from sentictl.services.instances import check_instance_types

    flags = {"deploy.instance_type": instance_type, "deploy.instance_count": instance_count}
    with changing(invocation, flags, check=lambda context, _: check_instance_types(context)) as (context, progress):
        progress.run("deploy", context, wait=wait)
        record = context.recorded("endpoint", "deploy")
    invocation.output.result({"name": record.name, "arn": record.arn}, record.name)
    invocation.next("predict --via endpoint 'what a film'", "wire-lambda")
