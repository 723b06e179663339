"""`sentictl predict`: positive or negative?"""

import contextlib
import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from sentictl.cli.examples import REVIEW
from sentictl.cli.invocation import Invocation, command
from sentictl.cli.view.output import printable
from sentictl.errors import DataError, EndpointError, InterruptedByUserError, ModelError, SentictlError, UsageError

if TYPE_CHECKING:
    from sentictl.services.predict.clients import Client
    from sentictl.services.predict.output_file import AnswerFile
    from sentictl.services.predict.rows import InputRow, Prediction

app = typer.Typer(add_completion=False)

MOST_TOLD = 10  # rows that cannot be answered, one by one; each says so itself in a file or in JSON
SHOWN = 60  # characters of a review beside its verdict
EXAMPLE = f"sentictl predict '{REVIEW}'"


def of_file(meaning: str) -> Any:
    """An option about the reviews of `--file`; the settings stay as they are."""
    return typer.Option(help=meaning, rich_help_panel="How --file is read")


class Via(StrEnum):
    """Who is asked."""

    LOCAL = "local"
    API = "api"
    ENDPOINT = "endpoint"


class GivenReviews(NamedTuple):
    """The reviews to be answered.

    Attributes:
        arriving: rows as they come.
        several: whether there can be more than one.
        file: the file that they come from.
        lines: whether they are the lines of stdin, of which a blank one is answered with a blank one.
    """

    arriving: "Iterable[list[InputRow]]"
    several: bool
    file: Path | None = None
    lines: bool = False


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
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first row that cannot be answered.")] = False,
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
        _write(invocation, output, asked, _asker(invocation, via, explain=explain), resume, strict)
    else:
        _tell(invocation, asked, _asker(invocation, via, explain=explain), strict)


def _reviews(invocation: Invocation, reviews: list[str], file: Path | None, form: dict[str, str]) -> GivenReviews:
    from sentictl.services.predict.batches import lines_as_they_come, windows
    from sentictl.services.predict.clients import WINDOW
    from sentictl.services.predict.rows import InputRow

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
        return GivenReviews(_numbered(steps), several=True, lines=True)
    if not reviews:
        raise UsageError("There is no review.", f"Give one: {EXAMPLE}")
    if len(reviews) == 1 and not reviews[0].strip():
        raise UsageError("The review is empty.", f"Give it some words: {EXAMPLE}")
    rows = [InputRow(_as_text(review), where=f"review {number}") for number, review in enumerate(reviews, 1)]
    return GivenReviews([rows], several=len(reviews) > 1)


def _numbered(steps: "Iterable[list[str | DataError]]") -> "Iterator[list[InputRow]]":
    """The lines of stdin as rows that know their places."""
    from sentictl.services.predict.rows import InputRow

    before = 0
    for lines in steps:
        rows = []
        for number, line in enumerate(lines, before + 1):
            text, problem = ("", line.message) if isinstance(line, DataError) else (line, "")
            rows.append(InputRow(text, where=f"line {number} of stdin", problem=problem))
        yield rows
        before += len(lines)


def _rows_of(invocation: Invocation, file: Path, form: dict[str, str]) -> "Iterator[InputRow]":
    from sentictl.cli.open_project import load_config
    from sentictl.reviews.read.reader import read_inputs
    from sentictl.reviews.read.source import Warnings
    from sentictl.services.predict.rows import InputRow

    config = load_config(invocation)
    # How the file for training is written says nothing of this one.
    given = {"delimiter": "", "encoding": "", **form}
    config.change({f"data.{name}": value for name, value in given.items()})
    warnings = Warnings()
    yield from (InputRow(*found) for found in read_inputs(file, config.settings.data, warnings))
    invocation.output.counted(warnings.listed)


def _as_text(argument: str) -> str:
    """An argument as the terminal sent it: in a locale that is not UTF-8, Python escapes what it does not know."""
    try:
        return os.fsencode(argument).decode("utf-8", "replace")
    except UnicodeEncodeError:
        return argument


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


def _tell(invocation: Invocation, asked: GivenReviews, asker: "Client", strict: bool) -> None:
    """Answer on stdout, each review as soon as it is answered."""
    from sentictl.cli.view.file_progress import reading
    from sentictl.services.predict.batches import predict_each
    from sentictl.services.predict.rows import answer_of, placed

    output, tally = invocation.output, _Tally(invocation, strict)
    with reading(asked.file, hidden=invocation.quiet or sys.stdout.isatty() or not asked.several) as advance:
        for row, said in predict_each(asker, asked.arriving, lambda row: row.text, lambda row: row.fault):
            prediction = placed(row, said)
            blank = asked.lines and not row.text.strip() and not row.problem
            if "error" in prediction and not asked.several:
                raise EndpointError(prediction["error"]["message"], "Correct the review.")
            if not blank:
                tally.count(row, prediction)
            answer = answer_of(row.fields, prediction)
            if not output.json:
                _say(row.text, prediction, blank=blank)
            elif asked.several:
                output.item(answer, "")
            else:
                output.result(answer)
            advance(row.position)
    if asked.several:
        output.end_items()
    tally.end()


