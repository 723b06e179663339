"""Going on where an earlier run's answers end, if they belong to the same input and model."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from sentictl.errors import DataError
from sentictl.services.predict.batches import predict_each
from sentictl.services.predict.clients import Client
from sentictl.services.predict.output_file import Answer, AnswerFile, cell
from sentictl.services.predict.rows import InputRow, Prediction, names_beside

ASKED_AGAIN = 64  # answers of the earlier run
TOLERANCE = 1e-4  # of a probability: ten times what the batch can change, and less than another review would


def unanswered(file: AnswerFile, arriving: Iterable[list[InputRow]], asker: Client) -> Iterator[list[InputRow]]:
    """The rows of the input that come after those whose answers the file holds.

    Every answer must have the fields of its row, and the last `ASKED_AGAIN` must be what the asker says now.

    Raises:
        DataError: the answers belong to another input or model.
    """
    earlier = _Earlier(file.path)
    answers = file.answers()
    answer = next(answers, None)
    unchecked = answer is not None
    for rows in arriving:
        new = []
        for row in rows:
            if answer is None:
                new.append(row)
            else:
                earlier.meet(row, answer)
                answer = next(answers, None)
        if unchecked and answer is None:
            earlier.check(asker)
            unchecked = False
        if new or not rows:
            yield new
    if answer is not None:
        raise earlier.other(f"it has more answers than the input has reviews, {earlier.seen:,}")


class _Earlier:
    """The answers of an earlier run, met one by one.

    Args:
        path: their file, for messages.

    Attributes:
        seen: how many have been met.
    """

    def __init__(self, path: Path) -> None:
        self.seen = 0
        self._path = path
        self._last: deque[tuple[InputRow, Answer]] = deque(maxlen=ASKED_AGAIN)

    def meet(self, row: InputRow, answer: Answer) -> None:
        self.seen += 1
        for name, value in row.fields.items():
            if cell(answer.get(name)) != cell(value):
                raise self.other(f"the field {name!r} of answer {self.seen:,} is not that of the input's review")
        names = names_beside(row.fields)
        self._last.append((row, {name: answer[names[name]] for name in names if names[name] in answer}))

    def check(self, asker: Client) -> None:
        last = list(self._last)
        for (_, answer), prediction in predict_each(
            asker, [last], lambda pair: pair[0].text, lambda pair: pair[0].fault
        ):
            self._compare(answer, prediction)

    def other(self, why: str) -> DataError:
        return DataError(
            f"{self._path} cannot be continued: {why}.", "Give the same input and model, or choose another --output."
        )

    def _compare(self, answer: Answer, prediction: Prediction) -> None:
        if "error" in prediction or answer.get("error"):
            if not ("error" in prediction and answer.get("error")):
                raise self.other("not the same of the input's reviews can be answered")
            return
        if answer.get("model") != prediction["model"]:
            raise self.other(f"its answers are from the model {answer.get('model')}, not {prediction['model']}")
        if bool(answer.get("explanation")) != ("explanation" in prediction):
            raise self.other("its answers were asked for with another choice of --explain")
        try:
            apart = abs(float(answer["probability"]) - prediction["probability"])
        except (KeyError, TypeError, ValueError):
            raise self.other("its answers have no probability") from None
        if not apart <= TOLERANCE:
            raise self.other("the model answers the input's reviews differently, so they are others")
