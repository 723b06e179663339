"""`sentictl local`: the local twin, which answers AWS's API on this machine."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.config.environments import env_option
from sentictl.errors import UsageError

if TYPE_CHECKING:
    from sentictl.config.config import Config
    from sentictl.twin.daemon import TwinStatus

RULE = 30 * "─"  # between two mails

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


@app.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@command
def run(
    invocation: Invocation,
    program: Annotated[list[str], typer.Argument(help="A program and its arguments.", show_default=False)],
) -> None:
    """Run a program whose AWS calls go to the twin, such as AWS's own command line or a script that uses boto3.

    It gets the twin's address and key in its environment, and nothing of your own AWS settings. They are shown nowhere.
    """
    from sentictl.aws.regions import settle_region
    from sentictl.twin import daemon

    config = _config(invocation)
    settle_region(config)
    daemon.start(config.twin_home)
    variables = daemon.access(config.twin_home).variables(config.placement.region)
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    direct = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    variables |= dict.fromkeys(("no_proxy", "NO_PROXY"), f"{direct},127.0.0.1".lstrip(","))
    try:
        os.execvpe(program[0], program, others | variables)  # noqa: S606  (the program that was asked for)
    except OSError as problem:
        raise UsageError(f"{program[0]} cannot be run: {problem.strerror}.", "Check its name and the PATH.") from None


@app.command("mail")
@command
def mail(invocation: Invocation) -> None:
    """Show the mails that the twin sent, such as alerts.

    They go nowhere else. On AWS they are sent to the addresses that `alerts.email` names.
    """
    from sentictl.twin.core.home import TwinHome
    from sentictl.twin.sns.mailbox import Mailbox

    mails = list(Mailbox(TwinHome(_home(invocation)).mail).mails())
    shown = [f"To:      {each.to}\nDate:    {each.date}\nSubject: {each.subject}\n\n{each.text}" for each in mails]
    text = f"\n\n{RULE}\n\n".join(shown)
    invocation.output.result([asdict(each) for each in mails], text or "The twin has sent no mail.")


@app.command("logs")
@command
def logs(invocation: Invocation) -> None:
    """Show the twin's own log."""
    from sentictl.twin import daemon

    path = daemon.log_file(_home(invocation))
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    invocation.output.result(text.splitlines(), text.rstrip())


def _home(invocation: Invocation) -> Path:
    return _config(invocation).twin_home


def _config(invocation: Invocation) -> "Config":
    """The settings of an environment that is on a twin."""
    from sentictl.cli.open_project import load_config

    config = load_config(invocation)
    if not config.on_twin:
        raise UsageError(
            f"The environment {config.environment} is on AWS, and has no twin.",
            "To rehearse one on a twin: sentictl config set env.staging.twin true",
        )
    return config


def _show(invocation: Invocation, status: "TwinStatus") -> None:
    document = {key: str(value) if key == "home" else value for key, value in asdict(status).items()}
    text = f"The twin runs at {status.url} (process {status.pid})." if status.running else "The twin does not run."
    left_out = (status.details or {}).get("left_out")
    if left_out:
        logs = f"sentictl local logs{env_option(invocation.env)}"
        text += f"\nIt left out calls that it remembered and that are refused now: {left_out}. See: {logs}"
    invocation.output.result(document, text)
