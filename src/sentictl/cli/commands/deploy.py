"""`sentictl deploy`: the trained model behind a SageMaker endpoint."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentictl.cli.invocation import Adopt, DryRun, Invocation, command

if TYPE_CHECKING:
    from sentictl.cli.progress import Progress
    from sentictl.lifecycle.resource import Context

app = typer.Typer(add_completion=False)


@app.command("deploy")
@command
def deploy(
    invocation: Invocation,
    model: Annotated[
        str | None,
        typer.Option(help="Serve this version: its number or name, previous, or latest.", metavar="VERSION"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Serve it even if it is worse than the live one.")] = False,
    instance_type: Annotated[str | None, typer.Option(help="The machine on AWS, such as ml.m5.large.")] = None,
    instance_count: Annotated[int | None, typer.Option(help="How many of them.")] = None,
    ttl: Annotated[
        str | None, typer.Option(help="Take the endpoint down after so long, such as 8h; off: never.", metavar="TIME")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait until the endpoint is in service.")] = True,
    dry_run: DryRun = False,
    adopt: Adopt = False,
) -> None:
    """Put the trained model behind a SageMaker endpoint; another model replaces it without a failed request.

    A version chosen by --model is written to sentictl.toml and stays until --model latest. A model that is worse than
    the live one on the validation reviews is refused.
    """
    from sentictl.cli.session import changing, write
    from sentictl.services.schedule import renew
    from sentictl.services.versions import follow_served

    chosen: dict[str, Any] = {}

    def check(context: "Context", progress: "Progress") -> None:
        progress.begin("deploy")
        chosen.update(_checked(context, model, force=force))

    flags = {"deploy.instance_type": instance_type, "deploy.instance_count": instance_count, "deploy.ttl": ttl}
    if dry_run:
        from sentictl.cli.planning import show_plan

        show_plan(invocation, ["deploy"], flags, check, adopt=adopt)
        return
    with changing(invocation, flags, check) as (context, progress):
        write(context.config, chosen, progress)
        if ttl:
            renew(context)
        progress.run("deploy", context, wait=wait, adopt=adopt)
        follow_served(context)
        record = context.recorded("endpoint", "deploy")
    invocation.output.result({"name": record.name, "arn": record.arn}, record.name)
    invocation.next("predict --via endpoint 'what a film'", "wire-lambda")


def _checked(context: "Context", model: str | None, *, force: bool) -> dict[str, Any]:
    """Put the chosen version into force, look whether it may be served, and return what is to be written of it."""
    from sentictl.services.instances import check_instance_types
    from sentictl.services.versions import SETTING, check_not_worse, choose

    check_instance_types(context)
    chosen = {} if model is None else context.config.change({SETTING: choose(context, model)})
    if not force:
        check_not_worse(context)
    return chosen
