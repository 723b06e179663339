"""`sentictl users`: who may sign in to ask."""

from pathlib import Path
from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.cli.private_file import private_file
from sentictl.config.environments import env_option

app = typer.Typer(
    name="users",
    help="Add, list and remove those who may sign in (api.auth).",
    no_args_is_help=True,
    add_completion=False,
)
Email = Annotated[str, typer.Argument(help="The address that the user signs in with.", metavar="EMAIL")]


@app.command("add")
@command
def add(
    invocation: Invocation,
    email: Email,
    output: Annotated[
        Path | None, typer.Option(help="Write the password to this new file, which only you can read.")
    ] = None,
) -> None:
    """Make a user, and print a password for the first sign-in. It is told this once, and kept nowhere.

    No mail is sent: hand it on yourself. Whoever signs in with it is asked for another one.
    """
    from sentictl.cli.open_project import opened

    with private_file(output) as write, opened(invocation, announced=True) as project:
        user = project.users.add(email)
        write(user.password)
    if output:
        invocation.output.result({"email": user.email, "file": str(output)}, str(output))
    else:
        invocation.output.result({"email": user.email, "password": user.password}, user.password)
    invocation.output.say(f"It is told this once. {user.email} signs in with it at {user.page}")


@app.command("list")
@command
def list_(invocation: Invocation) -> None:
    """List the users."""
    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        users = project.users.list()
    lines = "\n".join(f"{user.email:<40} {user.status}" for user in users)
    none = f"There is no user. Make one: sentictl users add EMAIL{env_option(invocation.env)}"
    invocation.output.result([user.document() for user in users], lines or none)


@app.command("remove")
@command
def remove(invocation: Invocation, email: Email) -> None:
    """Delete a user. Who is signed in can ask for an hour at most."""
    from sentictl.cli.open_project import opened

    with opened(invocation, announced=True) as project:
        project.users.remove(email)
    invocation.output.result({"email": email, "removed": True}, f"{email} cannot sign in any more.")
