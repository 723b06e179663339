"""How good the model is: measures on reviews whose labels are known."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sentimodel.artifact import ArtifactError
from sentimodel.dataset import Split
from sentimodel.predictor import Predictor

from sentictl.errors import ModelError
from sentictl.reviews.source import Source

Z_95 = 1.959964  # the normal distribution's 97.5 % quantile
BATCH = 512


@dataclass(frozen=True)
class Evaluation:
    """What the model got right and wrong. "Positive" is the class that precision, recall and F1 are about.

    Args:
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
    """

    model: str
    data: str
    reviews: int
    accuracy: float
    interval: tuple[float, float]
    precision: float
    recall: float
    f1: float
    roc_auc: float | None
    confusion: dict[str, dict[str, int]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def load_model(folder: Path) -> Predictor:
    """The model artifact on this machine.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    try:
        return Predictor.load(folder)
    except ArtifactError as problem:
        raise ModelError(str(problem), "Train one: sentictl train") from None


def evaluate_split(predictor: Predictor, split: Split, data: str) -> Evaluation:
    """Measure the model on an encoded split."""
    return measure(predictor.metadata.model, data, split.labels, predictor.probabilities(split))


def evaluate_source(predictor: Predictor, source: Source) -> Evaluation:
    """Measure the model on labelled reviews: on the test split where the source has one, else on all of them.

    Raises:
        DataError: the source holds no labelled reviews or cannot be read.
    """
    reviews = list(source.reviews())
    tested = [review for review in reviews if review.split == "test"] or reviews
    probabilities: list[float] = []
    for start in range(0, len(tested), BATCH):
        texts = [review.text for review in tested[start : start + BATCH]]
        probabilities += [prediction.probability for prediction in predictor.predict(texts)]
    labels = np.array([review.label for review in tested], dtype=np.uint8)
    return measure(predictor.metadata.model, source.description, labels, np.array(probabilities))


def measure(model: str, data: str, labels: NDArray[np.uint8], probabilities: NDArray[np.float64]) -> Evaluation:
    """All measures.

    Args:
        model: the model's name.
        data: what the reviews are.
        labels: 1 for positive, 0 for negative, `[reviews]`.
        probabilities: of "positive", `[reviews]`, in the same order.
    """
    called = probabilities >= 0.5
    truth = labels.astype(bool)
    true_positive, false_positive = int((called & truth).sum()), int((called & ~truth).sum())
    false_negative, true_negative = int((~called & truth).sum()), int((~called & ~truth).sum())
    right = true_positive + true_negative
    return Evaluation(
        model=model,
        data=data,
        reviews=len(labels),
        accuracy=right / len(labels),
        interval=wilson_interval(right, len(labels)),
        precision=_share(true_positive, true_positive + false_positive),
        recall=_share(true_positive, true_positive + false_negative),
        f1=_share(2 * true_positive, 2 * true_positive + false_positive + false_negative),
        roc_auc=roc_auc(truth, probabilities),
        confusion={
            "positive": {"positive": true_positive, "negative": false_negative},
            "negative": {"positive": false_positive, "negative": true_negative},
        },
    )


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share (E. B. Wilson 1927), which holds near 0 and 1 and for few reviews too."""
    share, spread = right / total, Z_95**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def roc_auc(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> float | None:
    """The area under the ROC curve, from the rank sum (Mann and Whitney 1947); ties share their rank.

    Returns:
        None where all reviews have the same label, for which it is not defined.
    """
    positive, negative = int(truth.sum()), int((~truth).sum())
    if not positive or not negative:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
