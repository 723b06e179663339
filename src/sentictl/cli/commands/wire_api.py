"""`sentictl wire-api`: an API Gateway in front of the function."""

from typing import Annotated

import typer

from sentictl.cli.examples import REVIEW
from sentictl.cli.invocation import Invocation
from sentictl.cli.options import Adopt, DryRun, command, setting

app = typer.Typer(add_completion=False)


@app.command("wire-api")
@command
def wire_api(
    invocation: Invocation,
    auth: Annotated[str | None, setting("Who may ask: none (everybody), key, iam or cognito.")] = None,
    throttle_rate: Annotated[float | None, setting("Requests a second, on average.")] = None,
    throttle_burst: Annotated[int | None, setting("Requests at once.")] = None,
    dry_run: DryRun = False,
    adopt: Adopt = False,
) -> None:
    """Put a REST API in front of the Lambda function.

    It is throttled. By default everybody may ask, from pages of any origin: see api.auth and api.cors_origins.
    """
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.plan import show_plan

    settings = {"api.auth": auth, "api.throttle_rate": throttle_rate, "api.throttle_burst": throttle_burst}
    with opened(invocation, announced=True) as project:
        if dry_run:
            show_plan(invocation.output, project.plan("wire-api", settings=settings, adopt=adopt))
            return
        record = project.wire_api(settings, adopt=adopt)
        url = project.api_url
    invocation.output.result({"name": record.name, "id": record.attributes["id"], "api_url": url}, url)
    invocation.next(f"predict --via api '{REVIEW}'", "site")
