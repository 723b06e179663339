"""`sentictl status`: what stands, and whether it is as the settings want it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentictl.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from sentictl.lifecycle.resource import Context

app = typer.Typer(add_completion=False)
DIFFERENT = 3


@app.command("status")
@command
def status(
    invocation: Invocation,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 3 if something is not as it should be.")
    ] = False,
) -> None:
    """Show what stands in this environment, as AWS has it now, and what was changed or deleted by hand."""
    from sentictl.cli.session import load_config, looking

    config = load_config(invocation)
    if not len(config.state):  # nothing to ask, and no twin to start
        document: dict[str, Any] = {"environment": config.environment, "resources": []}
        document |= {"page_url": None, "api_url": None, "hourly_cost": 0.0, "warnings": []}
        invocation.output.result(document, f"Nothing stands in the environment {config.environment}.")
        return
    document = _look(looking(invocation))
    if invocation.json:
        invocation.output.result(document)
    else:
        _show(invocation, document)
    if exit_code and any(entry["mend"] for entry in document["resources"]):
        raise typer.Exit(DIFFERENT)


def _look(context: "Context") -> dict[str, Any]:
    from sentictl.services.gateway import invoke_url
    from sentictl.services.pricing import estimate
    from sentictl.services.schedule import ending
    from sentictl.services.usage import idle_warning
    from sentictl.services.website import page_url
    from sentictl.stack import inspect

    costs = estimate(context, {record.kind for record in context.state})
    findings = [
        {
            "kind": finding.record.kind,
            "name": finding.record.name,
            "status": finding.status,
            "arn": finding.record.arn,
            "changes": finding.changes,
            "mend": finding.mend and f"sentictl {finding.mend}",
        }
        for finding in inspect(context)
    ]
    return {
        "environment": context.environment.name,
        "resources": findings,
        "page_url": page_url(context) if context.state.latest("page") else None,
        "api_url": invoke_url(context) if context.state.latest("rest-api") else None,
        **costs.document(),
        "warnings": [warning for warning in (ending(context), idle_warning(context)) if warning],
    }


def _show(invocation: Invocation, document: dict[str, Any]) -> None:
    from sentictl.cli.planning import difference_lines

    where = f" --env {document['environment']}" if invocation.env else ""
    invocation.output.table(
        ("KIND", "NAME", "STATUS"),
        [(entry["kind"], entry["name"], entry["status"]) for entry in document["resources"]],
    )
    lines = [""]
    for entry in document["resources"]:
        if entry["mend"]:
            lines.append(f"{entry['kind']} {entry['name']}: {entry['status'].lower()}. Mend it: {entry['mend']}{where}")
            lines += [f"  {line}" for line in difference_lines(entry["changes"])]
    lines += [
        f"Page: {document['page_url'] or 'none'}",
        f"API:  {document['api_url'] or 'none'}",
        *document["warnings"],
    ]
    invocation.output.result(document, "\n".join(lines))
