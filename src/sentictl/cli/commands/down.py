"""`sentictl down`: take everything away."""

from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation, command

app = typer.Typer(add_completion=False)


@app.command("down")
@command
def down(
    invocation: Invocation,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    confirm: Annotated[str | None, typer.Option(help="The project's name, in place of typing it.")] = None,
) -> None:
    """Delete everything that the chain made in this environment, in reverse order, and tell what is left.

    `sentictl.toml` stays. On AWS the project's name is asked for, or given with --confirm.
    """
    from sentictl.cli.session import agreed, changing, leave, open_project

    project = open_project(invocation)
    agreed(invocation, project, yes=yes, confirm=confirm)
    if not len(project.state):
        leave(project)
        invocation.output.result({"deleted": [], "left": []}, f"Nothing stands in {project.environment}.")
        return
    with changing(invocation) as (context, progress):
        deleted, left = progress.take_down(context)
        if not left:
            leave(context.project)
    document = {
        "deleted": [{"kind": step.kind, "name": step.name} for step in deleted],
        "left": [{"kind": record.kind, "name": record.name, "arn": record.arn} for record in left],
    }
    remains = "".join(f"\n  left: {record.kind} {record.name}" for record in left)
    invocation.output.result(document, f"Deleted {len(deleted)} resources.{remains}")
    if left:
        raise typer.Exit(1)
