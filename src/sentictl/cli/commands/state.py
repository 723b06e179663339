"""`sentictl state`: the recorded state by hand, and where it is kept."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command

if TYPE_CHECKING:
    from sentictl.aws.remote_state.lease import Holder

app = typer.Typer(
    name="state",
    help="Fetch, replace, unlock and move the recorded state.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command("pull")
@command
def pull(invocation: Invocation) -> None:
    """Print the recorded state as JSON, with its lineage, its serial and its history."""
    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        document = project.state.pull()
    invocation.output.result(document, json.dumps(document, indent=1))


@app.command("push")
@command
def push(
    invocation: Invocation,
    file: Annotated[Path, typer.Argument(help="What `state pull` printed, perhaps corrected.", metavar="FILE")],
    force: Annotated[bool, typer.Option("--force", help="Even if it is older, or of another lineage.")] = False,
) -> None:
    """Put a state in the place of the recorded one. Nothing on AWS changes.

    One that is older than the recorded one, or does not follow from it, is refused without --force.
    """
    from sentictl.cli.open_project import opened

    document = _read(file)
    with opened(invocation, announced=True) as project:
        recorded = project.state.push(document, force=force)
    invocation.output.result({"recorded": recorded}, f"Recorded {recorded} resources.")
    invocation.next("status")


@app.command("unlock")
@command
def unlock(
    invocation: Invocation,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the lease from whoever has it, and say who that was.

    What that process records afterwards is refused, but what it was just asking AWS for is done. So make sure that it
    is dead: a lease that is not renewed runs out by itself within two minutes.
    """
    from sentictl.cli.open_project import agreed_to, opened

    def agreed(holder: "Holder") -> None:
        invocation.output.say(f"The lease is held by {holder.told()}.")
        agreed_to(invocation, "Take the lease from that process? Type yes: ", yes=yes)

    with opened(invocation) as project:
        taken = project.state.unlock(agreed)
    document = {"unlocked": taken is not None, "holder": taken and taken.signed.user, "who": taken and taken.signed.who}
    told = f"Taken from {taken.told()}." if taken else "Nobody has the lease."
    invocation.output.result(document, told)


@app.command("move")
@command
def move(
    invocation: Invocation,
    to: Annotated[str, typer.Argument(help="file, s3, or an address such as s3://our-bucket/films.", metavar="PLACE")],
) -> None:
    """Move the state of this environment to another place, and the setting with it.

    `file` is sentictl.toml, `s3` the project's own bucket. The new place is written and read again before the setting
    says so; what is interrupted goes on with the same command.
    """
    from sentictl.cli.open_project import opened

    with opened(invocation, announced=True) as project:
        recorded = project.state.move(to)
    invocation.output.result(
        {"state": to, "recorded": recorded}, f"The state, {recorded} resources, is kept in {_named(to)} now."
    )
    invocation.output.say("\nCommit sentictl.toml: it says where the state is.")


def _named(place: str) -> str:
    return {"file": "sentictl.toml", "s3": "the project's bucket"}.get(place, place)


def _read(file: Path) -> dict[str, Any]:
    """The document in a file.

    Raises:
        UsageError: there is none.
    """
    from sentictl.errors import UsageError

    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError) as problem:
        raise UsageError(
            f"{file} cannot be read as JSON: {problem}.", "Write one: sentictl state pull > FILE"
        ) from None
    if not isinstance(document, dict):
        raise UsageError(f"{file} is no state: it holds no JSON object.", "Write one: sentictl state pull > FILE")
    return document
