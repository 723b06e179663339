"""How a command was called: the options that every command takes, before or after its name, and how it ends."""

import contextlib
import functools
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from sentictl.aws.redaction import redacted
from sentictl.cli.completer import environments
from sentictl.cli.help import EVERYWHERE, SETTINGS
from sentictl.cli.streams import ReaderGoneError, abandon_stdout
from sentictl.cli.view.lines import hanging, unbroken
from sentictl.cli.view.output import Output, columns
from sentictl.config.environments import env_option
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import FileError, SentictlError, StreamError, UndescribedEnvironmentError
from sentictl.scaffold.overrides import place_of, use_model_code_here

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
INTERRUPTED = 130


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


@dataclass(frozen=True)
class Invocation:
    """The options of one call that every command takes."""

    env: str = ""
    json: bool = False
    quiet: bool = False
    debug: bool = False

    @property
    def environment(self) -> str:
        """The environment's name: the option, else SENTICTL_ENV, else local."""
        return self.env or os.environ.get("SENTICTL_ENV", "") or "local"

    @functools.cached_property
    def output(self) -> Output:
        return Output(json=self.json, quiet=self.quiet)

    def next(self, *commands: str) -> None:
        """Say which commands come next, in this environment."""
        where = env_option(self.env)
        listed = " · ".join(unbroken(f"sentictl {command}{where}") for command in commands)
        self.output.say("\n" + hanging("Next: ", listed, columns(sys.stderr)))

    def over(self, root: "Invocation") -> "Invocation":
        """This call's options, with those given before the command's name."""
        return Invocation(
            self.env or root.env, self.json or root.json, self.quiet or root.quiet, self.debug or root.debug
        )


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function whose first parameter is an `Invocation`: give it the options that all take.

    Errors that a person can act on end as one message and an exit code; the traceback goes to the project's log.
    """

    @functools.wraps(function)
    def run(context: typer.Context, **arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in COMMON}
        invocation = Invocation(given["env"] or "", given["json"], given["quiet"], given["debug"])
        invocation = invocation.over(context.find_root().obj or Invocation())
        try:
            use_model_code_here()  # before anything imports it
            _carry_out(function, invocation, arguments)
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


def _carry_out(function: Callable[..., None], invocation: Invocation, arguments: dict[str, Any]) -> None:
    """Run a command, and once more where its environment was not described and a person says where that is."""
    try:
        function(invocation, **arguments)
    except UndescribedEnvironmentError as unknown:
        from sentictl.cli.questions import describe_unknown

        if not describe_unknown(invocation.output, unknown):
            raise
        function(invocation, **arguments)


def end(problem: BaseException, invocation: Invocation) -> int:
    """Tell how a command ended.

    Args:
        problem: what it ended with.
        invocation: how it was called.

    Returns:
        the exit code.
    """
    if isinstance(problem, typer.Exit):
        return int(problem.exit_code)
    if isinstance(problem, ReaderGoneError):
        abandon_stdout()
        return 0
    log = _log(problem)
    if isinstance(problem, KeyboardInterrupt | typer.Abort):
        invocation.output.error("interrupted", "Interrupted.", "Run the same command again: what was made is recorded.")
        return INTERRUPTED
    if invocation.debug:
        sys.stderr.write(_traceback(problem))
    from sentictl.cli.hints import in_environment

    known = _known(problem, log)
    invocation.output.error(known.code, redacted(known.message), in_environment(known.hint, invocation.env))
    if isinstance(known, StreamError):
        abandon_stdout()
    return known.exit_code


def _known(problem: BaseException, log: Path | None) -> SentictlError:
    if isinstance(problem, SentictlError):
        return problem
    if "botocore" in sys.modules and isinstance(problem, Exception):
        from sentictl.aws.errors import translate

        translated = translate(problem)
        if translated:
            return translated
    folder = _project()
    own = place_of(problem, folder.root) if folder else ""
    if own:
        return SentictlError(
            f"The project's own code failed ({own}): {type(problem).__name__}: {problem}",
            "Correct it; where it differs from the installed one: sentictl doctor. The traceback: --debug",
        )
    of_the_machine = FileError.of(problem) if isinstance(problem, OSError) else None
    if of_the_machine:
        return of_the_machine
    where = f" and {log}" if log else ""
    return SentictlError(
        f"This should not happen: {type(problem).__name__}: {problem}",
        f"Please report it with the output of the same command with --debug{where}.",
    )


def _traceback(problem: BaseException) -> str:
    return redacted("".join(traceback.format_exception(problem)))


def _project() -> ProjectFolder | None:
    """The project that a command ended in, where one can be found."""
    with contextlib.suppress(SentictlError):
        return ProjectFolder.find()
    return None


def _log(problem: BaseException) -> Path | None:
    """Write the traceback to the project's log, where there is one that can be written; returns which."""
    folder = _project()
    with contextlib.suppress(OSError):
        if folder and folder.cache.is_dir():
            with folder.log_file.open("a", encoding="utf-8", errors="replace") as log:
                log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {' '.join(sys.argv[1:2])}\n")
                log.write(_traceback(problem))
            return folder.log_file
    return None
