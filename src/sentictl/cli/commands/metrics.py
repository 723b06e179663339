"""`sentictl metrics`: requests, latency, errors and verdicts of the last hours."""

from datetime import timedelta
from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.errors import UsageError

app = typer.Typer(add_completion=False)


@app.command("metrics")
@command
def metrics(
    invocation: Invocation,
    since: Annotated[str, typer.Option(help="How far to look back, such as 3h or 7d.", metavar="TIME")] = "24h",
    period: Annotated[
        str | None, typer.Option(help="Of each figure, such as 5m or 1h; by default what fits.", metavar="TIME")
    ] = None,
) -> None:
    """Draw requests, latency, errors and verdicts of the last hours.

    Each sign is one period, the newest at the right. CloudWatch is a minute or two late.
    """
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.metrics import draw

    times = _time(since, "--since 24h"), None if period is None else _time(period, "--period 5m")
    with opened(invocation) as project:
        found = project.monitoring.metrics(*times)
    if invocation.json:
        invocation.output.result(found.document())
    elif not found.is_empty:
        invocation.output.print(draw(found, invocation.output.width))
    else:
        invocation.output.result(None, f"There was no request in the last {since}.")
        invocation.next("predict --via api 'a wonderful film, superbly acted'")


def _time(text: str, example: str) -> timedelta:
    from sentictl.config.tables.deploy import duration

    try:
        return duration(text)
    except ValueError:
        option = example.partition(" ")[0]
        raise UsageError(f"{option} {text} is no time in minutes, hours or days.", f"Give one: {example}") from None
