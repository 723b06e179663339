"""`sentictl wire-api`: an API Gateway in front of the function."""

from typing import Annotated

import typer

from sentictl.cli.invocation import Adopt, DryRun, Invocation, command

app = typer.Typer(add_completion=False)


@app.command("wire-api")
@command
def wire_api(
    invocation: Invocation,
    throttle_rate: Annotated[float | None, typer.Option(help="Requests a second, on average.")] = None,
    throttle_burst: Annotated[int | None, typer.Option(help="Requests at once.")] = None,
    dry_run: DryRun = False,
    adopt: Adopt = False,
) -> None:
    """Put a REST API in front of the Lambda function: public, with CORS, throttled."""
    from sentictl.cli.session import changing
    from sentictl.services.gateway import invoke_url

    flags = {"api.throttle_rate": throttle_rate, "api.throttle_burst": throttle_burst}
    if dry_run:
        from sentictl.cli.planning import show_plan

        show_plan(invocation, ["wire-api"], flags, adopt=adopt)
        return
    with changing(invocation, flags) as (context, progress):
        progress.run("wire-api", context, adopt=adopt)
        record = context.recorded("rest-api", "wire-api")
        url = invoke_url(context)
    invocation.output.result({"name": record.name, "id": record.attributes["id"], "api_url": url}, url)
    invocation.next("predict --via api 'what a film'", "site")
