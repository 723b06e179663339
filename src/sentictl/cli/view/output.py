"""The output: its result on stdout, everything else on stderr; with --json one document, errors included."""

import codecs
import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from sentictl.cli.streams import ReaderGoneError, abandon_stdout
from sentictl.cli.view.lines import WIDTH, hanging, paragraphs
from sentictl.errors import StreamError

if TYPE_CHECKING:
    from rich.text import Text

CARD_WIDTH = 100  # columns that a frame takes at most
FALLBACK = "sentictl-spelled"  # how signs are written where they cannot be
SPELLED = {"✓": "ok", "✗": "x", "●": "*", "○": "o", "◐": "~", "│": "|", "·": "-", "…": "...", "→": "->", "±": "+-"}
SPELLED |= {"━": "=", "─": "-", "┼": "+"} | dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True)) | dict.fromkeys("╭╮╰╯", "+")
# A command in a sentence: its name, then options, values in capitals, settings and quoted text, but no further words.
COMMAND = (
    r"sentictl (config |keys |local |notebook |state |users |models (?=compare-))?"
    r"[a-z-]+( --?[a-z-]+| [A-Z]{2,}| [a-z]+\.[\w.]+| [\w-]+\.[\w.-]+| '[^']*')*"
)
FRAME = 4  # of them for the frame itself

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
        self._announced = ""  # what stands on stderr's last line, which is not ended yet
        self._listed = -1  # elements of the JSON list that is being written; -1 when there is none

    def result(self, document: Any, text: str = "") -> None:
        """The command's answer: `document` with --json, else `text`."""
        self.finish("")
        if self.json:
            text = json.dumps(document, ensure_ascii=_is_narrow(sys.stdout), indent=2)
        if text:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def item(self, document: Any, text: str) -> None:
        """One of several answers, written at once; with --json an element of one list, which `end_items` closes."""
        if not self.json:
            self.result(document, text)
            return
        separator = ",\n" if self._listed > 0 else "[\n"
        sys.stdout.write(separator + json.dumps(document, ensure_ascii=_is_narrow(sys.stdout)))
        sys.stdout.flush()
        self._listed = max(self._listed, 0) + 1

    def end_items(self) -> None:
        """After the last of the `item`s: the document is whole."""
        if self.json:
            sys.stdout.write("\n]\n" if self._listed > 0 else "[]\n")
            sys.stdout.flush()
            self._listed = -1

    def announce(self, text: str) -> None:
        """Begin the first line at once, while the rest of it is still to be found out: see `finish`."""
        if not self.quiet:
            self._announced = text
            sys.stderr.write(text)
            sys.stderr.flush()

    def finish(self, text: str) -> None:
        """The rest of the line that was announced."""
        announced, self._announced = self._announced, ""
        if announced or text:
            self.say(hanging(announced, text, columns(sys.stderr))[len(announced) :])

    def say(self, text: str) -> None:
        """A remark, such as what was changed or what comes next."""
        if not self.quiet:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def counted(self, kinds: Iterable[dict[str, Any]]) -> None:
        """A remark on each kind of thing in the reviews that is not used as it stands: "what", "count", "example"."""
        for kind in kinds:
            example = f", such as {printable(kind['example'])}" if kind["example"] else ""
            self.say(f"  {kind['what']}: {kind['count']:,}{example}")

    def error(self, code: str, message: str, hint: str) -> None:
        """Why the command failed and what to do next. A document goes to stderr where stdout cannot take it."""
        self.finish("")
        if self.json:
            document = {"error": {"code": code, "message": message, "hint": hint}}
            try:
                self._json_error(document)
            except (StreamError, ReaderGoneError):
                abandon_stdout()
                sys.stderr.write(json.dumps(document, ensure_ascii=_is_narrow(sys.stderr), indent=2) + "\n")
            return
        _show_error(message, hint)

    def _json_error(self, document: Any) -> None:
        if self._listed > 0:  # the last element of a list that was begun, so that stdout stays one document
            self.item(document, "")
            self.end_items()
        else:
            self.result(document)

    @property
    def width(self) -> int:
        """Columns of stdout."""
        return columns(sys.stdout)

    def print(self, text: "Text") -> None:
        """A part of the result that has colors where there are some."""
        from rich.console import Console

        Console(highlight=False).print(text, soft_wrap=True)

    def card(self, document: Any, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """The answer in a few rows, such as ("Page:", address): framed on a terminal; with --json `document`."""
        from rich.console import Console
        from rich.panel import Panel

        if self.json or not sys.stdout.isatty() or Console().is_dumb_terminal:
            self.result(document, paragraphs(rows, self.width))
            return

        room = min(self.width, CARD_WIDTH) - FRAME
        framed = [row for row in rows if _fits(row, room)]
        beside = [row for row in rows if row not in framed]  # an address or a command that the frame would break
        if framed:
            panel = Panel(paragraphs(framed, room), title=title, title_align="left", border_style="green")
            panel.padding, panel.expand = (0, 1), False
            Console(highlight=False, markup=False).print(panel)
        if beside or not framed:
            self.result(document, paragraphs(beside, self.width))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table as the result."""
        from rich.console import Console
        from rich.table import Column, Table

        columns = [Column(heading, overflow="fold") for heading in headings]
        table = Table(*columns, box=None, pad_edge=False, header_style="dim")
        for row in rows:
            table.add_row(*row)
        Console(highlight=False, markup=False).print(table)


def _spelled(problem: UnicodeError) -> tuple[str, int]:
    """Return what stands for characters that cannot be written: signs are spelled, letters escaped as in JSON."""
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    unknown = problem.object[problem.start : problem.end]
    return "".join(SPELLED.get(character) or json.dumps(character)[1:-1] for character in unknown), problem.end


def _is_narrow(stream: TextIO) -> bool:
    """Whether there are characters that a stream cannot take: in JSON they are escaped, and nothing is spelled."""
    return not (stream.encoding or "").lower().startswith("utf")


codecs.register_error(FALLBACK, _spelled)


def columns(stream: TextIO) -> int:
    """Columns of a stream; of a file as many as a narrow terminal has."""
    if not stream.isatty():
        return WIDTH
    import shutil

    return shutil.get_terminal_size().columns


def _show_error(message: str, hint: str) -> None:
    """Show what went wrong, why, and what to do next: framed on a terminal, unbroken lines elsewhere."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    console = Console(stderr=True, highlight=False)
    told = Text(message)
    if hint:
        told = Text.assemble(told, "\n\n" if console.is_terminal else "\n  ", hint)
    told.highlight_regex(COMMAND, "cyan")
    if console.is_terminal and not console.is_dumb_terminal:
        width = min(console.width, CARD_WIDTH)
        console.print(Panel(told, title="✗", title_align="left", border_style="red", padding=(0, 1), width=width))
    else:
        console.print(Text.assemble(("✗ ", "bold red"), told), soft_wrap=True)


def printable(text: str) -> str:
    """A text of the same length that a terminal shows as it is: without control characters, but with its line ends."""
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


def _fits(row: tuple[str, str], room: int) -> bool:
    return all(len(line) <= room for line in paragraphs([row], room).split("\n"))
