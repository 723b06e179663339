"""How good a model is: its answers on reviews whose labels are known, and what they come to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sentimodel.predictor import Predictor, sigmoid

from sentictl.services.evaluate import metrics
from sentictl.services.evaluate.metrics import ConfidenceBin, Interval, LengthGroup, PartAccuracy
from sentictl.services.evaluate.samples import Sample
from sentictl.services.evaluate.trained_on import TrainedOn, without

MISTAKES = 5
EXCERPT = 320  # characters
CUT = "[…]"
# What a chart or a list needs; the rest are plain figures.
DETAILS = ("roc_curve", "calibration", "lengths", "parts", "mistakes", "counted")


@dataclass(frozen=True)
class Answers:
    """The answers of a model on a sample.

    Attributes:
        model: its name.
        tokens: how many tokens each review has for it, int64 `[reviews]`.
        parts: by name, what each part of its architecture says, float64 `[reviews]`; the sum is the logit.
    """

    model: str
    tokens: NDArray[np.int64]
    parts: Mapping[str, NDArray[np.float64]]

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The probability of "positive" for each review, `[reviews]`."""
        logits: NDArray[np.float64] = np.sum(list(self.parts.values()), axis=0)
        return sigmoid(logits)

    def right(self, labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Whether each answer is the review's label, `[reviews]`."""
        right: NDArray[np.bool_] = (self.probabilities >= 0.5) == labels.astype(bool)
        return right


@dataclass(frozen=True)
class Mistake:
    """A wrong answer.

    Attributes:
        text: the review.
        label: what it is.
        probability: of "positive", as the model has it.
    """

    text: str
    label: str
    probability: float

    @property
    def confidence(self) -> float:
        """How sure the model was of the wrong label, between 0.5 and 1."""
        return max(self.probability, 1 - self.probability)

    @property
    def excerpt(self) -> str:
        """The review on one line, without what a terminal would obey; of a long one its beginning and its end."""
        text = self._one_line
        if len(text) <= EXCERPT:
            return text
        beginning, end = text[: EXCERPT // 2], text[-EXCERPT // 2 :]
        return f"{beginning[: beginning.rfind(' ')]} {CUT} {end[end.find(' ') + 1 :]}"

    @property
    def is_cut(self) -> bool:
        """Whether the excerpt leaves something out."""
        return len(self._one_line) > EXCERPT

    @property
    def _one_line(self) -> str:
        return " ".join("".join(letter if letter.isprintable() else " " for letter in self.text).split())


@dataclass(frozen=True)
class Evaluation:
    """The measure of what a model got right and wrong. "Positive" is the class that precision, recall and F1 are about.

    Attributes:
        model: the model's name.
        data: what it was measured on.
        reviews: how many.
        accuracy: the share of right answers.
        interval: the accuracy's 95 % confidence interval (Wilson's score interval).
        precision: the share of reviews called positive that are.
        recall: the share of positive reviews called so.
        f1: the harmonic mean of precision and recall.
        roc_auc: the chance that a positive review gets a higher probability than a negative one.
        confusion: counts by true and predicted label.
        calibration_error: the expected calibration error.
        roc_curve: points `(false positive rate, true positive rate)`.
        calibration: the reliability curve.
        lengths: the accuracy by the reviews' length.
        parts: the accuracy of each part of the architecture.
        mistakes: the wrong answers that the model was surest of, the worst first.
        trained_on: how many of the reviews the model was trained on as well, and the accuracy without them; None
            where the training reviews are not on this machine.
        counted: what the source of the reviews holds that is not used as it stands: "what", "count" and an "example".
    """

    model: str
    data: str
    reviews: int
    accuracy: float
    interval: Interval
    precision: float
    recall: float
    f1: float
    roc_auc: float | None
    confusion: dict[str, dict[str, int]]
    calibration_error: float
    roc_curve: list[tuple[float, float]]
    calibration: list[ConfidenceBin]
    lengths: list[LengthGroup]
    parts: list[PartAccuracy]
    mistakes: list[Mistake]
    trained_on: TrainedOn | None = None
    counted: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def figures(self) -> dict[str, Any]:
        """The plain figures, without what charts and lists are made of."""
        return {name: value for name, value in self.document().items() if name not in DETAILS}


def ask(predictor: Predictor, sample: Sample) -> Answers:
    """Have a model answer every review of a sample.

    Raises:
        ModelError: the sample cannot be given to this model.
    """
    reviews = sample.encoded(predictor)
    return Answers(predictor.metadata.model, reviews.lengths, predictor.part_logits(reviews))


def evaluate(
    answers: Answers, sample: Sample, mistakes: int = MISTAKES, trained: NDArray[np.bool_] | None = None
) -> Evaluation:
    """All measures of a model's answers.

    Args:
        answers: what the model said of the sample.
        sample: the reviews and their labels.
        mistakes: how many wrong answers to show, at most.
        trained: whether the model was trained on each review, where that is known.
    """
    truth, probabilities = sample.labels.astype(bool), answers.probabilities
    right, called = answers.right(sample.labels), answers.probabilities >= 0.5
    accuracy, interval = metrics.accuracy_of(right)
    bins = metrics.confidence_bins(right, probabilities)
    hits, calls, positives = int((truth & called).sum()), int(called.sum()), int(truth.sum())
    return Evaluation(
        model=answers.model,
        data=sample.description,
        reviews=len(truth),
        accuracy=accuracy,
        interval=interval,
        precision=metrics.share(hits, calls),
        recall=metrics.share(hits, positives),
        f1=metrics.share(2 * hits, calls + positives),
        roc_auc=metrics.roc_auc(truth, probabilities),
        confusion=metrics.confusion_counts(truth, called),
        calibration_error=metrics.calibration_error(bins),
        roc_curve=metrics.roc_curve(truth, probabilities),
        calibration=bins,
        lengths=metrics.accuracy_by_length(right, answers.tokens),
        parts=metrics.accuracy_by_part(truth, answers.parts),
        mistakes=_surest_mistakes(right, probabilities, sample, mistakes),
        trained_on=None if trained is None else without(right, trained),
        counted=sample.counted,
    )


def _surest_mistakes(
    right: NDArray[np.bool_], probabilities: NDArray[np.float64], sample: Sample, count: int
) -> list[Mistake]:
    wrong = np.flatnonzero(~right)
    surest = wrong[np.argsort(-np.abs(probabilities[wrong] - 0.5), kind="stable")][:count]
    return [
        Mistake(sample.text(int(row)), "positive" if sample.labels[row] else "negative", float(probabilities[row]))
        for row in surest
    ]
