"""The chain as it comes alive: one line for each command of the chain, with what is going on in it now.

On a terminal the running line moves; elsewhere every milestone is a plain line.
"""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

from sentictl import __version__
from sentictl.cli.output import Output
from sentictl.config import LOCAL, Config
from sentictl.lifecycle.reconcile import Action, Step
from sentictl.lifecycle.resource import Context

NAME_WIDTH = 12
DOING_WIDTH = 34  # with name, bar and time it fits 80 columns
VERBS = {
    Action.CREATE: "making",
    Action.UPDATE: "updating",
    Action.REPLACE: "replacing",
    Action.DELETE: "deleting",
    Action.KEEP: "looking at",
}


class Progress:
    """Shows phases and steps on stderr. Is the reconciler's observer and the resources' voice."""

    def __init__(self, output: Output) -> None:
        self._console = Console(stderr=True, highlight=False, quiet=output.quiet)
        self._bar = self._new_bar() if self._console.is_terminal and not output.quiet else None
        self._phase = ""
        self._summary = ""
        self._changed = False
        self._since = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hide()

    def opening(self, config: Config) -> None:
        """The first line, before anything that takes time."""
        place = (
            "this machine: no account, no bill" if config.environment == LOCAL else f"AWS, {config.placement.region}"
        )
        name = config.settings.project.name
        self.remark(f"sentictl {__version__} · project {name} · environment {config.environment} ({place})")

    def connected(self, context: Context) -> None:
        """On AWS: whose account is about to change."""
        if context.environment.name != LOCAL:
            self.remark(f"account {context.environment.account}")

    def plan_of(self, commands: Sequence[str]) -> None:
        """Each command is shown as it begins."""

    def begin(self, phase: str) -> None:
        """Begin one command of the chain, unless it has begun: from here its seconds count."""
        if phase != self._phase:
            self._phase, self._summary, self._changed, self._since = phase, "", False, time.monotonic()
            self._show("")

    def remark(self, line: str | Text) -> None:
        """A line of its own."""
        self._console.print(line, soft_wrap=True)

    def started(self, step: Step) -> None:
        """The reconciler begins a step."""
        self._changed = self._changed or step.action is not Action.KEEP
        doing = f"{VERBS[step.action]} {step.kind} {step.name}"
        self._show(doing)
        if step.action is not Action.KEEP and not self._bar:
            self.remark(self._line(Text("· "), doing))

    def finished(self, step: Step, summary: str) -> None:
        """The reconciler has ended a step."""
        if step.action is not Action.DELETE and summary:
            self._summary = summary

    def report(self, what: str, done: float | None = None, total: float | None = None) -> None:
        """Something that a resource says while it works; what is counted moves a bar, the rest stays as a line."""
        self._show(what, done, total)
        if done is None:
            self.remark(self._line(Text("· ", "dim"), what, self._elapsed()))

    def ended(self, command: str) -> None:  # noqa: ARG002  (each command ends before the next begins)
        """One command of the chain is done: a line with a check mark, facts and seconds."""
        self._hide()
        mark = Text("✓ ", "green") if self._changed else Text("= ", "dim")
        facts = self._summary if self._changed else f"unchanged · {self._summary}"
        self.remark(self._line(mark, facts, self._elapsed()))

    def _new_bar(self) -> Bar:
        columns = (TextColumn("{task.description}"), BarColumn(20), TimeElapsedColumn())
        return Bar(*columns, console=self._console, transient=True)

    def _show(self, doing: str, done: float | None = None, total: float | None = None) -> None:
        """Show what is going on in the line that moves; without a total its bar swings."""
        if self._bar is None:
            return
        if not self._bar.tasks:
            self._bar.add_task("")
            self._bar.start()
        task = self._bar.tasks[0].id
        self._bar.update(task, description=f"  {self._phase:<{NAME_WIDTH}} · {doing[:DOING_WIDTH]}")
        self._bar.update(task, completed=done or 0, total=total)

    def _hide(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = self._new_bar()

    def _line(self, mark: Text, text: str, elapsed: str = "") -> Text:
        ending = f"   {elapsed}" if elapsed else ""
        return Text.assemble(f"  {self._phase:<{NAME_WIDTH}} ", mark, text, (ending, "dim"))

    def _elapsed(self) -> str:
        seconds = round(time.monotonic() - self._since)
        return f"{seconds // 60} m {seconds % 60:02d} s" if seconds >= 60 else f"{seconds} s"
