"""`sentictl doctor`: whether everything is there that sentictl needs, and what to do where it is not."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentictl.api.project import Project
    from sentictl.services.doctor.check import CheckResult

app = typer.Typer(add_completion=False)
NAME_WIDTH = 22
NARROW = 60  # columns below which what was found does not stand beside the name, but follows it
MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}


@app.command("doctor")
@command
def doctor(
    invocation: Invocation,
    policy: Annotated[bool, typer.Option("--policy", help="Print the IAM policies that you need, and end.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write each policy to a file in this folder instead.", metavar="FOLDER")
    ] = None,
    callers_policy: Annotated[
        bool,
        typer.Option("--callers-policy", help='Print the IAM policy of who asks an API of api.auth = "iam", and end.'),
    ] = False,
    github: Annotated[
        str | None,
        typer.Option(
            help="Print a CloudFormation template of the roles that GitHub Actions of this repository needs, and end.",
            metavar="OWNER/REPO",
        ),
    ] = None,
    previews: Annotated[
        bool, typer.Option("--previews", help="With --github: the role that makes previews of pull requests, instead.")
    ] = False,
    instances: Annotated[
        bool, typer.Option("--instances", help="List the instance types that there are for each use, and end.")
    ] = False,
) -> None:
    """Check this machine, the project, and the account.

    Each failure comes with what mends it. In a folder without a project only the machine is checked.
    """
    if output and not policy:
        raise UsageError("--output is where --policy writes to.", "Say both: sentictl doctor --policy --output FOLDER")
    if previews and not github:
        raise UsageError("--previews is of --github.", "Say both: sentictl doctor --github OWNER/REPO --previews")
    invocation.check_alone("--policy", "prints policies", "--output")
    invocation.check_alone("--callers-policy", "prints a policy")
    invocation.check_alone("--github", "prints a template", "--previews")
    invocation.check_alone("--instances", "lists instance types")
    if policy:
        _show_policies(invocation, output)
        return
    if callers_policy:
        _show_document(invocation, lambda project: project.callers_policy())
        return
    if github:
        _show_document(invocation, lambda project: project.github_template(github, previews=previews))
        return
    if instances:
        _show_instances(invocation)
        return
    _check(invocation)


def _check(invocation: Invocation) -> None:
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


def _show_policies(invocation: Invocation, folder: Path | None) -> None:
    import json

    from sentictl.assets.atomic import write_atomically
    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        policies = project.permissions_policies()
    if folder is None:
        invocation.output.result(policies, json.dumps(policies, indent=2))
        return
    files = {folder / f"{name}.json": json.dumps(policy, indent=2) for name, policy in policies.items()}
    try:
        for file, text in files.items():
            write_atomically(file, f"{text}\n".encode())
    except OSError as problem:
        raise UsageError(
            f"{folder} cannot be written to: {problem.strerror}.", "Choose another folder with --output."
        ) from None
    invocation.output.result({"files": [str(file) for file in files]}, "\n".join(map(str, files)))


def _show_document(invocation: Invocation, of: "Callable[[Project], dict[str, Any]]") -> None:
    import json

    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        document = of(project)
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
