"""Events of logs as people and programs read them."""

import sys
from typing import TYPE_CHECKING

from sentictl.cli.view.output import Output, printable

if TYPE_CHECKING:
    from sentictl.api.log_events import LogEvent

COLORS = {
    "api": "cyan",
    "lambda": "yellow",
    "endpoint": "green",
    "train": "magenta",
    "batch": "blue",
    "data": "bright_blue",
}
NAME_WIDTH = max(map(len, COLORS))


def show_event(output: Output, event: "LogEvent", *, labelled: bool) -> None:
    """Show an event at once.

    Args:
        output: where.
        event: what is shown.
        labelled: with its time, by this machine's clock, and its part; else as it was written.

    A terminal gets it without control characters.
    """
    moment = event.time.astimezone().replace(tzinfo=None).isoformat(" ", "milliseconds")
    on_terminal = sys.stdout.isatty()
    message = printable(event.message) if on_terminal else event.message
    if output.json or not labelled:
        output.item(event.document(), message)
    elif on_terminal:
        from rich.text import Text

        name = (f"{event.part:<{NAME_WIDTH}}", COLORS[event.part])
        output.print(Text.assemble((moment, "dim"), "  ", name, "  ", message))
    else:
        output.item(event.document(), f"{moment}  {event.part:<{NAME_WIDTH}}  {message}")
