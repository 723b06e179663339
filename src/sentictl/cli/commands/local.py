"""`sentictl local`: the local twin, which answers AWS's API on this machine."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentictl.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from sentictl.twin.daemon import TwinStatus

app = typer.Typer(
    name="local",
    help="Start, stop and watch the local twin of AWS.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command("start")
@command
def start(
    invocation: Invocation,
    port: Annotated[int | None, typer.Option(help="The port it must have; by default the one it had before.")] = None,
) -> None:
    """Start the twin, unless it runs. Commands that need it do so by themselves."""
    from sentictl.twin import daemon

    _show(invocation, daemon.start(_home(invocation), port))


@app.command("stop")
@command
def stop(invocation: Invocation) -> None:
    """Stop the twin. What it holds is kept for the next start."""
    from sentictl.twin import daemon

    home = _home(invocation)
    daemon.stop(home)
    _show(invocation, daemon.status(home))


@app.command("status")
@command
def status(invocation: Invocation) -> None:
    """Show whether the twin runs, and where."""
    from sentictl.twin import daemon

    _show(invocation, daemon.status(_home(invocation)))


@app.command("logs")
@command
def logs(invocation: Invocation) -> None:
    """Show the twin's own log."""
    from sentictl.twin import daemon

    path = daemon.log_file(_home(invocation))
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    invocation.output.result(text.splitlines(), text.rstrip())


def _home(invocation: Invocation) -> Path:
    from sentictl.cli.open_project import load_config

    return load_config(invocation).folder.twin_home


def _show(invocation: Invocation, status: "TwinStatus") -> None:
    document = {key: str(value) if key == "home" else value for key, value in asdict(status).items()}
    text = f"The twin runs at {status.url} (process {status.pid})." if status.running else "The twin does not run."
    invocation.output.result(document, text)
