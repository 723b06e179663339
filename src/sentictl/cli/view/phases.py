"""The chain as a picture that changes: a row for each command, with what goes on in it now or what came of it."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from rich.spinner import Spinner
from rich.text import Text

from sentictl.cli.view.lines import NO_BREAK, hanging

NAME_WIDTH = 12
BAR_WIDTH = 16
KEPT = 4  # milestones that are shown under the running part
SPINNER = Spinner("dots")
EARLY = 3  # seconds before which a guess of what is left is worth nothing


class Phase(Enum):
    """How far a part is: its mark and its style."""

    PENDING = ("·", "dim")
    RUNNING = (" ", "cyan")
    CHANGED = ("✓", "green")
    UNCHANGED = ("=", "dim")
    FAILED = ("✗", "red")

    def __init__(self, mark: str, style: str) -> None:
        self.mark = mark
        self.style = style


@dataclass
class CommandProgress:
    """One command of the chain while it runs, and after.

    Attributes:
        name: the command.
        phase: how far it is.
        doing: what goes on now.
        done: how much of that is done, of `total`; None where it is not counted.
        total: see there.
        summary: the facts that came of it.
        milestones: what it said on the way.
        begun: when it began, on the monotonic clock.
        counting: when the present count began.
        seconds: how long it took.
    """

    name: str
    phase: Phase = Phase.PENDING
    doing: str = ""
    done: float | None = None
    total: float | None = None
    summary: str = ""
    milestones: list[str] = field(default_factory=list)
    begun: float = 0.0
    counting: float = 0.0
    seconds: float = 0.0

    def begin(self) -> None:
        self.phase = Phase.RUNNING
        self.begun = self.counting = time.monotonic()

    def show(self, doing: str, done: float | None = None, total: float | None = None) -> None:
        """Tell what goes on now. A count that starts again is another one."""
        if done is None or self.done is None or done < self.done:
            self.counting = time.monotonic()
        self.doing, self.done, self.total = doing, done, total

    def end(self, phase: Phase) -> None:
        self.phase = phase
        self.seconds = time.monotonic() - self.begun

    def line(self, width: int) -> Text:
        """The part in one paragraph."""
        mark = _spinner() if self.phase is Phase.RUNNING else self.phase.mark
        facts = self._facts()
        text = Text(hanging(f"  {self.name:<{NAME_WIDTH}} {mark} ", facts, width) if facts else self._bare(mark))
        place = 3 + NAME_WIDTH
        text.stylize(self.phase.style, place, place + len(mark))
        if self.phase is Phase.PENDING:
            text.stylize("dim")
        elif self.phase is not Phase.RUNNING:
            text.highlight_regex(r"   [\d hms]+$", "dim")
        text.highlight_regex("━+", "cyan")
        text.highlight_regex("─+", "dim")
        return text

    def _bare(self, mark: str) -> str:
        return f"  {self.name:<{NAME_WIDTH}} {mark}"

    def _facts(self) -> str:
        """Return what stands beside the mark. Figures and their units stay together on one line."""
        if self.phase is Phase.PENDING:
            return ""
        if self.phase is Phase.RUNNING:
            elapsed = time.monotonic() - self.begun
            parts = [f"{self._bar()}{together(self.doing)}", duration(elapsed), self._left()]
            return " · ".join(filter(None, parts))
        facts = {Phase.UNCHANGED: "unchanged", Phase.FAILED: self.doing or "failed"}.get(self.phase, "")
        summary = "" if self.phase is Phase.FAILED else self.summary
        return f"{together(' · '.join(filter(None, [facts, summary])))}{3 * NO_BREAK}{duration(self.seconds)}"

    def _bar(self) -> str:
        if self.done is None or not self.total:
            return ""
        full = round(BAR_WIDTH * min(self.done / self.total, 1))
        return "━" * full + "─" * (BAR_WIDTH - full) + " "

    def _left(self) -> str:
        """How long what is counted goes on, if it goes on as it did."""
        counted = time.monotonic() - self.counting
        if not self.done or not self.total or counted < EARLY or self.done >= self.total:
            return ""
        return f"about {duration(counted * (self.total - self.done) / self.done)} left"


def duration(seconds: float) -> str:
    """Seconds as a person says them; its words stay on one line."""
    whole = round(seconds)
    text = f"{whole // 60} m {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
    return text.replace(" ", NO_BREAK)


def together(text: str) -> str:
    """A text whose figures stay on one line with their units."""
    return re.sub(r"(?<=\d) (?=[sm%](\s|$))", NO_BREAK, text)


def picture(parts: Iterable[CommandProgress], width: int) -> Text:
    """All parts, one under the other; under the one that runs, what it said last."""
    lines: list[Text] = []
    for part in parts:
        lines.append(part.line(width))
        if part.phase is Phase.RUNNING:
            heading = " " * (3 + NAME_WIDTH) + "· "
            told = [milestone for milestone in part.milestones if milestone != part.doing]
            lines += [Text(hanging(heading, milestone, width), "dim") for milestone in told[-KEPT:]]
    return Text("\n").join(lines)


def _spinner() -> str:
    return str(SPINNER.render(time.monotonic()))
