"""`sentictl predict`: positive or negative?"""

import contextlib
import shlex
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from sentictl.cli.invocation import Invocation, command
from sentictl.cli.view.output import printable
from sentictl.errors import InterruptedByUserError, ModelError, SentictlError, UsageError

if TYPE_CHECKING:
    from sentictl.services.predict.clients import Client
    from sentictl.services.predict.output_file import AnswerFile
    from sentictl.services.predict.resume import Row

app = typer.Typer(add_completion=False)

SHOWN = 60  # characters of a review beside its verdict


def of_file(meaning: str) -> Any:
    """An option about the reviews of `--file`; the settings stay as they are."""
    return typer.Option(help=meaning, rich_help_panel="How --file is read")


class Via(StrEnum):
    """Who is asked."""

    LOCAL = "local"
    API = "api"
    ENDPOINT = "endpoint"


class GivenReviews(NamedTuple):
    """The reviews to be answered: rows as they arrive, whether they can be several, and the file they come from."""

    arriving: "Iterable[list[Row]]"
    several: bool
    file: Path | None = None


@app.command("predict")
@command
def predict(
    invocation: Invocation,
    reviews: Annotated[list[str] | None, typer.Argument(help="Reviews, or - for one a line on stdin.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show which words and phrases made it so.")] = False,
    file: Annotated[Path | None, typer.Option(help="A table or .txt file of reviews.")] = None,
    review_column: Annotated[str | None, of_file("The column of the reviews.")] = None,
    delimiter: Annotated[str | None, of_file("What parts the fields, such as ; or tab. Else found out.")] = None,
    encoding: Annotated[str | None, of_file("The encoding of the file, such as cp1252. Else found out.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the answers to this .jsonl or .csv file.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the answers in --output end.")] = False,
    via: Annotated[Via, typer.Option(help="The model on this machine, or the deployed API or endpoint.")] = Via.LOCAL,
) -> None:
    """Tell whether reviews are positive or negative.

    By default the model artifact on this machine is asked, which needs no server.
    """
    if resume and not output:
        raise UsageError("--resume goes on with answers in a file.", "Name it with --output.")
    form = {"review_column": review_column, "delimiter": delimiter, "encoding": encoding}
    asked = _reviews(invocation, reviews or [], file, {name: value for name, value in form.items() if value})
    if output:
        _write(invocation, output, asked, _asker(invocation, via, explain=explain), resume=resume)
    else:
        _tell(invocation, asked, _asker(invocation, via, explain=explain))


def _reviews(invocation: Invocation, reviews: list[str], file: Path | None, form: dict[str, str]) -> GivenReviews:
    from sentictl.services.predict.batches import lines_as_they_come, windows
    from sentictl.services.predict.clients import WINDOW

    if file and reviews:
        raise UsageError("Reviews were given both as arguments and as a file.", "Give one of the two.")
    if form and not file:
        option = f"--{next(iter(form)).replace('_', '-')}"
        raise UsageError(f"{option} says how a file is read, and none is named.", "Name it with --file PATH.")
    if file:
        return GivenReviews(windows(_rows_of(invocation, file, form), WINDOW), several=True, file=file)
    if reviews == ["-"] or (not reviews and not sys.stdin.isatty()):
        stream = open(sys.stdin.fileno(), "rb", closefd=False)  # noqa: SIM115  (stdin is not ours to close)
        steps = lines_as_they_come(stream, WINDOW)
        return GivenReviews(([(line, {}, 0) for line in lines] for lines in steps), several=True)
    if not reviews:
        raise UsageError("There is no review.", "Give one: sentictl predict 'what a film'")
    return GivenReviews([[(_not_empty(review), {}, 0) for review in reviews]], several=len(reviews) > 1)


def _rows_of(invocation: Invocation, file: Path, form: dict[str, str]) -> "Iterator[Row]":
    from sentictl.cli.open_project import load_config
    from sentictl.reviews.read.reader import read_inputs

    config = load_config(invocation)
    # How the file for training is written says nothing of this one.
    given = {"delimiter": "", "encoding": "", **form}
    config.change({f"data.{name}": value for name, value in given.items()})
    yield from read_inputs(file, config.settings.data)


