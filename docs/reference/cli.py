"""Write docs/cli.md from the commands themselves; with --check only tell whether it is what they say."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from sentictl.cli.app import GROUPS, app
from sentictl.cli.examples import Examples, examples_of
from sentictl.cli.help import EVERYWHERE, description, path_of, record_of, title_of
from sentictl.config.dotted_keys import all_keys, get
from sentictl.config.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "cli.md"
HEAD = """\
# The command line

Every command, as its own `--help` explains it. What all of them have in common, such as `--json`, exit codes and where
settings come from, is in [output.md](output.md).
"""
MORE = {  # pages about what a command does
    "init": "customizing.md",
    "doctor": "doctor.md",
    "data": "data.md",
    "train": "model.md",
    "deploy": "versions.md",
    "models": "versions.md",
    "runs": "tuning.md",
    "wire-api": "api.md",
    "site": "page.md",
    "plan": "costs.md",
    "costs": "serving.md",
    "status": "lifecycle.md",
    "history": "state.md",
    "state": "state.md",
    "predict": "predicting.md",
    "evaluate": "evaluation.md",
    "down": "lifecycle.md",
    "export": "export.md",
    "import": "lifecycle.md",
}
TABLES = {
    "wire-lambda": "lambda",
    "wire-api": "api",
    "notebook create": "notebook",
}  # of settings, where they are not called as their command


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the page differs")
    content = page()
    if not parser.parse_args().check:
        PAGE.write_text(content, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != content:
        raise SystemExit("docs/cli.md is not what the commands say. Write it anew: python docs/reference/cli.py")


def page() -> str:
    """The whole page."""
    command = typer.main.get_command(app)
    root = typer.Context(command, info_name="sentictl", **command.context_settings)
    parts = [HEAD, examples_block(examples_of("")), *overview(), "## Options of every command\n", *everywhere(root)]
    for title, commands in GROUPS.items():
        parts.append(f"## {title}\n")
        for name in commands:
            parts += sections(root, name, "###")
    return "\n".join(parts)


def overview() -> Iterator[str]:
    """The commands by groups, each with what it does."""
    yield "| | command | |\n|---|---|---|"
    for title, commands in GROUPS.items():
        for number, (name, does) in enumerate(commands.items()):
            yield f"| {'' if number else title} | [`{name}`](#{name}) | {does} |"
    yield ""


def everywhere(root: typer.Context) -> Iterator[str]:
    """The options that all commands take, before or after their names."""
    parameters: Any = root.command.get_params(root)
    yield table(("option", ""), [option_row(root, option) for option in parameters if title_of(option) == EVERYWHERE])


def sections(parent: typer.Context, name: str, heading: str) -> Iterator[str]:
    """A command, and the commands below it."""
    command: Any = parent.command
    context = typer.Context(command.get_command(parent, name), parent=parent, info_name=name)
    yield from section(context, heading)
    below: Any = context.command
    for child in below.list_commands(context) if hasattr(below, "list_commands") else ():
        yield from sections(context, child, f"{heading}#")


def section(context: typer.Context, heading: str) -> Iterator[str]:
    """One command: what it does, examples, and its options in their groups."""
    path, command = path_of(context), context.command
    yield f"{heading} {path}\n"
    yield f"{description(command)}\n"
    if path in MORE:
        yield f"More: [{MORE[path]}]({MORE[path]}).\n"
    yield examples_block(examples_of(path))
    parameters: Any = command.get_params(context)
    own = [parameter for parameter in parameters if title_of(parameter) != EVERYWHERE]
    for title in sorted({title_of(parameter) for parameter in own}, key=[title_of(each) for each in own].index):
        members = [parameter for parameter in own if title_of(parameter) == title]
        if title.startswith("Settings"):
            yield table((title, "", "setting", "default"), [setting_row(context, option) for option in members])
        else:
            yield table((title, ""), [option_row(context, option) for option in members])


def option_row(context: typer.Context, option: Any) -> tuple[str, str]:
    written, meaning = record_of(option, context)
    return code(written), cell(meaning)


def setting_row(context: typer.Context, option: Any) -> tuple[str, str, str, str]:
    written, meaning = record_of(option, context)
    table = TABLES.get(path_of(context), path_of(context))
    key = next((key for key in (f"{table}.{option.name}", f"{table}.tune.{option.name}") if key in set(all_keys())), "")
    if not key:
        raise SystemExit(f"{written} of {path_of(context)} is among the settings, and there is no such setting.")
    default = get(Settings(), key)
    return code(written), cell(meaning), code(key), "" if default == "" else code(shown(default))


def shown(value: object) -> str:
    """A value as it is written in sentictl.toml."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def examples_block(lines: Examples) -> str:
    """Examples as they are typed, each with what it does behind it."""
    width = max(len(line) for line, _ in lines)
    rows = [f"$ {line:<{width}}  # {meaning}" for line, meaning in lines]
    return "\n".join(["```console", *rows, "```", ""])


def table(head: tuple[str, ...], rows: list[Any]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def code(text: str) -> str:
    return f"`{cell(text)}`"


def cell(text: str) -> str:
    """A text that does not end its cell. Defaults are in brackets for terminals."""
    return re.sub(r"  \[(.*)\]$", r" (\1)", text).replace("|", "\\|")


if __name__ == "__main__":
    main()
