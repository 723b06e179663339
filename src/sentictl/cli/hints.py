"""Hints that can be typed as they stand: their commands go to the environment that the failed command named."""

import re

from sentictl.cli.examples import COMMANDS
from sentictl.config.environments import env_option

# Those that are the same in every environment.
EVERYWHERE = ("init", "completion")


def in_environment(hint: str, environment: str) -> str:
    """A hint with `--env` in each of its commands that names no environment itself.

    Args:
        hint: what to do next, such as "Make it with: sentictl train".
        environment: what `--env` named; empty where it was not given, which leaves the hint as it is.
    """
    if not environment:
        return hint
    # One that changes an environment's own setting names it in the setting, and goes also where it is not there yet.
    # The option goes right behind the command's name: what follows the name may end anywhere in the sentence.
    return _commands().sub(rf"\g<0>{env_option(environment)}", hint)


def _commands() -> re.Pattern[str]:
    names = sorted((name for name in COMMANDS if not name.startswith(EVERYWHERE)), key=len, reverse=True)
    command = rf"\bsentictl (?!config set env\.)(?:{'|'.join(map(re.escape, names))})\b"
    names_one = r"(?:(?!\bsentictl ).)*--env\b"  # before the next command
    return re.compile(f"{command}(?!{names_one})", re.DOTALL)