def _say(text: str, prediction: "Prediction", *, blank: bool) -> None:
    line = "" if blank else _line(text, prediction)
    if "explanation" not in prediction:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        return
    from sentictl.cli.view.explanation import show

    show(line, text, prediction["explanation"])


def _write(
    invocation: Invocation, path: Path, asked: GivenReviews, asker: "Client", resume: bool, strict: bool
) -> None:
    """Answer into a file, which holds whole answers at any time."""
    from sentictl.cli.view.file_progress import reading
    from sentictl.services.predict.batches import predict_each
    from sentictl.services.predict.output_file import open_answers
    from sentictl.services.predict.resume import unanswered
    from sentictl.services.predict.rows import answer_of, placed, whole

    tally = _Tally(invocation, strict)
    with (
        open_answers(path, resume=resume) as answers,
        reading(asked.file, hidden=invocation.quiet) as advance,
        _told_how_to_go_on(answers),
    ):
        rows = unanswered(answers, asked.arriving, asker)
        for row, said in predict_each(asker, rows, lambda row: row.text, lambda row: row.fault):
            prediction = placed(row, said)
            tally.count(row, prediction)
            answers.write(answer_of(row.fields, whole(prediction, explain=asker.explains)))
            advance(row.position)
    tally.end()
    count, failed = answers.answered, tally.failed
    shown = f"{count:,} reviews, {failed:,} of them not answered → {path}" if failed else f"{count:,} reviews → {path}"
    invocation.output.result({"output": str(path), "reviews": count, "failed": failed}, shown)


def _resuming(arguments: list[str]) -> list[str]:
    """The same command line with --resume, before what may be a review."""
    if "--resume" in arguments:
        return arguments
    values = arguments.index("--") if "--" in arguments else len(arguments)
    return [*arguments[:values], "--resume", *arguments[values:]]


class _Tally:
    """Tells of rows that cannot be answered, and of columns that have another name, and counts the former.

    Args:
        invocation: how the command was called.
        strict: whether the first such row ends the command.
    """

    def __init__(self, invocation: Invocation, strict: bool) -> None:
        self.failed = 0
        self._output = invocation.output
        self._strict = strict
        self._renamed: set[str] = set()

    def end(self) -> None:
        """Say how many more could not be answered than were told one by one."""
        if self.failed > MOST_TOLD:
            self._output.say(f"{self.failed - MOST_TOLD:,} more were not answered.")

    def count(self, row: "InputRow", prediction: "Prediction") -> None:
        from sentictl.services.predict.rows import names_beside

        if error := prediction.get("error"):
            message = str(error["message"])
            if self._strict:
                raise DataError(message, "Mend it, or leave out --strict: the others are answered then.")
            self.failed += 1
            if self.failed <= MOST_TOLD:
                self._output.say(f"Not answered: {message}")
        taken = {
            name: other for name, other in names_beside(row.fields).items() if name != other and name in prediction
        }
        for name, other in taken.items():
            if name not in self._renamed:
                self._renamed.add(name)
                self._output.say(f"The input has a column {name}, so the answer's is called {other}.")


@contextlib.contextmanager
def _told_how_to_go_on(answers: "AnswerFile") -> Iterator[None]:
    """Say what is in the file when the block is interrupted or fails, and the command that continues it."""
    try:
        yield
    except (KeyboardInterrupt, SentictlError) as problem:
        if not answers.answered:
            raise
        again = shlex.join(["sentictl", *_resuming(sys.argv[1:])])
        held = f"{answers.path} holds the answers to the first {answers.answered:,} reviews"
        if isinstance(problem, SentictlError):
            problem.hint = f"{problem.hint} {held}; go on with: {again}".strip()
            raise
        raise InterruptedByUserError(f"Interrupted: {held}.", f"Go on with: {again}") from None


def _line(text: str, prediction: dict[str, Any]) -> str:
    shown = " ".join(printable(text).split())
    shown = shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"
    if "error" in prediction:
        return f"error               {shown}"
    label, probability = prediction["label"], prediction["probability"]
    confidence = " " * 7 if prediction["undecided"] else f"{100 * max(probability, 1 - probability):5.1f} %"
    return f"{label:<9} {confidence}  {shown}"
