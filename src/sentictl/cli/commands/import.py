"""`sentictl import`: the state from what AWS has, where it was lost."""

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command

app = typer.Typer(add_completion=False)


@app.command("import")
@command
def import_state(invocation: Invocation) -> None:
    """Record again what stands on AWS, where the state was lost.

    What AWS has for this project and environment is found by names and tags. What is recorded already stays.
    """
    from sentictl.cli.open_project import opened

    with opened(invocation, announced=True) as project:
        found = project.discover()
    document = {"imported": [{"kind": record.kind, "name": record.name} for record in found]}
    lines = [f"  {record.kind:<18} {record.name}" for record in found]
    invocation.output.result(document, "\n".join([*lines, f"Recorded {len(found)} resources."]))
    invocation.next("status", "up")
