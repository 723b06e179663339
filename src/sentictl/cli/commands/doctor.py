"""`sentictl doctor`: whether everything is there that sentictl needs, and what to do where it is not."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command

if TYPE_CHECKING:
    from sentictl.services.doctor.check import CheckResult

app = typer.Typer(add_completion=False)
NAME_WIDTH = 22
NARROW = 60  # columns below which what was found does not stand beside the name, but follows it
MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}


@app.command("doctor")
@command
def doctor(
    invocation: Invocation,
    policy: Annotated[bool, typer.Option("--policy", help="Print the IAM policy that you need, and end.")] = False,
    github: Annotated[
        str | None,
        typer.Option(
            help="Print a CloudFormation template of the roles that GitHub Actions of this repository needs, and end.",
            metavar="OWNER/REPO",
        ),
    ] = None,
    instances: Annotated[
        bool, typer.Option("--instances", help="List the instance types that there are for each use, and end.")
    ] = False,
) -> None:
    """Check this machine, the project, and the account.

    Each failure comes with what mends it. In a folder without a project only the machine is checked.
    """
    if policy:
        _show_policy(invocation)
        return
    if github:
        _show_github_template(invocation, github)
        return
    if instances:
        _show_instances(invocation)
        return
    from sentictl.api.doctor import diagnose
    from sentictl.cli.hints import in_environment

    found = []
    for name, told in diagnose(invocation.environment):
        finding = replace(told, mend=in_environment(told.mend, invocation.env))
        found.append({"name": name, "status": finding.status, "found": finding.found, "mend": finding.mend})
        if not invocation.json:
            invocation.output.result(None, _lines(name, finding, invocation.output.width))
    if invocation.json:
        invocation.output.result({"environment": invocation.environment, "checks": found})
    if any(entry["status"] == "failed" for entry in found):
        raise typer.Exit(1)


def _show_policy(invocation: Invocation) -> None:
    import json

    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        document = project.permissions_policy()
    invocation.output.result(document, json.dumps(document, indent=2))


def _show_github_template(invocation: Invocation, repository: str) -> None:
    import json

    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        document = project.github_template(repository)
    invocation.output.result(document, json.dumps(document, indent=2))


def _show_instances(invocation: Invocation) -> None:
    from sentictl.config.instance_types import usable_instance_types

    types = usable_instance_types()
    lines = [f"{name:<20} {', '.join(uses)}" for name, uses in types.items()]
    invocation.output.result(types, "\n".join(lines))


def _lines(name: str, finding: "CheckResult", width: int) -> str:
    from sentictl.cli.view.lines import hanging

    mark = MARKS[finding.status]
    if width >= NARROW:
        lines = hanging(f"{mark} {name:<{NAME_WIDTH}} ", finding.found, width)
    else:
        lines = hanging(f"{mark} ", f"{name}: {finding.found}", width)
    return f"{lines}\n{hanging('    ', finding.mend, width)}" if finding.mend else lines
