"""`sentictl down`: take everything away, or one part."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from sentictl.cli.invocation import DryRun, Invocation, command

if TYPE_CHECKING:
    from sentictl.lifecycle.resource import Context, Resource
    from sentictl.state import Record

app = typer.Typer(add_completion=False)
Entry = dict[str, str]


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
    from sentictl.cli.session import EVERYTHING, agreed, load_config

    if dry_run:
        _rehearse(invocation, part, keep_data)
        return
    agreed(invocation, load_config(invocation), f"the {part}" if part else EVERYTHING, yes=yes, confirm=confirm)
    deleted, remains = ([], []) if _nothing_stands(invocation) else _take_down(invocation, part, keep_data)
    invocation.output.result({"deleted": deleted, "left": remains}, _told(len(deleted), remains))
    if remains:
        raise typer.Exit(1)


def _rehearse(invocation: Invocation, part: Part | None, keep_data: bool) -> None:
    from sentictl.cli.planning import show_steps
    from sentictl.cli.session import rehearsing
    from sentictl.lifecycle.reconcile import plan_destruction

    with rehearsing(invocation) as (context, _):
        show_steps(invocation.output, context, plan_destruction(_doomed(context, part, keep_data), context))


def _nothing_stands(invocation: Invocation) -> bool:
    """Whether there is nothing on the twin: then it need not be started to be ended. AWS is asked in any case."""
    from sentictl.cli.session import holding, leave
    from sentictl.config import LOCAL

    with holding(invocation) as config:
        nothing = config.environment == LOCAL and not len(config.state)
        if nothing:
            leave(config)
    return nothing


def _take_down(invocation: Invocation, part: Part | None, keep_data: bool) -> tuple[list[Entry], list[Entry]]:
    """Delete it. Returns what was deleted, and what is left of what should not be."""
    from sentictl.cli.session import changing, leave
    from sentictl.services.leftovers import leftovers
    from sentictl.stack import resources

    with changing(invocation) as (context, progress):
        deleted, left = progress.take_down(context, _doomed(context, part, keep_data))
        remains = [_entry(record) for record in left]
        if not part and not keep_data:
            # A kind that is recorded and that no command keeps was written by hand, or by another version.
            remains += [_entry(record) for record in context.state]
            remains += leftovers(context, resources(context), deleted)
            if not remains:
                context.config.set({"deploy.model": ""})  # a version that is no more
                leave(context.config)
    return [{"kind": record.kind, "name": record.name} for record in deleted], remains


def _doomed(context: "Context", part: Part | None, keep_data: bool) -> "list[Resource]":
    from sentictl.stack import PARTS, resources

    chosen = resources(context, PARTS[part]) if part else resources(context)
    return [resource for resource in chosen if not (keep_data and resource.holds_data)]


def _entry(record: "Record") -> Entry:
    return {"kind": record.kind, "name": record.name, "arn": record.arn}


def _told(deleted: int, remains: list[Entry]) -> str:
    if not deleted and not remains:
        return "Nothing stands."
    left = "".join(f"\n  left: {entry['kind']} {entry['name']} {entry['arn']}" for entry in remains)
    return f"Deleted {deleted} resources.{left}"
