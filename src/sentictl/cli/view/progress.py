"""The chain as it comes alive. On a terminal it is drawn and redrawn; elsewhere every milestone is a plain line."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleRenderable
from rich.live import Live
from rich.text import Text

from sentictl.cli.view.lines import WIDTH, hanging
from sentictl.cli.view.output import Output
from sentictl.cli.view.phases import NAME_WIDTH, CommandProgress, Phase, picture
from sentictl.config.config import Config
from sentictl.lifecycle.reconcile import Action, Step
from sentictl.lifecycle.resource import Context

VERBS = {
    Action.CREATE: "making",
    Action.UPDATE: "updating",
    Action.REPLACE: "replacing",
    Action.DELETE: "deleting",
    Action.KEEP: "looking at",
}


class Progress:
    """The observer of a session that a person watches, on stderr."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._console = Console(stderr=True, highlight=False, quiet=output.quiet)
        self._drawn = self._console.is_terminal and not self._console.is_dumb_terminal and not output.quiet
        self._live: Live | None = None
        self._parts: dict[str, CommandProgress] = {}
        self._running: CommandProgress | None = None
        self._changed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running and problem is not None:
            self._running.end(Phase.FAILED)
            self._tell(self._running.line(WIDTH))
        if self._live:
            self._live.stop()

    def opening(self, config: Config) -> None:
        """The first line, before anything that takes time."""
        elsewhere = config.placement.endpoint_url
        place = f"{elsewhere} in place of AWS" if elsewhere else f"AWS, {config.placement.region}"
        if config.on_twin:
            place = "this machine, no bill"
        name = config.settings.project.name
        self._output.finish(f"· project {name} · environment {config.environment} ({place})")

    def connected(self, context: Context) -> None:
        """On AWS: whose account is about to change."""
        if not context.environment.on_twin:
            self._print(f"account {context.environment.account}")

    def plan_of(self, commands: Sequence[str]) -> None:
        """The rows of the picture."""
        self._parts = {command: CommandProgress(command) for command in commands}

    def begin(self, command: str) -> None:
        """Begin one command, unless it has begun: from here its seconds count."""
        if self._running is None or self._running.name != command:
            self._running = self._parts.setdefault(command, CommandProgress(command))
            self._running.begin()
            self._changed = False
            self._draw()

    def ended(self, command: str) -> None:
        """One command is done: its facts and seconds."""
        part = self._parts[command]
        part.end(Phase.CHANGED if self._changed else Phase.UNCHANGED)
        self._running = None
        self._tell(part.line(WIDTH))

    def started(self, step: Step) -> None:
        """The reconciler begins a step."""
        self._changed = self._changed or step.action is not Action.KEEP
        doing = f"{VERBS[step.action]} {step.kind} {step.name}"
        if self._running:
            self._running.show(doing)
        if step.action is not Action.KEEP:
            self._tell(self._milestone(doing))

    def finished(self, step: Step, summary: str) -> None:
        """The reconciler has ended a step."""
        if step.action is not Action.DELETE and summary and self._running:
            self._running.summary = summary

    def report(self, what: str, done: float | None = None, total: float | None = None) -> None:
        """Something that a resource says while it works; what is counted moves a bar, the rest stays as a line."""
        if self._running is None:
            self._print(f"  {what}")
            return
        self._running.show(what, done, total)
        if done is None:
            self._running.milestones.append(what)
            self._tell(self._milestone(what))

    def remark(self, line: str) -> None:
        """A line of its own."""
        self._print(line)

    def _milestone(self, what: str) -> Text:
        name = self._running.name if self._running else ""
        return Text(hanging(f"  {name:<{NAME_WIDTH}} · ", what), "dim")

    def _tell(self, line: Text) -> None:
        """A milestone: drawn by itself on a terminal, a line elsewhere."""
        if self._drawn:
            self._draw()
        else:
            self._console.print(line, soft_wrap=True)

    def _print(self, line: str) -> None:
        width = self._console.width if self._drawn else WIDTH
        indent = " " * (len(line) - len(line.lstrip()))
        self._console.print(hanging(indent, line.lstrip(), width), soft_wrap=True, markup=False)

    def _draw(self) -> None:
        if not self._drawn:
            return
        if self._live is None:
            # Painted by its own thread alone: Ctrl-C reaches this one, and must not end a picture half painted.
            self._live = Live(
                console=self._console, get_renderable=self._picture, refresh_per_second=10, redirect_stdout=False
            )
            self._live.start()

    def _picture(self) -> ConsoleRenderable:
        return picture(self._parts.values(), self._console.width)
