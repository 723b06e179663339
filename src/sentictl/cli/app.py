"""The command line's root: the commands, each loaded when it is called, and the options that all of them take."""

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sentictl import __version__
from sentictl.cli.invocation import Debug, Env, Invocation, Json, Quiet
from sentictl.cli.output import Output
from sentictl.errors import UsageError

COMMANDS = (
    "init",
    "up",
    "plan",
    "status",
    "predict",
    "evaluate",
    "down",
    "data",
    "train",
    "deploy",
    "models",
    "wire-lambda",
    "wire-api",
    "site",
    "logs",
    "doctor",
    "export",
    "import",
    "config",
    "local",
)


class LazyGroup(TyperGroup):
    """The commands by name; a command's module is imported when the command is asked for."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = dict.fromkeys(COMMANDS)  # the names alone, for suggestions

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  (the signature is Typer's)
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  (the signature is Typer's)
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"sentictl.cli.commands.{cmd_name.replace('-', '_')}")
        return typer.main.get_command(module.app)


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sentictl {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    env: Env = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
    version: Annotated[  # noqa: ARG001  (its callback does it all)
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """From labelled reviews to a live sentiment web app on AWS, and back to nothing.

    `sentictl up` does the whole chain on this machine, without an AWS account; `sentictl up --env prod` does it on AWS.
    """
    context.obj = Invocation(env or "", json, quiet, debug)


def main() -> None:
    """The program `sentictl`."""
    if "--json" not in sys.argv:
        app()
    try:
        sys.exit(app(standalone_mode=False))
    except Exception as problem:
        # Only Typer's own errors about the command line come this far; their class has moved between its versions.
        message = getattr(problem, "format_message", None)
        if message is None:
            raise
        Output(json=True).error(UsageError.code, message(), "See: sentictl --help, or the command's own --help.")
        sys.exit(UsageError.exit_code)
