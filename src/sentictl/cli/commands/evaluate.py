"""`sentictl evaluate`: how good the model is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentictl.cli.invocation import Invocation, command
from sentictl.errors import UsageError

if TYPE_CHECKING:
    from sentictl.services.evaluate.comparison import Comparison
    from sentictl.services.evaluate.evaluation import Evaluation

app = typer.Typer(add_completion=False)


@app.command("evaluate")
@command
def evaluate(
    invocation: Invocation,
    data: Annotated[
        Path | None, typer.Option(help="Labelled reviews to measure on, of any form that `data --source` takes.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="Another model to compare with: its name, an artifact's folder, or a model.tar.gz.", metavar="MODEL"
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page with charts to this file.")] = None,
    mistakes: Annotated[int, typer.Option(min=0, max=1000, help="How many of the surest mistakes to show.")] = 5,
) -> None:
    """Measure the model on the test split, or on other reviews.

    The test split neither trained the model nor chose anything about it.
    """
    from rich.console import Console

    from sentictl.cli.open_project import opened
    from sentictl.cli.view.evaluation import show

    if report:
        _check(report)
    comparison = None
    with opened(invocation) as project, Console(stderr=True, quiet=invocation.quiet).status("Measuring …"):
        if against:
            result, comparison = project.compare(against, data, mistakes=mistakes)
        else:
            result = project.evaluate(data, mistakes=mistakes)
    if report:
        _write(invocation, report, result, comparison)
    if invocation.json:
        invocation.output.result(result.document() | ({"comparison": comparison.document()} if comparison else {}))
    else:
        show(result, comparison)


def _check(report: Path) -> None:
    """Refuse a report that cannot be written before anything is measured for it."""
    try:
        if report.is_dir():
            raise UsageError(f"{report} is a folder.", "Name a file: sentictl evaluate --report evaluation.html")
    except OSError as problem:
        raise _unwritable(report, problem) from None
    if not report.resolve().parent.is_dir():
        raise UsageError(f"There is no folder {report.resolve().parent}.", "Make it, or choose another --report.")


def _write(invocation: Invocation, path: Path, evaluation: "Evaluation", comparison: "Comparison | None") -> None:
    from sentictl.assets.atomic import write_atomically
    from sentictl.assets.installed import templates
    from sentictl.services.evaluate.report import render

    content = render(evaluation, comparison, templates())
    try:
        write_atomically(path, content)
    except OSError as problem:
        raise _unwritable(path, problem) from None
    invocation.output.say(f"Report: {path}")


def _unwritable(path: Path, problem: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written: {problem.strerror}.", "Choose another file with --report.")
