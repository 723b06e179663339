"""`sentictl alerts`: who is told when something is wrong."""

from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import Adopt, DryRun, command, setting

app = typer.Typer(add_completion=False)


@app.command("alerts")
@command
def alerts(
    invocation: Invocation,
    email: Annotated[str | None, setting("Mail here, or to several with commas between them.", metavar="LIST")] = None,
    topic: Annotated[
        str | None, setting("Tell this SNS topic of yours instead, in the same region.", metavar="ARN")
    ] = None,
    monthly_budget: Annotated[float | None, setting("USD, over which a month's cost is told; 0: never.")] = None,
    dry_run: DryRun = False,
    adopt: Adopt = False,
) -> None:
    """Have yourself told by mail when something is wrong.

    That is: errors, slow answers, too many requests, a failed endpoint, no requests for days, or a month's cost over
    the budget. There is a dashboard beside it. `up` does this, too, once an address is set.
    """
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.lines import paragraphs
    from sentictl.cli.view.plan import show_plan

    settings = {"alerts.email": email, "alerts.topic": topic, "alerts.monthly_budget": monthly_budget}
    with opened(invocation, announced=True) as project:
        if dry_run:
            show_plan(invocation.output, project.plan("alerts", settings=settings, adopt=adopt))
            return
        made = project.monitoring.alerts(settings, adopt=adopt)
        on_twin = project.session.load().on_twin
    told = f"Told when something is wrong: {', '.join(made.tells)}." if made.tells else "Nobody is told any more."
    lines = [told, *made.notes, *([f"Dashboard: {made.dashboard_url}"] if made.dashboard_url else [])]
    invocation.output.result(made.document(), paragraphs([("", line) for line in lines], invocation.output.width))
    invocation.next(*(["local mail"] if on_twin else []), "metrics", "status")
