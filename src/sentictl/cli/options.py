"""The options that every command takes, before or after its name, and what makes a command of a function."""

import functools
import inspect
import os
from collections.abc import Callable
from typing import Annotated, Any

import typer

from sentictl.cli.completer import environments
from sentictl.cli.help import EVERYWHERE, SETTINGS
from sentictl.cli.invocation import Invocation, end
from sentictl.errors import UndescribedEnvironmentError
from sentictl.scaffold.overrides import use_model_code_here

Env = Annotated[
    str | None,
    typer.Option(
        "--env",
        help="The environment: local (the default), or one that sentictl.toml describes.",
        metavar="NAME",
        autocompletion=environments,
        rich_help_panel=EVERYWHERE,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.", rich_help_panel=EVERYWHERE)]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but the result.", rich_help_panel=EVERYWHERE)]
NoColor = Annotated[
    bool,
    typer.Option(
        "--no-color",
        help="Without colors, as with NO_COLOR=1.",
        is_eager=True,
        callback=lambda given: _color(not given),
        rich_help_panel=EVERYWHERE,
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=EVERYWHERE)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
Adopt = Annotated[
    bool, typer.Option("--adopt", help="Take over what has the name of a resource and is no other project's.")
]
COMMON: dict[str, Any] = {
    "env": (Env, None),
    "json": (Json, False),
    "quiet": (Quiet, False),
    "no_color": (NoColor, False),
    "debug": (Debug, False),
}


def setting(
    meaning: str,
    *names: str,
    group: str = SETTINGS,
    metavar: str | None = None,
    completion: Callable[..., Any] | None = None,
) -> Any:
    """An option that changes a setting: it is written to sentictl.toml.

    Args:
        meaning: its help.
        names: how it is written, where that does not follow from the parameter's name.
        group: the title that it stands under.
        metavar: what its value is called.
        completion: the values that a shell may complete.
    """
    return typer.Option(*names, help=meaning, rich_help_panel=group, metavar=metavar, autocompletion=completion)


def _color(wanted: bool) -> bool:
    """Everything that colors, here and in libraries, looks at this variable."""
    if not wanted:
        os.environ["NO_COLOR"] = "1"
    return not wanted


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function whose first parameter is an `Invocation`: give it the options that all take.

    Errors that a person can act on end as one message and an exit code; the traceback goes to the project's log.
    """

    @functools.wraps(function)
    def run(context: typer.Context, **arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in COMMON}
        name = context.command_path.removeprefix(context.find_root().command_path).strip()
        own = _own_options(context, arguments)
        invocation = Invocation(given["env"] or "", given["json"], given["quiet"], given["debug"], name, own)
        invocation = invocation.over(context.find_root().obj or Invocation())
        try:
            use_model_code_here()  # before anything imports it
            _carry_out(function, invocation, arguments)
        except typer.Exit:
            raise
        except (Exception, KeyboardInterrupt) as problem:  # noqa: BLE001  (the one place where a command ends)
            raise typer.Exit(end(problem, invocation)) from None

    own = list(inspect.signature(function).parameters.values())[1:]
    common = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in COMMON.items()
    ]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    signature = inspect.Signature([context, *keyword_only, *common])
    run.__signature__ = signature  # type: ignore[attr-defined]  # what Typer reads the options from
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
    return run


def _own_options(context: typer.Context, arguments: dict[str, Any]) -> tuple[str, ...]:
    """Return which of a command's own options were written, by their first names."""
    sources = {name: context.get_parameter_source(name) for name in arguments}
    written = {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}
    return tuple(option.opts[0] for option in context.command.params if option.name in written)


def _carry_out(function: Callable[..., None], invocation: Invocation, arguments: dict[str, Any]) -> None:
    """Run a command, and once more where its environment was not described and a person says where that is."""
    try:
        function(invocation, **arguments)
    except UndescribedEnvironmentError as unknown:
        from sentictl.cli.questions import describe_unknown

        if not describe_unknown(invocation.output, unknown):
            raise
        function(invocation, **arguments)
