"""`sentictl down`: take everything away, or one part."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentictl.cli.invocation import DryRun, Invocation, command

if TYPE_CHECKING:
    from sentictl.lifecycle.resource import Context, Resource

app = typer.Typer(add_completion=False)


class Part(StrEnum):
    """What can be taken down by itself."""

    ENDPOINT = "endpoint"
    LAMBDA = "lambda"
    API = "api"
    SITE = "site"


@app.command("down")
@command
def down(
    invocation: Invocation,
    part: Annotated[Part | None, typer.Argument(help="This part alone: `down endpoint` stops the bill.")] = None,
    keep_data: Annotated[bool, typer.Option("--keep-data", help="Keep the reviews and the trained models.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    confirm: Annotated[str | None, typer.Option(help="The project's name, in place of typing it.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Delete everything that the chain made in this environment, in reverse order, and tell what is left.

    `sentictl.toml` stays. On AWS the project's name is asked for, or given with --confirm. A part that was taken down
    is brought back by its command: the endpoint by `sentictl deploy`, without training anew.
    """
    from sentictl.cli.session import EVERYTHING, agreed, changing, holding, leave, open_project, rehearsing
    from sentictl.lifecycle.reconcile import plan_destruction
    from sentictl.project import LOCAL
    from sentictl.services.leftovers import leftovers

    if dry_run:
        from sentictl.cli.planning import show_steps

        with rehearsing(invocation) as (context, _):
            show_steps(invocation.output, context, plan_destruction(_doomed(context, part, keep_data), context))
        return
    agreed(invocation, open_project(invocation), f"the {part}" if part else EVERYTHING, yes=yes, confirm=confirm)
    with holding(invocation) as project:
        nothing = project.environment == LOCAL and not len(project.state)
        if nothing:  # the twin need not be started to be ended
            leave(project)
    if nothing:
        invocation.output.result({"deleted": [], "left": []}, _told(0, []))
        return
    with changing(invocation) as (context, progress):
        deleted, left = progress.take_down(context, _doomed(context, part, keep_data))
        remains = [{"kind": record.kind, "name": record.name, "arn": record.arn} for record in left]
        if not part and not keep_data:
            remains += leftovers(context, deleted)
            if not remains:
                context.project.set({"deploy.model": ""})  # a version that is no more
                leave(context.project)
    gone = [{"kind": record.kind, "name": record.name} for record in deleted]
    invocation.output.result({"deleted": gone, "left": remains}, _told(len(gone), remains))
    if remains:
        raise typer.Exit(1)


def _doomed(context: "Context", part: Part | None, keep_data: bool) -> "list[Resource]":
    from sentictl.stack import PARTS, resources

    chosen = resources(context, PARTS[part]) if part else resources(context)
    return [resource for resource in chosen if not (keep_data and resource.holds_data)]


def _told(deleted: int, remains: list[dict[str, Any]]) -> str:
    if not deleted and not remains:
        return "Nothing stands."
    left = "".join(f"\n  left: {entry['kind']} {entry['name']} {entry['arn']}" for entry in remains)
    return f"Deleted {deleted} resources.{left}"
