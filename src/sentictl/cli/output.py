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

    def result(self, document: Any, text: str = "") -> None:
        """The command's answer: `document` with --json, else `text`."""
        if self.json:
            text = json.dumps(document, ensure_ascii=False, indent=2)
        if text:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def say(self, text: str) -> None:
        """A remark, such as what was changed or what comes next."""
        if not self.quiet:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def error(self, code: str, message: str, hint: str) -> None:
        """Why the command failed and what to do next."""
        if self.json:
            self.result({"error": {"code": code, "message": message, "hint": hint}})
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
