"""`sentictl down`: take everything away, or one part."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import DryRun, command
from sentictl.config.environments import env_option

if TYPE_CHECKING:
    from sentictl.api.results import Removal

app = typer.Typer(add_completion=False)


class ChainPart(StrEnum):
    """A part that can be taken down by itself."""

    ENDPOINT = "endpoint"
    LAMBDA = "lambda"
    USERS = "users"
    API = "api"
    SITE = "site"
    ALERTS = "alerts"
    BATCH = "batch"
    TRAIN = "train"


@app.command("down")
@command
def down(
    invocation: Invocation,
    part: Annotated[ChainPart | None, typer.Argument(help="This part alone: `down endpoint` stops the bill.")] = None,
    keep_data: Annotated[bool, typer.Option("--keep-data", help="Keep the reviews, the models and the users.")] = False,
    keep_logs: Annotated[
        bool, typer.Option("--keep-logs", help="Keep the logs, for as long as logs.days says.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    confirm: Annotated[str | None, typer.Option(help="The project's name, in place of typing it.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Delete everything that the chain made in this environment.

    It goes in reverse order and tells what is left. `sentictl.toml` stays. On AWS the project's name is asked for, or
    given with --confirm. A part that was taken down is brought back by its command: the endpoint by `sentictl deploy`,
    without training anew.
    """
    from sentictl.cli.open_project import EVERYTHING, agreed, opened
    from sentictl.cli.view.plan import show_plan

    if not dry_run:
        agreed(invocation, f"the {part}" if part else EVERYTHING, yes=yes, confirm=confirm)
    with opened(invocation, announced=True) as project:
        if dry_run:
            show_plan(invocation.output, project.plan_down(part, keep_data=keep_data, keep_logs=keep_logs))
            return
        removal = project.down(part, keep_data=keep_data, keep_logs=keep_logs)
    invocation.output.result(removal.document(), _told(removal))
    if keep_logs:
        again = f"sentictl down{env_option(invocation.env)}"
        invocation.output.say(f"  The logs stay, for as long as logs.days says. `{again}` deletes them.")
        invocation.next("logs")
    if removal.left:
        raise typer.Exit(1)


def _told(removal: "Removal") -> str:
    if not removal.deleted and not removal.left:
        return "Nothing stands."
    # The ARN has a line of its own, whole, to be copied.
    left = "".join(f"\n  left: {entry['kind']} {entry['name']}\n        {entry['arn']}" for entry in removal.left)
    return f"Deleted {len(removal.deleted)} resources.{left}"
