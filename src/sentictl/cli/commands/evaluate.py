"""`sentictl evaluate`: how good the model is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentictl.cli.completer import versions
from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.errors import UsageError

if TYPE_CHECKING:
    from sentictl.services.evaluate.comparison import Comparison
    from sentictl.services.evaluate.evaluation import Evaluation

app = typer.Typer(add_completion=False)
OF_DATA = "How --data is read"


def of_data(meaning: str) -> Any:
    """An option about the reviews of `--data`; the settings stay as they are."""
    return typer.Option(help=meaning, rich_help_panel=OF_DATA)


@app.command("evaluate")
@command
def evaluate(
    invocation: Invocation,
    data: Annotated[
        str | None, typer.Option(help="Labelled reviews to measure on, of any form that `data --source` takes.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="Another to compare with: its number or name, previous, latest, an artifact's folder or archive.",
            metavar="MODEL",
            autocompletion=versions,
        ),
    ] = None,
    columns: Annotated[str | None, of_data("The names of all columns, where the file has no header: a,b,c.")] = None,
    delimiter: Annotated[str | None, of_data("What parts the fields, such as ; or tab. Else found out.")] = None,
    encoding: Annotated[str | None, of_data("The encoding of the file, such as cp1252. Else found out.")] = None,
    review_column: Annotated[str | None, of_data("The column of the reviews.")] = None,
    label_column: Annotated[str | None, of_data("The column of the labels.")] = None,
    positive: Annotated[str | None, of_data("The label values of positive reviews: 4,5 or '>=4'.")] = None,
    negative: Annotated[str | None, of_data("The label values of negative reviews.")] = None,
    ignore: Annotated[str | None, of_data("The label values of reviews to leave out.")] = None,
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
    given = {
        "columns": columns,
        "delimiter": delimiter,
        "encoding": encoding,
        "review_column": review_column,
        "label_column": label_column,
        "positive": positive,
        "negative": negative,
        "ignore": ignore,
    }
    reading = {name: value for name, value in given.items() if value is not None}
    if reading and data is None:
        option = f"--{next(iter(reading)).replace('_', '-')}"
        raise UsageError(f"{option} says how reviews are read, and none are named.", "Name them with --data PATH.")
    comparison = None
    with opened(invocation) as project, Console(stderr=True, quiet=invocation.quiet).status("Measuring …"):
        if against:
            result, comparison = project.compare(against, data, mistakes=mistakes, reading=reading)
        else:
            result = project.evaluate(data, mistakes=mistakes, reading=reading)
    if report:
        _write(invocation, report, result, comparison)
    invocation.output.counted(result.counted)
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
