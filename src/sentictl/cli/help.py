"""The help: what a command does, examples, then its options in groups; the same in a pipe, without boxes."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from sentictl.cli.view.lines import hanging

# The titles of groups.
ARGUMENTS = "Arguments"
SETTINGS = "Settings, written to sentictl.toml"
RUN = "This run"
EVERYWHERE = "Everywhere"
NARROW, WIDE = 30, 38  # columns of options and examples at most; what is longer has its text on the next line

Row = tuple[str, str]  # what to type, and what it does


VALUE = re.compile(r"-\d|-[^=]*\s")  # no option is a number, or has a space in it


class Command(TyperCommand):
    """A command whose help begins with examples, and which takes "-1 stars" for the value that it can only be."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._values_last(args) if any(map(VALUE.match, args)) else args)

    def _values_last(self, args: list[str]) -> list[str]:
        """The arguments with the options first, then those that are none behind "--", in their order."""
        with_value = {name for each in self.params if not getattr(each, "is_flag", True) for name in each.opts}
        options: list[str] = []
        values: list[str] = []
        left = iter(args)
        for argument in left:
            if argument == "--":
                values += left
            elif argument.startswith("-") and argument != "-" and not VALUE.match(argument):
                options.append(argument)
                options += [next(left, "")] if argument in with_value else []
            else:
                values.append(argument)
        return [*options, "--", *values]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(page(self, ctx))


class CommandGroup(TyperGroup):
    """A command with commands of its own; called without any it shows its help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            args = [ctx.help_option_names[0]]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(page(self, ctx, self.panels(ctx)))

    def panels(self, ctx: Any) -> dict[str, list[Row]]:
        """The commands, by titles."""
        commands = [self.get_command(ctx, name) for name in self.list_commands(ctx)]
        return {"Commands": [(str(command.name), first_sentence(command)) for command in commands if command]}


def page(command: Any, ctx: Any, commands: dict[str, list[Row]] | None = None) -> str:
    """The help of a command.

    Args:
        command: the command.
        ctx: its context.
        commands: the commands that it has, by titles.
    """
    from sentictl.cli.examples import examples_of

    brief, _, more = description(command).partition("\n\n")
    parts = [
        hanging("Usage: ", " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])),
        hanging("", brief),
        _section("Examples", examples_of(path_of(ctx)), WIDE),
        *(hanging("", paragraph) for paragraph in more.split("\n\n") if paragraph),
        *(_section(title, rows, NARROW) for title, rows in ((commands or {}) | option_panels(command, ctx)).items()),
    ]
    return "\n\n".join(parts)


def path_of(ctx: Any) -> str:
    """A command without the program's name, such as "local start"."""
    return " ".join(ctx.command_path.split()[1:])


def description(command: Any) -> str:
    """Return what a command does: its first sentence, then paragraphs."""
    paragraphs = (command.help or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def first_sentence(command: Any) -> str:
    """Return what a command does, in short."""
    return description(command).partition("\n\n")[0].partition(". ")[0].rstrip(".")


def option_panels(command: Any, ctx: Any) -> dict[str, list[Row]]:
    """The arguments and options by the titles of their groups; those that all commands have come last."""
    records = [(title_of(parameter), record_of(parameter, ctx)) for parameter in command.get_params(ctx)]
    titles = sorted(dict.fromkeys(title for title, _ in records), key=lambda title: (title == EVERYWHERE, title == RUN))
    return {title: [row for group, row in records if group == title] for title in titles}


def title_of(parameter: Any) -> str:
    """The title of a parameter's group."""
    if parameter.param_type_name == "argument":
        return ARGUMENTS
    return EVERYWHERE if parameter.name == "help" else parameter.rich_help_panel or RUN


def record_of(parameter: Any, ctx: Any) -> Row:
    """How a parameter is written, and what it is for."""
    written, meaning = parameter.get_help_record(ctx)
    return _with_negation(written), meaning


def _with_negation(written: str) -> str:
    """`--wait / --no-wait` as `--[no-]wait`; others as they are."""
    yes, _, no = written.partition(" / ")
    return f"--[no-]{yes[2:]}" if no == f"--no-{yes[2:]}" else written


def _section(title: str, rows: Sequence[Row], widest: int) -> str:
    return "\n".join([_heading(title), *_aligned(rows, widest)])


def _aligned(rows: Sequence[Row], widest: int) -> Iterator[str]:
    """Rows of two columns. What is too long for the first one has its text beneath."""
    column = max((len(left) for left, _ in rows if len(left) <= widest), default=widest) + 4
    for left, right in rows:
        if len(left) + 4 <= column:
            yield hanging(f"  {left:<{column - 2}}", right)
        else:
            yield f"  {left}"
            yield hanging(" " * column, right)


def _heading(title: str) -> str:
    return f"\033[1m{title}\033[0m" if _has_colors() else title


def _has_colors() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
