"""The chain as it comes alive: one line for each command of the chain, with what is going on in it now.

On a terminal the running line moves; elsewhere every milestone is a plain line.
"""

import contextlib
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

from sentictl import __version__
from sentictl.cli.output import Output
from sentictl.lifecycle.reconcile import Action, Step, apply, destroy
from sentictl.lifecycle.resource import Context
from sentictl.project import LOCAL, Project
from sentictl.stack import resources
from sentictl.state import Record

NAME_WIDTH = 12
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
        self._status = self._console.status("") if self._console.is_terminal and not output.quiet else None
        self._phase = ""
        self._summary = ""
        self._changed = False
        self._since = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    def opening(self, project: Project) -> None:
        """The first line, before anything that takes time."""
        place = (
            "this machine: no account, no bill" if project.environment == LOCAL else f"AWS, {project.placement.region}"
        )
        name = project.settings.project.name
        self._print(f"sentictl {__version__} · project {name} · environment {project.environment} ({place})")

    def connected(self, context: Context) -> None:
        """On AWS: whose account is about to change."""
        if context.environment.name != LOCAL:
            self._print(f"account {context.environment.account}")

    def run(self, command: str, context: Context, *, wait: bool = True) -> None:
        """Bring one command's resources to what the settings ask for."""
        with self._in_phase(command):
            apply(resources(context, command), context, self, wait=wait)

    def take_down(self, context: Context) -> tuple[list[Step], list[Record]]:
        """Delete the whole chain. Returns the steps taken and what is left."""
        with self._in_phase("down"):
            return destroy(resources(context), context, self)

    def remark(self, text: str) -> None:
        """A line of its own."""
        self._print(text)

    def begin(self, phase: str) -> None:
        """Begin one command of the chain, unless it has begun."""
        if phase != self._phase:
            self._phase, self._summary, self._changed, self._since = phase, "", False, time.monotonic()
            self._show("")

    @contextlib.contextmanager
    def _in_phase(self, name: str) -> Iterator[None]:
        """One command of the chain: a line that ends with a check mark, facts and seconds."""
        self.begin(name)
        yield
        if self._status:
            self._status.stop()
        mark = Text("✓ ", "green") if self._changed else Text("= ", "dim")
        facts = self._summary if self._changed else f"unchanged · {self._summary}"
        self._print(self._line(mark, facts, self._elapsed()))

    def started(self, step: Step) -> None:
        self._changed = self._changed or step.action is not Action.KEEP
        self._show(f"{VERBS[step.action]} {step.kind} {step.name}")
        if step.action is not Action.KEEP and not self._status:
            self._print(self._line(Text("· "), f"{VERBS[step.action]} {step.kind} {step.name}", ""))

    def finished(self, step: Step, summary: str) -> None:
        if step.action is not Action.DELETE and summary:
            self._summary = summary

    def report(self, what: str, done: float | None = None, total: float | None = None) -> None:
        """Something that a resource says while it works; counted progress moves, the rest stays as a line."""
        share = f" {done / total:.0%}".replace("%", " %") if done is not None and total else ""
        self._show(what + share)
        if done is None:
            self._print(self._line(Text("· ", "dim"), what, self._elapsed()))

    def _show(self, text: str) -> None:
        if self._status:
            self._status.update(self._line(Text(""), text, self._elapsed()))
            self._status.start()

    def _line(self, mark: Text, text: str, elapsed: str) -> Text:
        return Text.assemble(f"  {self._phase:<{NAME_WIDTH}} ", mark, text, (f"   {elapsed}", "dim"))

    def _print(self, line: str | Text) -> None:
        self._console.print(line, soft_wrap=True)

    def _elapsed(self) -> str:
        seconds = round(time.monotonic() - self._since)
        return f"{seconds // 60} m {seconds % 60:02d} s" if seconds >= 60 else f"{seconds} s"
