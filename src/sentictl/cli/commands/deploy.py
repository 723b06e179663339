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
    shadow: Annotated[
        str | None,
        setting(
            "Give this version a copy of the requests; it answers nobody. off: no more.",
            metavar="VERSION",
            completion=versions,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Serve it even if it is worse than the live one.")] = False,
    serving: Annotated[
        str | None, setting("What answers: instance, serverless, or lambda, without an endpoint.", metavar="CHOICE")
    ] = None,
    instance_type: Annotated[str | None, setting("The machine on AWS, such as ml.m5.large.")] = None,
    instance_count: Annotated[int | None, setting("How many of them.")] = None,
    image: Annotated[
        str | None, setting("The container: pytorch, ray-serve, or an image of yours in Amazon ECR.", metavar="IMAGE")
    ] = None,
    min_instances: Annotated[int | None, setting("The fewest of them, where their number follows the load.")] = None,
    max_instances: Annotated[int | None, setting("The most of them; 0: their number stays.")] = None,
    ttl: Annotated[
        str | None, setting("Take the endpoint down after so long, such as 8h; off: never.", metavar="TIME")
    ] = None,
    rollout: Annotated[
        str | None, setting("How another model takes over: all-at-once, canary or linear.", metavar="KIND")
    ] = None,
    rollout_percent: Annotated[int | None, setting("Of the machines, in its first step or in each.")] = None,
    rollout_minutes: Annotated[int | None, setting("It is watched for after each step.")] = None,
    rollback_on: Annotated[
        str | None,
        setting("What makes AWS go back: errors,latency,undecided,probability.", metavar="LIST"),
    ] = None,
    abort: Annotated[bool, typer.Option("--abort", help="Stop a rollout that is on its way, and go back.")] = False,
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
        "deploy.image": image,
        "deploy.min_instances": min_instances,
        "deploy.max_instances": max_instances,
        "deploy.ttl": ttl,
        "deploy.rollout": rollout,
        "deploy.rollout_percent": rollout_percent,
        "deploy.rollout_minutes": rollout_minutes,
        "deploy.rollback_on": rollback_on,
    }
    invocation.check_alone("--abort", "stops a rollout", "--wait")
    with opened(invocation, announced=True) as project:
        if abort:
            served = project.abort_rollout(wait=wait)
            invocation.output.result({"endpoint_config": served}, f"{served} is served, as before")
            return
        if dry_run:
            planned = project.plan("deploy", settings=settings, model=model, shadow=shadow, force=force, adopt=adopt)
            show_plan(invocation.output, planned)
            return
        record = project.deploy(settings, model=model, shadow=shadow, force=force, wait=wait, adopt=adopt)
    invocation.output.result({"name": record.name, "arn": record.arn}, record.name)
    ask = [f"predict --via endpoint '{REVIEW}'"] if record.kind == "endpoint" else []
    invocation.next(*ask, "wire-lambda")
