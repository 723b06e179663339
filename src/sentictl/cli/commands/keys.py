"""`sentictl keys`: who may ask an API that takes a key."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from sentictl.cli.examples import REVIEW
from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.cli.private_file import private_file
from sentictl.config.environments import env_option

app = typer.Typer(
    name="keys",
    help="Make, list and revoke the keys of an API that takes one.",
    no_args_is_help=True,
    add_completion=False,
)
Name = Annotated[str, typer.Argument(help="Whose it is, or what for.", metavar="NAME")]


@app.command("create")
@command
def create(
    invocation: Invocation,
    name: Name,
    output: Annotated[
        Path | None, typer.Option(help="Write the key to this new file, which only you can read.")
    ] = None,
) -> None:
    """Make a key, and print it. It is told this once, and kept nowhere."""
    from sentictl.cli.open_project import opened

    with private_file(output) as write, opened(invocation, announced=True) as project:
        key = project.keys.create(name)
        write(key.value)
    if output:
        invocation.output.result({"name": key.name, "file": str(output)}, str(output))
        where, file = env_option(invocation.env), shlex.quote(str(output))
        invocation.output.say(
            f"Ask with it: SENTICTL_API_KEY=$(cat {file}) sentictl predict --via api '{REVIEW}'{where}"
        )
        return
    invocation.output.result({"name": key.name, "value": key.value}, key.value)
    invocation.output.say("It is shown this once. Ask with it: put it into the variable SENTICTL_API_KEY")


@app.command("list")
@command
def list_(invocation: Invocation) -> None:
    """List the keys, and what each was used for in the last 30 days."""
    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        keys = project.keys.list()
    lines = [
        f"{'NAME':<20} {'CREATED':<10}  {'LAST USED':<10}  {'REQUESTS':>8}  QUOTA",
        *(
            f"{key.name:<20} {key.created:%Y-%m-%d}  {key.last_used or 'not yet'!s:<10}  {key.requests:>8,}  "
            + (f"{key.left:,} left of {key.quota}" if key.left is not None else "no limit")
            + ("" if key.enabled else "  disabled")
            for key in keys
        ),
    ]
    none = f"There is no key. Make one: sentictl keys create NAME{env_option(invocation.env)}"
    invocation.output.result([key.document() for key in keys], "\n".join(lines) if keys else none)


@app.command("revoke")
@command
def revoke(invocation: Invocation, name: Name) -> None:
    """Delete a key: who has it is refused from now on."""
    from sentictl.cli.open_project import opened

    with opened(invocation, announced=True) as project:
        project.keys.revoke(name)
    invocation.output.result({"name": name, "revoked": True}, f"The key {name} is revoked.")
