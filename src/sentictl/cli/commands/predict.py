"""`sentictl predict`: positive or negative?"""

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentictl.cli.invocation import Invocation, command
from sentictl.errors import ModelError, UsageError

if TYPE_CHECKING:
    from sentictl.services.prediction import Asker

app = typer.Typer(add_completion=False)

SHOWN = 60  # characters of a review beside its verdict
Row = tuple[str, dict[str, Any]]


class Via(StrEnum):
    """Who is asked."""

    LOCAL = "local"
    API = "api"
    ENDPOINT = "endpoint"


@app.command("predict")
@command
def predict(
    invocation: Invocation,
    reviews: Annotated[list[str] | None, typer.Argument(help="Reviews, or - for one a line on stdin.")] = None,
    file: Annotated[Path | None, typer.Option(help="A .csv, .jsonl or .txt file of reviews.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write one JSON object a line to this file.")] = None,
    via: Annotated[Via, typer.Option(help="The model on this machine, or the deployed API or endpoint.")] = Via.LOCAL,
) -> None:
    """Tell whether reviews are positive or negative.

    By default the model artifact on this machine is asked, which needs no server.
    """
    from sentictl.services.prediction import predict_each

    rows, several = _rows(invocation, reviews or [], file)
    ask, at_once = _asker(invocation, via)
    answers = predict_each(ask, rows, lambda row: row[0], at_once)
    if output:
        _write(invocation, output, ({**fields, **prediction} for (_, fields), prediction in answers))
    elif invocation.json:
        predictions = [{**fields, **prediction} for (_, fields), prediction in answers]
        invocation.output.result(predictions if several else predictions[0])
    else:
        for (text, _), prediction in answers:
            invocation.output.result(prediction, _line(text, prediction))


def _rows(invocation: Invocation, reviews: list[str], file: Path | None) -> tuple[Iterable[Row], bool]:
    """The reviews with the fields that they came with, and whether there can be several."""
    if file and reviews:
        raise UsageError("Reviews were given both as arguments and as a file.", "Give one of the two.")
    if file:
        return _rows_of(invocation, file), True
    if reviews == ["-"] or (not reviews and not sys.stdin.isatty()):
        return _lines(), True
    if not reviews:
        raise UsageError("There is no review.", "Give one: sentictl predict 'what a film'")
    return [(_not_empty(review), {}) for review in reviews], len(reviews) > 1


def _rows_of(invocation: Invocation, file: Path) -> Iterator[Row]:
    from sentictl.cli.session import open_project
    from sentictl.reviews.reader import read_inputs

    for row in read_inputs(file, open_project(invocation).settings.data):
        yield row.text, row.fields


def _lines() -> Iterator[Row]:
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]  # stdin is a text stream in a program
    return ((line.rstrip("\n"), {}) for line in sys.stdin if line.strip())


def _not_empty(review: str) -> str:
    if not review.strip():
        raise UsageError("The review is empty.", "Give it some words: sentictl predict 'what a film'")
    return review


def _asker(invocation: Invocation, via: Via) -> tuple["Asker", int]:
    """Who is asked, and how many reviews at once."""
    from sentictl.services import prediction

    if via is Via.LOCAL:
        return prediction.from_artifact(_current_model()), prediction.ASK_AT_ONCE
    from sentictl.cli.session import looking
    from sentictl.services.gateway import invoke_url

    context = looking(invocation)
    if via is Via.API:
        limit = context.settings.api.max_reviews
        return prediction.from_api(invoke_url(context)), min(limit, prediction.ASK_AT_ONCE)
    name = context.recorded("endpoint", "deploy").name
    client = context.environment.client("sagemaker-runtime")
    return prediction.from_endpoint(client, name), prediction.ASK_AT_ONCE


def _current_model() -> Path:
    from sentictl.folder import ProjectFolder

    folder = ProjectFolder.find()
    if folder is None:
        raise ModelError(
            "There is no sentictl.toml in this folder or above it, so no model either.",
            "Go to a project's folder, or make one here with: sentictl up",
        )
    return folder.current_model


def _write(invocation: Invocation, output: Path, answers: Iterator[dict[str, Any]]) -> None:
    """Write the answers to a file, which appears when it is whole."""
    import json

    from sentictl.files import replacing

    if not output.resolve().parent.is_dir():
        raise UsageError(f"There is no folder {output.resolve().parent}.", "Make it, or choose another --output.")
    count = 0
    with replacing(output) as stream:
        for answer in answers:
            stream.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            count += 1
    invocation.output.result({"output": str(output), "reviews": count}, f"{count:,} reviews → {output}")


def _line(text: str, prediction: dict[str, Any]) -> str:
    label, probability = prediction["label"], prediction["probability"]
    confidence = probability if prediction["sentiment"] else 1 - probability
    shown = " ".join(text.split())
    shown = shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"
    return f"{label}  {100 * confidence:5.1f} %  {shown}"