def _not_empty(review: str) -> str:
    if not review.strip():
        raise UsageError("The review is empty.", "Give it some words: sentictl predict 'what a film'")
    return review


def _asker(invocation: Invocation, via: Via, *, explain: bool) -> "Client":
    if via is Via.LOCAL:  # without all that a project needs besides
        from sentictl.services.predict.clients import from_artifact

        return from_artifact(_current_model(invocation), explain=explain)
    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        return project.asker(via, explain=explain)


def _current_model(invocation: Invocation) -> Path:
    from sentictl.config.project_folder import ProjectFolder

    folder = ProjectFolder.find()
    if folder is None:
        raise ModelError(
            "There is no sentictl.toml in this folder or above it, so no model either.",
            "Go to a project's folder, or make one here with: sentictl up",
        )
    if not folder.current_model(invocation.environment).exists():
        from sentictl.cli.open_project import load_config

        load_config(invocation)  # whether there is such an environment at all
    return folder.model_of(invocation.environment)


def _tell(invocation: Invocation, asked: GivenReviews, asker: "Client") -> None:
    """Answer on stdout, each review as soon as it is answered."""
    from sentictl.cli.view.file_progress import reading
    from sentictl.services.predict.batches import predict_each

    output = invocation.output
    with reading(asked.file, hidden=invocation.quiet or sys.stdout.isatty() or not asked.several) as advance:
        for (text, fields, position), prediction in predict_each(asker, asked.arriving, lambda row: row[0]):
            answer = {**fields, **prediction}
            if not output.json:
                _say(invocation, text, prediction)
            elif asked.several:
                output.item(answer, "")
            else:
                output.result(answer)
            advance(position)
    if asked.several:
        output.end_items()


def _say(invocation: Invocation, text: str, prediction: dict[str, Any]) -> None:
    line = _line(text, prediction)
    if "explanation" not in prediction:
        invocation.output.result(prediction, line)
        return
    from sentictl.cli.view.explanation import show

    show(line, text, prediction["explanation"])


def _write(invocation: Invocation, path: Path, asked: GivenReviews, asker: "Client", *, resume: bool) -> None:
    """Answer into a file, which holds whole answers at any time."""
    from sentictl.cli.view.file_progress import reading
    from sentictl.services.predict.batches import predict_each
    from sentictl.services.predict.output_file import open_answers
    from sentictl.services.predict.resume import unanswered

    with (
        open_answers(path, resume=resume) as answers,
        reading(asked.file, hidden=invocation.quiet) as advance,
        _told_how_to_go_on(answers),
    ):
        rows = unanswered(answers, asked.arriving, asker)
        for (_, fields, position), prediction in predict_each(asker, rows, lambda row: row[0]):
            answers.write({**fields, **prediction})
            advance(position)
    count = answers.answered
    invocation.output.result({"output": str(path), "reviews": count}, f"{count:,} reviews → {path}")


@contextlib.contextmanager
def _told_how_to_go_on(answers: "AnswerFile") -> Iterator[None]:
    """Say what is in the file when the block is interrupted or fails, and the command that continues it."""
    try:
        yield
    except (KeyboardInterrupt, SentictlError) as problem:
        if not answers.answered:
            raise
        words = list(sys.argv[1:])
        if "--resume" not in words:
            words.insert(words.index("--") if "--" in words else len(words), "--resume")
        again = shlex.join(["sentictl", *words])
        held = f"{answers.path} holds the answers to the first {answers.answered:,} reviews"
        if isinstance(problem, SentictlError):
            problem.hint = f"{problem.hint} {held}; go on with: {again}".strip()
            raise
        raise InterruptedByUserError(f"Interrupted: {held}.", f"Go on with: {again}") from None


def _line(text: str, prediction: dict[str, Any]) -> str:
    label, probability = prediction["label"], prediction["probability"]
    confidence = probability if prediction["sentiment"] else 1 - probability
    shown = " ".join(printable(text).split())
    shown = shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"
    return f"{label}  {100 * confidence:5.1f} %  {shown}"
