"""`sentictl status`: what stands, and whether it is as the settings want it."""

from typing import TYPE_CHECKING, Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command

if TYPE_CHECKING:
    from sentictl.api.results import Status

app = typer.Typer(add_completion=False)
DIFFERENT = 3


@app.command("status")
@command
def status(
    invocation: Invocation,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 3 if something is not as it should be.")
    ] = False,
    resources: Annotated[bool, typer.Option("--resources", help="List every resource instead.")] = False,
) -> None:
    """Show what stands in this environment, and what differs.

    It is shown as AWS has it now, with what was changed or deleted by hand.
    """
    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        found = project.status()
    if invocation.json:
        invocation.output.result(found.document())
    elif not found.findings:
        invocation.output.result(None, f"Nothing stands in the environment {found.environment}.")
    elif resources:
        rows = [(finding.record.kind, finding.record.name, finding.status) for finding in found.findings]
        invocation.output.table(("KIND", "NAME", "STATUS"), rows)
    else:
        _draw(invocation, found)
    if exit_code and found.differs:
        raise typer.Exit(DIFFERENT)


def _draw(invocation: Invocation, found: "Status") -> None:
    from sentictl.cli.view.lines import paragraphs
    from sentictl.cli.view.status import draw
    from sentictl.config.environments import env_option

    output = invocation.output
    output.print(draw(found, env_option(invocation.env), output.width))
    wrong = sum(bool(finding.mend) for finding in found.findings)
    count = len(found.findings)
    standing = f"{wrong} of {count} resources are not" if wrong else f"{count} resources, all"
    told = [f"{standing} as the settings want them.", f"{found.costs}", *found.warnings]
    if found.dashboard_url:
        told.append(f"Dashboard: {found.dashboard_url}")
    if found.rollout:
        told.append(f"{found.rollout}")
        told += [] if found.rollout.stopped else [f"Stop it: sentictl deploy --abort{env_option(invocation.env)}"]
    output.result(None, "\n" + paragraphs([("", line) for line in told], output.width))
