"""`sentictl runs`: the trials of tuning jobs and the versions of the model, side by side."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.cli.view.lines import hanging, unbroken

if TYPE_CHECKING:
    from sentictl.services.evaluate.runs import Run

app = typer.Typer(add_completion=False)


class Sort(StrEnum):
    """What runs are sorted by."""

    STARTED = "started"
    ACCURACY = "accuracy"
    SECONDS = "seconds"
    PRICE = "price"


@app.command("runs")
@command
def runs(
    invocation: Invocation,
    sort: Annotated[Sort, typer.Option(help="By when they began, or by what they came to.")] = Sort.STARTED,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw their accuracies to this file as well.")
    ] = None,
) -> None:
    """List the trials of tuning jobs and the versions, side by side.

    Of their hyperparameters those are shown in which the runs differ. The price is that of the machines that a run
    asked for, for as long as it took.
    """
    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        found = project.runs(plot=plot).by(sort)
    lines = [_lines(run, found.differing, invocation.output.width) for run in found.runs]
    none = f"There is no run in the environment {invocation.environment} yet."
    invocation.output.result(found.document(), "\n".join(lines) or none)
    if lines:
        paid = "" if found.billed else "; nothing is paid on this machine, whose seconds they are"
        invocation.output.say("\n" + hanging("", f"Prices: {found.prices}{paid}"))
    if plot is not None:
        invocation.output.say(f"wrote {plot}")


def _lines(run: "Run", differing: Sequence[str], width: int) -> str:
    number = "" if run.number is None else str(run.number)
    marks = [word for word, holds in (("live", run.live), ("pruned", run.pruned)) if holds]
    ended = [] if run.status == "Completed" else [run.status.lower()]
    kind = "trial" if run.tuning_job else "version"
    first = hanging(f"{number:>2}  ", " · ".join([run.name, kind, *ended, *filter(None, [", ".join(marks)])]), width)
    facts = [*_measured(run), *_settings(run.settings, differing)]
    return f"{first}\n{hanging(' ' * 4, ' · '.join(map(unbroken, facts)), width)}"


def _measured(run: "Run") -> Iterator[str]:
    if run.validation_accuracy is not None:
        interval = f" ({100 * run.interval[0]:.1f} to {100 * run.interval[1]:.1f})" if run.interval else ""
        yield f"validation {100 * run.validation_accuracy:.1f} %{interval}"
    if run.seconds is not None:
        yield f"{run.seconds:.0f} s"
    if run.price is not None:
        yield f"${run.price:.4f}"


def _settings(settings: Any, differing: Sequence[str]) -> Iterator[str]:
    for name in differing:
        if name in settings:
            value = settings[name]
            yield f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
