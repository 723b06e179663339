"""Reviews that a command is given, and their answers on stdout or in a file. Imports nothing heavy, and not Typer."""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sentictl.cli.examples import REVIEW
from sentictl.cli.invocation import Invocation
from sentictl.cli.view.output import printable
from sentictl.errors import DataError, EndpointError, InterruptedByUserError, ModelError, SentictlError, UsageError

if TYPE_CHECKING:
    from sentictl.services.predict.clients import Client
    from sentictl.services.predict.output_file import AnswerFile
    from sentictl.services.predict.rows import InputRow, Prediction

MOST_TOLD = 10  # rows that cannot be answered, one by one; each says so itself in a file or in JSON
SHOWN = 60  # characters of a review beside its verdict
MANY_BYTES = 2_000_000  # of a file: some thousand reviews
EXAMPLE = f"sentictl predict '{REVIEW}'"


class Via(StrEnum):
    """Who is asked."""

    LOCAL = "local"
    API = "api"
    ENDPOINT = "endpoint"
    BATCH = "batch"


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

    @property
    def many(self) -> bool:
        """Whether they are known to be many before they are read."""
        return self.file is not None and self.file.is_file() and self.file.stat().st_size >= MANY_BYTES


def given(
    invocation: Invocation, reviews: list[str], file: Path | None = None, form: Mapping[str, str | None] | None = None
) -> GivenReviews:
    """Return the reviews that a command line gives: itself, in a file, or on stdin.

    Args:
        invocation: how the command was called.
        reviews: those on the command line, or "-".
        file: where else they are.
        form: how the file is written, by the settings' names; None for what is to be found out.

    Raises:
        UsageError: there is no review, or they come from two places.
    """
    from sentictl.services.predict.batches import windows
    from sentictl.services.predict.clients import WINDOW
    from sentictl.services.predict.rows import InputRow

    if file and reviews:
        raise UsageError("Reviews were given both as arguments and as a file.", "Give one of the two.")
    told = {name: value for name, value in (form or {}).items() if value}
    if told and not file:
        option = f"--{next(iter(told)).replace('_', '-')}"
        raise UsageError(f"{option} says how a file is read, and none is named.", "Name it with --file PATH.")
    if file:
        return GivenReviews(windows(_rows_of(invocation, file, told), WINDOW), several=True, file=file)
    if reviews == ["-"] or (not reviews and not sys.stdin.isatty()):
        from sentictl.services.predict.stdin import lines_as_they_come

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


def asker_of(
    invocation: Invocation, via: Via = Via.LOCAL, *, explain: bool, threads: int = 0, many: bool = False
) -> "Client":
    """Return who is asked: the model on this machine by so many threads, 0 for one a core, or what is deployed.

    Args:
        invocation: how the command was called.
        via: who it is to be.
        explain: whether the predictions are to have explanations.
        threads: how many may ask at the same time.
        many: whether many reviews are known to come.

    Raises:
        ModelError: it is the model on this machine, and there is none.
    """
    if via is Via.LOCAL:  # without all that a project needs besides
        from sentictl.services.predict.clients import from_artifact

        folder = _current_model(invocation)
        return from_artifact(folder, explain=explain, threads=threads, spread=True, many=many)
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


def tell(invocation: Invocation, asked: GivenReviews, asker: "Client", *, strict: bool = False) -> None:
    """Answer on stdout, each review as soon as it is answered.

    Args:
        invocation: how the command was called.
        asked: the reviews.
        asker: who is asked.
        strict: whether to end at the first row that cannot be answered.

    Raises:
        DataError: such a row ended it.
        EndpointError: the only review cannot be answered.
    """
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


def write(
    invocation: Invocation, path: Path, asked: GivenReviews, asker: "Client", *, resume: bool, strict: bool
) -> None:
    """Answer into a file, which holds whole answers at any time; otherwise as `tell`.

    Args:
        invocation: how the command was called.
        path: the file.
        asked: the reviews.
        asker: who is asked.
        resume: whether to go on where the answers in the file end.
        strict: whether to end at the first row that cannot be answered.

    Raises:
        DataError: such a row ended it.
    """
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
    _tell_written(invocation, str(path), answers.answered, tally.failed)


def write_batch(
    invocation: Invocation,
    file: str,
    output: str,
    form: Mapping[str, str | None],
    instances: int | None,
    *,
    strict: bool,
) -> None:
    """Answer a file by a transform job into another file, which is there when all of it is answered.

    Args:
        invocation: how the command was called.
        file: a path, or an address on S3.
        output: as `file`.
        form: how the file is written, by the settings' names; None for what is to be found out.
        instances: how many machines answer; None for what the settings have.
        strict: whether to end at the first row that cannot be answered.
    """
    from sentictl.cli.open_project import opened

    tally = _Tally(invocation, strict)
    reading = {name: value for name, value in form.items() if value}
    with opened(invocation, announced=True) as project:
        outcome = project.batch.answer(file, output, instances=instances, reading=reading, seen=tally.count)
    invocation.output.counted(outcome.counted)
    tally.end()
    _tell_written(invocation, outcome.output, outcome.reviews, outcome.failed)


def _tell_written(invocation: Invocation, output: str, count: int, failed: int) -> None:
    unanswered = f", {failed:,} of them not answered" if failed else ""
    document = {"output": output, "reviews": count, "failed": failed}
    invocation.output.result(document, f"{count:,} reviews{unanswered} → {output}")


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
        import shlex

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
