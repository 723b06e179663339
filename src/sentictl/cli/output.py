"""What a command says: its result on stdout, everything else on stderr; with --json one document, errors included."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

# Rich is imported where it is used: a quick `predict` does without it.


class Output:
    """Two voices and a choice between words and JSON.

    Args:
        json: the result is one JSON document.
        quiet: nothing but the result and errors.
    """

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self._listed = -1  # elements of the JSON list that is being written; -1 when there is none

    def result(self, document: Any, text: str = "") -> None:
        """The command's answer: `document` with --json, else `text`."""
        if self.json:
            text = json.dumps(document, ensure_ascii=False, indent=2)
        if text:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def item(self, document: Any, text: str) -> None:
        """One of several answers, written at once; with --json an element of one list, which `end_items` closes."""
        if not self.json:
            self.result(document, text)
            return
        separator = ",\n" if self._listed > 0 else "[\n"
        sys.stdout.write(separator + json.dumps(document, ensure_ascii=False))
        sys.stdout.flush()
        self._listed = max(self._listed, 0) + 1

    def end_items(self) -> None:
        """After the last of the `item`s: the document is whole."""
        if self.json:
            sys.stdout.write("\n]\n" if self._listed > 0 else "[]\n")
            sys.stdout.flush()
            self._listed = -1

    def say(self, text: str) -> None:
        """A remark, such as what was changed or what comes next."""
        if not self.quiet:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def error(self, code: str, message: str, hint: str) -> None:
        """Why the command failed and what to do next."""
        if self.json:
            document = {"error": {"code": code, "message": message, "hint": hint}}
            if self._listed > 0:  # the last element of a list that was begun, so that stdout stays one document
                self.item(document, "")
                self.end_items()
            else:
                self.result(document)
            return
        from rich.console import Console

        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print("[bold red]✗[/]", end=" ")
        console.print(message, markup=False)
        if hint:
            console.print(f"  {hint}", markup=False)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table as the result."""
        from rich.console import Console
        from rich.table import Table

        table = Table(*headings, box=None, pad_edge=False, header_style="dim")
        for row in rows:
            table.add_row(*row)
        Console(highlight=False, markup=False).print(table)


def printable(text: str) -> str:
    """A text of the same length that a terminal shows as it is: without control characters, but with its line ends."""
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)
