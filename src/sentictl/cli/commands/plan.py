"""`sentictl plan`: what `up` would do."""

from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import Adopt, command

app = typer.Typer(add_completion=False)
DIFFERENT = 3


@app.command("plan")
@command
def plan(
    invocation: Invocation,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 3 if there is anything to do.")] = False,
    adopt: Adopt = False,
) -> None:
    """Show what `up` would do, and what that costs.

    That is what it would make, change, replace and delete; plan itself changes nothing. The reviews are prepared on
    this machine where they are not yet: what follows from them depends on what is in them.
    """
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.plan import show_plan

    with opened(invocation, announced=True) as project:
        planned = project.plan(adopt=adopt)
        show_plan(invocation.output, planned)
    if planned.changes and exit_code:
        raise typer.Exit(DIFFERENT)
