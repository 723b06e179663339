"""`sentictl notebook`: a Jupyter beside the chain, with the walkthrough in it."""

from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import Adopt, command, setting

app = typer.Typer(
    name="notebook",
    help="Make, open, stop and delete a notebook beside the chain.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command("create")
@command
def create(
    invocation: Invocation,
    instance_type: Annotated[str | None, setting("The machine it runs on.")] = None,
    volume_gb: Annotated[int | None, setting("The size of its folder; it can only grow.")] = None,
    idle_minutes: Annotated[int | None, setting("Without use, after which it stops by itself.")] = None,
    adopt: Adopt = False,
) -> None:
    """Make a notebook in which sentictl is installed, and the walkthrough.

    On AWS it is a SageMaker notebook instance, which costs by the hour while it runs. In `local` it is a JupyterLab on
    this machine. `up` does not make it, and `down` deletes it.
    """
    from sentictl.cli.open_project import opened

    settings = {
        "notebook.instance_type": instance_type,
        "notebook.volume_gb": volume_gb,
        "notebook.idle_minutes": idle_minutes,
    }
    with opened(invocation, announced=True) as project:
        record = project.notebook.create(settings, adopt=adopt)
    invocation.output.result({"name": record.name, "arn": record.arn}, record.name)
    invocation.next("notebook open")


@app.command("open")
@command
def open_(
    invocation: Invocation,
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the address, and open no browser.")] = False,
) -> None:
    """Open the notebook in a browser; one that is stopped is started first.

    Its address lets in whoever has it: do not pass it on.
    """
    from sentictl.cli.browser import open_privately
    from sentictl.cli.open_project import opened

    with opened(invocation, announced=True) as project:
        url = project.notebook.open()
    invocation.output.result({"url": url}, url)
    if not (no_open or invocation.json or open_privately(url)):
        invocation.output.say("There is no browser to open it in: open that address by hand.")


@app.command("stop")
@command
def stop(invocation: Invocation) -> None:
    """Stop the notebook. What is in its folder is kept for the next time."""
    from sentictl.cli.open_project import opened

    with opened(invocation, announced=True) as project:
        project.notebook.stop()
    invocation.output.result({"stopped": True}, "The notebook is stopped.")


@app.command("delete")
@command
def delete(
    invocation: Invocation,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the notebook, with all that is in its folder, and its role."""
    from sentictl.cli.open_project import agreed, opened

    agreed(invocation, "the notebook", yes=yes, confirm=None)
    with opened(invocation, announced=True) as project:
        deleted = project.notebook.delete()
    document = {"deleted": [{"kind": record.kind, "name": record.name} for record in deleted]}
    invocation.output.result(document, f"Deleted {len(deleted)} resources." if deleted else "There is no notebook.")


@app.command("policy")
@command
def policy(invocation: Invocation) -> None:
    """Print the IAM policy that these commands take, beside those of `doctor --policy`."""
    import json

    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        document = project.notebook.policy()
    invocation.output.result(document, json.dumps(document, indent=2))
