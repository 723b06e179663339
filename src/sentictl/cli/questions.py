"""Questions to whoever sits at the terminal."""

import sys
from textwrap import fill

from sentictl.cli.view.output import Output, columns
from sentictl.config.project_folder import SETTINGS_FILE, ProjectFolder
from sentictl.errors import UndescribedEnvironmentError


def answer(output: Output, question: str) -> str | None:
    """Return what a person answers to a question; None where nobody is there to ask."""
    if output.json or not sys.stdin.isatty():
        return None
    output.finish("")
    lines = (fill(line, columns(sys.stderr)) for line in question.splitlines())
    sys.stderr.write("\n".join(lines) + " ")
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def describe_unknown(output: Output, unknown: UndescribedEnvironmentError) -> bool:
    """Ask for the region of an environment that `sentictl.toml` does not describe, and describe it there.

    Args:
        output: where it is asked.
        unknown: the error that the command ended in.

    Returns:
        whether it is described now.

    Raises:
        SettingsError: the answer cannot be a region.
    """
    name = unknown.environment
    region = answer(output, f"{unknown.message}\nTo add it now, type its region; else only Enter:")
    if not region:
        return False
    from sentictl.scaffold.init import describe

    describe(ProjectFolder.open(), name, region)
    output.say(told_of_described(name, region))
    return True


def told_of_described(environment: str, region: str) -> str:
    """Return what is said of an environment that was described; without a region it is on a twin."""
    where = f"in {region}" if region else "on a local twin"
    return f"Described the environment {environment} in {SETTINGS_FILE}: it is {where}"
