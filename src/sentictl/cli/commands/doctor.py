"""`sentictl doctor`: whether everything is there that sentictl needs, and what to do where it is not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentictl.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from sentictl.config.project_folder import ProjectFolder
    from sentictl.services.doctor.check import Check, CheckResult

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
        bool, typer.Option("--instances", help="List the instance types that SageMaker knows, and end.")
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
    from sentictl.cli.hints import in_environment
    from sentictl.services.doctor.check import carry_out

    found = []
    for name, told in carry_out(_checks(invocation)):
        finding = replace(told, mend=in_environment(told.mend, invocation.env))
        found.append({"name": name, "status": finding.status, "found": finding.found, "mend": finding.mend})
        if not invocation.json:
            invocation.output.result(None, _lines(name, finding, invocation.output.width))
    if invocation.json:
        invocation.output.result({"environment": invocation.environment, "checks": found})
    if any(entry["status"] == "failed" for entry in found):
        raise typer.Exit(1)


def _checks(invocation: Invocation) -> "Iterator[Check]":
    from sentictl.config.config import LOCAL
    from sentictl.config.project_folder import ProjectFolder
    from sentictl.services.doctor.check import Check
    from sentictl.services.doctor.ejected import ejected_checks
    from sentictl.services.doctor.machine import machine_checks, project_checks

    folder = ProjectFolder.find()
    yield from machine_checks(invocation.environment, folder.root if folder else Path.cwd())
    if folder is None:
        return
    yield from project_checks(folder, invocation.environment)
    yield from ejected_checks(folder.root)
    if invocation.environment == LOCAL:
        yield Check("local twin", lambda: _twin(folder))
    else:
        yield from _of_account(invocation)


def _of_account(invocation: Invocation) -> "Iterator[Check]":
    from sentictl.api.stack import CHAIN, KEPT, command_of, resources
    from sentictl.cli.open_project import opened
    from sentictl.errors import SentictlError
    from sentictl.lifecycle.resource import Context
    from sentictl.services.doctor.account import account_checks
    from sentictl.services.iam.roles import Role

    with opened(invocation) as project:
        try:
            config = project.session.load()
        except SentictlError:
            return  # the check of the settings has said so
        context = Context(config, project.session.connect(config), lambda *_: None)
    # Who has no notebook needs no permission to ask for its role.
    commands = KEPT if config.state.latest("notebook-role") else CHAIN
    found = resources(context, *commands)
    roles = [(resource, command_of(resource.kind)) for resource in found if isinstance(resource, Role)]
    yield from account_checks(context, roles)


def _twin(folder: "ProjectFolder") -> "CheckResult":
    from sentictl.services.doctor.check import ok, warning
    from sentictl.twin import daemon

    status = daemon.status(folder.twin_home)
    if status.running:
        return ok(f"runs on port {status.port}")
    if folder.twin_home.is_dir():
        return warning("does not run", "It is started by the next command, or by: sentictl local start")
    return ok("not begun yet")


def _show_policy(invocation: Invocation) -> None:
    import json

    from sentictl.cli.open_project import opened
    from sentictl.services.iam.permissions import policy

    with opened(invocation) as project:
        document = policy(project.session.looking())
    invocation.output.result(document, json.dumps(document, indent=2))


def _show_github_template(invocation: Invocation, repository: str) -> None:
    import json

    from sentictl.cli.open_project import opened
    from sentictl.services.export.github import github_template

    with opened(invocation) as project:
        document = github_template(project.session.looking(), repository)
    invocation.output.result(document, json.dumps(document, indent=2))


def _show_instances(invocation: Invocation) -> None:
    from sentictl.aws.instance_types import known_instance_types

    types = known_instance_types()
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
