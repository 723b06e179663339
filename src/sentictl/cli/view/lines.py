"""Lines that fit: text under a heading, wrapped with a hanging indent, in a terminal of any width and in a log file."""

import textwrap
from collections.abc import Sequence

WIDTH = 80  # columns where there is no terminal
NO_BREAK = "\u00a0"  # a space at which no line ends
LEAST = 16  # columns of text beside a heading; where fewer are left, a terminal wraps as it can


def hanging(heading: str, text: str, width: int = WIDTH) -> str:
    """A heading and the text beside it, whose further lines begin below its first word.

    Words are never broken, so that an address can be copied: one that is longer than the line sticks out.

    Args:
        heading: what stands at the left, with the space that follows it.
        text: one paragraph. Where it has `NO_BREAK`, a line gets a space and does not end.
        width: columns.
    """
    indent = " " * len(heading)
    room = max(width, len(heading) + LEAST)
    lines = textwrap.fill(
        text,
        room,
        initial_indent=heading,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines.replace(NO_BREAK, " ")


def paragraphs(rows: Sequence[tuple[str, str]], width: int = WIDTH) -> str:
    """Headings of one width with the text beside them, such as "Page: …" over "API:  …"."""
    longest = max(len(heading) for heading, _ in rows)
    headings = [f"{heading:<{longest}} " if longest else "" for heading, _ in rows]
    return "\n".join(hanging(heading, text, width) for heading, (_, text) in zip(headings, rows, strict=True))


def unbroken(command: str) -> str:
    """A command that stays on one line."""
    return command.replace(" ", NO_BREAK)
