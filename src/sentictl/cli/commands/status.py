"""`sentictl status`: what stands."""

import typer

from sentictl.cli.invocation import Invocation, command

app = typer.Typer(add_completion=False)


@app.command("status")
@command
def status(invocation: Invocation) -> None:
    """Show what stands in this environment, as AWS has it now."""
    from sentictl.cli.session import looking, open_project
    from sentictl.lifecycle.reconcile import survey
    from sentictl.services.gateway import invoke_url
    from sentictl.services.website import page_url
    from sentictl.stack import resources

    project = open_project(invocation)
    found = []
    page = api = None
    if len(project.state):  # else there is nothing to ask, and no twin to start
        context = looking(invocation)
        found = [
            {"kind": record.kind, "name": record.name, "status": live.status if live else "Missing", "arn": record.arn}
            for record, live in survey(resources(context), context)
        ]
        api = invoke_url(context) if project.state.latest("rest-api") else None
        page = page_url(context) if project.state.latest("page") else None
    document = {"environment": project.environment, "resources": found, "page_url": page, "api_url": api}
    if invocation.json:
        invocation.output.result(document)
        return
    if not found:
        invocation.output.result(document, f"Nothing stands in the environment {project.environment}.")
        return
    invocation.output.table(("KIND", "NAME", "STATUS"), [(r["kind"], r["name"], r["status"]) for r in found])
    invocation.output.result(document, f"\nPage: {page or 'none'}\nAPI:  {api or 'none'}")
