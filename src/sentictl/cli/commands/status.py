"""`sentictl status`: what stands, and whether it is as the settings want it."""

from typing import Annotated, Any

import typer

from sentictl.cli.invocation import Invocation, command

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
    from sentictl.cli.session import opened

    with opened(invocation) as project:
        found = project.status()
    if invocation.json:
        invocation.output.result(found.document())
    elif not found.findings:
        invocation.output.result(None, f"Nothing stands in the environment {found.environment}.")
    else:
        _show(invocation, found.document())
    if exit_code and found.differs:
        raise typer.Exit(DIFFERENT)


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
