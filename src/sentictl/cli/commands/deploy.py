"""`sentictl deploy`: the trained model behind a SageMaker endpoint, or packed for the function."""

from typing import Annotated

import typer

from sentictl.cli.completer import versions
from sentictl.cli.examples import REVIEW
from sentictl.cli.invocation import Invocation
from sentictl.cli.options import Adopt, DryRun, command, setting

app = typer.Typer(add_completion=False)


@app.command("deploy")
@command
def deploy(
    invocation: Invocation,
    model: Annotated[
        str | None,
        setting("Serve this version: its number or name, previous, or latest.", metavar="VERSION", completion=versions),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Serve it even if it is worse than the live one.")] = False,
    serving: Annotated[
        str | None, setting("What answers: instance, serverless, or lambda, without an endpoint.", metavar="CHOICE")
    ] = None,
    instance_type: Annotated[str | None, setting("The machine on AWS, such as ml.m5.large.")] = None,
    instance_count: Annotated[int | None, setting("How many of them.")] = None,
    ttl: Annotated[
        str | None, setting("Take the endpoint down after so long, such as 8h; off: never.", metavar="TIME")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait until the endpoint is in service.")] = True,
    dry_run: DryRun = False,
    adopt: Adopt = False,
) -> None:
    """Put the trained model behind a SageMaker endpoint.

    Or into the function, where deploy.serving is lambda. Another model, or way of serving, replaces the live one
    without a failed request. A version chosen by --model is written to sentictl.toml and stays until --model latest. A
    model that is worse than the live one on the validation reviews is refused.
    """
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.plan import show_plan

    settings = {
        "deploy.serving": serving,
        "deploy.instance_type": instance_type,
        "deploy.instance_count": instance_count,
        "deploy.ttl": ttl,
    }
    with opened(invocation, announced=True) as project:
        if dry_run:
            planned = project.plan("deploy", settings=settings, model=model, force=force, adopt=adopt)
            show_plan(invocation.output, planned)
            return
        record = project.deploy(settings, model=model, force=force, wait=wait, adopt=adopt)
    invocation.output.result({"name": record.name, "arn": record.arn}, record.name)
    ask = [f"predict --via endpoint '{REVIEW}'"] if record.kind == "endpoint" else []
    invocation.next(*ask, "wire-lambda")
