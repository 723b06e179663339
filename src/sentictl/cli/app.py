"""The command line's root: the commands, each loaded when it is called, and the options that all of them take."""

import gc
import os
import shlex
import sys
from importlib import import_module
from typing import Annotated, Any

import typer

from sentictl.cli.help import EVERYWHERE, Command, CommandGroup, Row
from sentictl.cli.invocation import Invocation, end
from sentictl.cli.options import Debug, Env, Json, NoColor, Quiet
from sentictl.cli.streams import abandon_stdout, open_streams
from sentictl.cli.view.output import FALLBACK
from sentictl.errors import SentictlError, UsageError

LITTER = 50_000  # new objects between two looks for garbage; by default Python looks while most modules are imported

GROUPS: dict[str, dict[str, str]] = {
    "Start": {
        "init": "Begin a project in this folder, or add what its folder lacks",
        "up": "Do the whole chain, from the reviews to the page",
        "doctor": "Check this machine, the project, and the account",
    },
    "The chain, one by one": {
        "data": "Prepare labelled reviews and put them on S3",
        "train": "Train the model as a SageMaker training job",
        "deploy": "Put the trained model behind a SageMaker endpoint",
        "wire-lambda": "Put a Lambda function in front of the endpoint",
        "wire-api": "Put a REST API in front of the Lambda function",
        "site": "Render the web page, and publish it or serve it here",
        "alerts": "Have yourself told by mail when something is wrong",
    },
    "Look": {
        "plan": "Show what `up` would do, and what that costs",
        "costs": "Compare what each way to serve the model costs a month",
        "status": "Show what stands in this environment, and what differs",
        "models": "List what each training made, and which of it is live",
        "runs": "List the trials of tuning jobs and the versions, side by side",
        "history": "Show who changed this environment, and what",
        "logs": "Show what the parts of the chain wrote, by time",
        "metrics": "Draw requests, latency, errors and verdicts of the last hours",
    },
    "Ask": {
        "predict": "Tell whether reviews are positive or negative",
        "keys": "Make, list and revoke the keys of an API that takes one",
        "users": "Add, list and remove those who may sign in (api.auth)",
        "evaluate": "Measure the model on the test split, or on other reviews",
    },
    "Take down": {
        "down": "Delete everything that the chain made in this environment",
        "prune": "Delete datasets, versions and leftovers that nothing serves",
    },
    "Tools": {
        "config": "Show and change the settings in sentictl.toml",
        "local": "Start, stop and watch the local twin of AWS",
        "notebook": "Make, open, stop and delete a notebook beside the chain",
        "state": "Fetch, replace, unlock and move the recorded state",
        "export": "Write the stack for CloudFormation, or the API as OpenAPI",
        "import": "Record again what stands on AWS, where the state was lost",
        "completion": "Let a shell complete commands, options and their values",
    },
}
ON_WINDOWS = (
    "sentictl runs on Linux and macOS, and on Windows in WSL (the Windows Subsystem for Linux).",
    "Get it there: wsl --install; then install sentictl in its Linux, as on any other.",
)
COMPLETE = "_SENTICTL_COMPLETE"  # a shell that wants to complete something sets it
COMMANDS = tuple(name for commands in GROUPS.values() for name in commands)


class Root(CommandGroup):
    """The commands by name; a command's module is imported when the command is called, not for the list of all."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = dict.fromkeys(COMMANDS)  # the names alone, for suggestions

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  (the signature is Typer's)
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  (the signature is Typer's)
        return load(cmd_name) if cmd_name in COMMANDS else None

    def panels(self, ctx: Any) -> dict[str, list[Row]]:  # noqa: ARG002  (the signature is the base class's)
        width = max(map(len, COMMANDS))
        return {title: [(f"{name:<{width}}", does) for name, does in rows.items()] for title, rows in GROUPS.items()}

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        brief = {name: Command(name, help=does) for rows in GROUPS.values() for name, does in rows.items()}
        stand_in = CommandGroup(name=self.name, commands=dict(brief))
        return stand_in.shell_complete(typer.Context(stand_in, resilient_parsing=True), incomplete)


def load(name: str) -> Any:
    """A command; its help, and that of its own commands, is a page of ours."""
    app: typer.Typer = import_module(f"sentictl.cli.commands.{name.replace('-', '_')}").app
    app.info.cls = CommandGroup
    for command in app.registered_commands:
        command.cls = Command
    return typer.main.get_command(app)


app = typer.Typer(
    cls=Root,
    add_completion=False,  # there is a command for it
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from sentictl import __version__

        typer.echo(f"sentictl {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    env: Env = None,
    json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,  # noqa: ARG001  (its callback does it all)
    debug: Debug = False,
    version: Annotated[  # noqa: ARG001  (its callback does it all)
        bool,
        typer.Option(
            "--version",
            help="Show the version and exit.",
            is_eager=True,
            callback=_show_version,
            rich_help_panel=EVERYWHERE,
        ),
    ] = False,
) -> None:
    """From labelled reviews to a live sentiment web app on AWS, and back to nothing."""
    context.obj = Invocation(env or "", json, quiet, debug)


def main() -> None:
    """The program `sentictl`."""
    gc.set_threshold(LITTER)
    open_streams(FALLBACK)
    if sys.platform == "win32":
        sys.exit(_end(SentictlError(*ON_WINDOWS)))
    if COMPLETE in os.environ:
        from sentictl.cli.completer import complete

        code = complete(app, os.environ[COMPLETE])
        abandon_stdout()  # somebody is typing: an answer that went nowhere is no news
        sys.exit(code)
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as problem:  # noqa: BLE001  (the end of the program)
        code = _end(problem)
    sys.exit(code)


def _end(problem: BaseException) -> int:
    """Tell of what went wrong outside of any command: in the options before it, or while its help was shown."""
    if isinstance(problem, typer.Abort):  # Typer's word for Ctrl-C
        problem = KeyboardInterrupt()
    message = getattr(problem, "format_message", None)  # Typer's own errors; their class has moved between versions
    if message is not None:
        problem = UsageError(*_explained(problem, message()))
    return end(problem, Invocation(json="--json" in sys.argv, debug="--debug" in sys.argv))


def _explained(problem: Any, message: str) -> tuple[str, str]:
    """A mistake on the command line, and what to do about it."""
    context, close = getattr(problem, "ctx", None), getattr(problem, "possibilities", None)
    see = f"See: {context.command_path if context else 'sentictl'} --help"
    option = getattr(problem, "option_name", "")
    takes_values = context and any(each.param_type_name == "argument" for each in context.command.params)
    if option and takes_values:
        see = f"{see}. If it is no option but a value: {_with_value(option)}"
    if close:
        return problem.message, f"Did you mean {close[0]}? {see}"
    return message, see


def _with_value(start: str) -> str:
    """The command line as it was given, with the argument that begins so as a value behind "--"."""
    given = sys.argv[1:]
    ends = given.index("--") if "--" in given else len(given)
    at = next((place for place, argument in enumerate(given[:ends]) if argument.startswith(start)), ends)
    value = given[at] if at < ends else start
    return shlex.join(["sentictl", *given[:at], *given[at + 1 : ends], "--", value, *given[ends + 1 :]])
