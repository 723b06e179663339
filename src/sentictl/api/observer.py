"""Who is told of what goes on while a project changes."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from sentictl.config.config import Config
from sentictl.lifecycle import reconcile
from sentictl.lifecycle.reconcile import Action, Step
from sentictl.lifecycle.resource import Context


class ProjectObserver(reconcile.Observer, Protocol):
    """Told of everything that goes on in a session: what a terminal draws, a log holds, or nobody hears."""

    def opening(self, config: Config) -> None:
        """The project is known; nothing that takes time has begun."""

    def connected(self, context: Context) -> None:
        """The environment answers, and the account is known."""

    def plan_of(self, commands: Sequence[str]) -> None:
        """These commands of the chain will run, in this order."""

    def begin(self, command: str) -> None:
        """One of them begins, unless it has begun."""

    def ended(self, command: str) -> None:
        """It is done."""

    def report(self, what: str, done: float | None = None, total: float | None = None) -> None:
        """Tell what a resource says while it takes long."""

    def remark(self, line: str) -> None:
        """A line of its own."""


class Lines:
    """An observer that tells each milestone in one line.

    Args:
        tell: takes a line; None tells nobody.
    """

    def __init__(self, tell: Callable[[str], object] | None) -> None:
        self._tell = tell or (lambda _: None)
        self._command, self._summary, self._changed, self._since = "", "", False, 0.0

    def opening(self, config: Config) -> None:
        self._tell(f"project {config.settings.project.name} · environment {config.environment}")

    def connected(self, context: Context) -> None:
        if not context.environment.on_twin:
            self._tell(f"account {context.environment.account} · {context.environment.region}")

    def plan_of(self, commands: Sequence[str]) -> None:
        """Lines are told as they come: there is nothing to prepare."""

    def begin(self, command: str) -> None:
        if command != self._command:
            self._command, self._summary, self._changed, self._since = command, "", False, time.monotonic()

    def ended(self, command: str) -> None:
        facts = [*([] if self._changed else ["unchanged"]), *filter(None, [self._summary])]
        self._tell(f"{command:<12} {' · '.join(facts)}   {time.monotonic() - self._since:.0f} s")
        self._command = ""

    def started(self, step: Step) -> None:
        self._changed = self._changed or step.action is not Action.KEEP

    def finished(self, step: Step, summary: str) -> None:
        if step.action is not Action.DELETE and summary:
            self._summary = summary

    def report(self, what: str, done: float | None = None, total: float | None = None) -> None:  # noqa: ARG002
        """Only what is not counted is a milestone."""
        if done is None:
            self._tell(f"{self._command:<12} {what}")

    def remark(self, line: str) -> None:
        self._tell(line)
