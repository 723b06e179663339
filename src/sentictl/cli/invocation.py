"""How a command was called, and how it ends. Imports nothing heavy, not even Typer."""

import contextlib
import functools
import os
import sys
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sentictl.aws.redaction import redacted
from sentictl.cli.streams import ReaderGoneError, abandon_stdout
from sentictl.cli.view.lines import hanging, unbroken
from sentictl.cli.view.output import Output, columns
from sentictl.config.environments import env_option
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import FileError, SentictlError, StreamError, UsageError
from sentictl.scaffold.overrides import place_of

INTERRUPTED = 130


@dataclass(frozen=True)
class Invocation:
    """The options of one call that every command takes."""

    env: str = ""
    json: bool = False
    quiet: bool = False
    debug: bool = False
    command: str = ""  # its name, such as "notebook create"
    given: tuple[str, ...] = ()  # which of the command's own options were, such as "--dry-run"

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

    def check_alone(self, option: str, does: str, *beside: str) -> None:
        """Refuse an option that does something else than its command, together with others that would be ignored.

        Args:
            option: it.
            does: what it does, as the end of a sentence.
            beside: the options that may stand beside it.

        Raises:
            UsageError: others were given.
        """
        others = [name for name in self.given if name not in (option, *beside)]
        if option in self.given and others:
            raise UsageError(f"{option} {does}, and nothing else is done.", f"Leave out {', '.join(others)}.")

    def over(self, root: "Invocation") -> "Invocation":
        """This call's options, with those given before the command's name."""
        return Invocation(
            self.env or root.env,
            self.json or root.json,
            self.quiet or root.quiet,
            self.debug or root.debug,
            self.command,
            self.given,
        )


def end(problem: BaseException, invocation: Invocation) -> int:
    """Tell how a command ended.

    Args:
        problem: what it ended with.
        invocation: how it was called.

    Returns:
        the exit code.
    """
    if isinstance(problem, ReaderGoneError):
        abandon_stdout()
        return 0
    log = _log(problem)
    if isinstance(problem, KeyboardInterrupt):
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
