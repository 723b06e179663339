"""How a hint writes a value, so that its command can be pasted into a shell."""

import shlex


def argument(value: str) -> str:
    """Return a value as the last of a command's arguments: quoted where a shell or an option's dash asks for it."""
    return f"-- {shlex.quote(value)}" if value.startswith("-") else shlex.quote(value)
