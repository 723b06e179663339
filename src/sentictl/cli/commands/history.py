"""`sentictl history`: who changed what, when and from where."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command

if TYPE_CHECKING:
    from sentictl.aws.remote_state.document import Change

app = typer.Typer(add_completion=False)
SIGNS = {"added": "+", "changed": "~", "removed": "-"}


@app.command("history")
@command
def history(invocation: Invocation) -> None:
    """Show who changed this environment, and what.

    Newest first, with when, from where and by which command. That is known where the state is kept on S3
    (`project.state`). The history of a state in sentictl.toml is that of the file, which version control keeps.
    """
    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        changes = project.state.history()
    lines = [line for change in changes for line in _lines(change)]
    document = {"environment": invocation.environment, "changes": [asdict(change) for change in changes]}
    invocation.output.result(document, "\n".join(lines) or "Nothing was changed yet.")


def _lines(change: "Change") -> list[str]:
    """What one run changed, as it is shown."""
    head = f"{change.when}  {change.command:<12} {change.user}"
    signed = f"    {change.who}" + (f" · {change.where}" if "://" in change.where else "")
    records = [f"    {sign} {name}" for kind, sign in SIGNS.items() for name in getattr(change, kind)]
    return [head, signed, *records]
