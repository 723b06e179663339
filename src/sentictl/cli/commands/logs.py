"""`sentictl logs`: what the parts of the chain wrote."""

from enum import StrEnum
from typing import Annotated

import typer

from sentictl.cli.invocation import INTERRUPTED, Invocation
from sentictl.cli.options import command

app = typer.Typer(add_completion=False)
FOLLOWED_FROM = "10m"  # before now, where nobody says from when on


class LogSource(StrEnum):
    """The parts of the chain that write a log."""

    API = "api"
    LAMBDA = "lambda"
    ENDPOINT = "endpoint"
    TRAIN = "train"
    DATA = "data"
    BATCH = "batch"


@app.command("logs")
@command
def logs(
    invocation: Invocation,
    parts: Annotated[
        list[LogSource] | None,
        typer.Argument(
            metavar="[PART]...", help="Whose: api, lambda, endpoint, train, data, batch. Default: the first three."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="From then on: 15m, 2h, 1d or 2026-11-30T10:00.")
    ] = None,
    text: Annotated[str, typer.Option("--filter", metavar="TEXT", help="Only lines that hold this text.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    request: Annotated[
        str | None, typer.Option(metavar="ID", help="The way of one request through all parts, by its id.")
    ] = None,
) -> None:
    """Show what the parts of the chain wrote, by time.

    The API has a line for each request, the function and the endpoint have one as well. `train` is the latest training
    job, `data` the latest job that prepared reviews on AWS, and `batch` the latest transform job whose answers are not
    written yet, or else the last run of `predict --every`. An answer's id is in its header x-amzn-requestid, and in
    every error. Of one part alone the lines are shown as they were written, of several with their times and parts. A
    filter is plain text, capitals count.
    """
    from sentictl.cli.moments import moment
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.log_lines import show_event

    chosen = list(dict.fromkeys(parts or ()))
    _check(chosen, request, text=text, follow=follow)
    begin = moment(since or FOLLOWED_FROM, "--since") if since or follow else None
    output = invocation.output
    with opened(invocation) as project:
        events = project.log_events
        if request is not None:
            found = iter(events.of_request(request, since=begin))
        else:
            found = (events.follow if follow else events.read)(*chosen, since=begin, text=text)
        try:
            for event in found:
                show_event(output, event, labelled=len(chosen) != 1)
        except KeyboardInterrupt:
            if not follow:
                raise
            output.end_items()
            raise typer.Exit(INTERRUPTED) from None
    output.end_items()


def _check(parts: list[LogSource], request: str | None, *, text: str, follow: bool) -> None:
    from sentictl.errors import UsageError

    if request is not None and (parts or text or follow):
        raise UsageError(
            "--request shows one request in all parts: it goes with no part, --filter or --follow.",
            f"Its way: sentictl logs --request {request or 'ID'}",
        )
