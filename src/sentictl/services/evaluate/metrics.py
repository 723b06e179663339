"""Measures of a classifier: arrays of labels and probabilities in, figures out."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]

Z_95 = 1.959964  # the normal distribution's 97.5 % quantile
CONFIDENCE_BINS = 15  # as in Guo et al. 2017
LENGTHS = (50, 100, 200, 400, 800)  # the most tokens of each group of reviews; one more group is longer
ROC_POINTS = 201


@dataclass(frozen=True)
class ConfidenceBin:
    """The reviews about which the model was about equally sure.

    Attributes:
        low: their confidence is above this,
        high: and at most this.
        reviews: how many there are.
        confidence: their mean confidence.
        accuracy: the share of them that the model got right.
        interval: the accuracy's 95 % confidence interval.
    """

    low: float
    high: float
    reviews: int
    confidence: float
    accuracy: float
    interval: Interval


@dataclass(frozen=True)
class LengthGroup:
    """The reviews of about one length.

    Attributes:
        shortest: they have at least so many tokens,
        longest: and at most so many; None for no limit.
        reviews: how many there are.
        accuracy: the share of them that the model got right.
        interval: the accuracy's 95 % confidence interval.
    """

    shortest: int
    longest: int | None
    reviews: int
    accuracy: float
    interval: Interval

    @property
    def name(self) -> str:
        """The group's name for a person, such as `51 to 100`."""
        return f"over {self.shortest - 1}" if self.longest is None else f"{self.shortest} to {self.longest}"


@dataclass(frozen=True)
class PartAccuracy:
    """How good one part of the model's architecture would be alone.

    Attributes:
        name: the part.
        accuracy: the share of reviews where its own logit has the right sign.
        interval: the accuracy's 95 % confidence interval.
    """

    name: str
    accuracy: float
    interval: Interval


def accuracy_of(right: NDArray[np.bool_]) -> tuple[float, Interval]:
    """The share of right answers and its 95 % confidence interval, from what is right, `[reviews]`, not empty."""
    return float(right.mean()), wilson_interval(int(right.sum()), len(right))


def wilson_interval(right: int, total: int) -> Interval:
    """The 95 % confidence interval of a share (E. B. Wilson 1927), which holds near 0 and 1 and for few reviews too."""
    share, spread = right / total, Z_95**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def confusion_counts(truth: NDArray[np.bool_], called: NDArray[np.bool_]) -> dict[str, dict[str, int]]:
    """How many reviews of each true label were called what: counts by true, then by predicted label."""
    return {
        "positive": {"positive": int((truth & called).sum()), "negative": int((truth & ~called).sum())},
        "negative": {"positive": int((~truth & called).sum()), "negative": int((~truth & ~called).sum())},
    }


def share(part: int, whole: int) -> float:
    """The part of a whole; 0 of nothing."""
    return part / whole if whole else 0.0


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


def roc_curve(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> list[tuple[float, float]]:
    """The ROC curve: for falling thresholds, which share of the negative and of the positive reviews lies above.

    Returns:
        At most `ROC_POINTS` of the curve's points `(false positive rate, true positive rate)`, evenly along it, from
        (0, 0) to (1, 1); none where all reviews have the same label.
    """
    positive, negative = int(truth.sum()), int((~truth).sum())
    if not positive or not negative:
        return []
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    true_rates = np.append(0.0, np.cumsum(truth[order])[last_of_ties] / positive)
    false_rates = np.append(0.0, np.cumsum(~truth[order])[last_of_ties] / negative)
    along = np.linspace(0.0, 2.0, ROC_POINTS)  # both rates rise from 0 to 1, so their sum measures the way
    chosen = np.unique(np.minimum(np.searchsorted(false_rates + true_rates, along), len(true_rates) - 1))
    return list(zip(false_rates[chosen].tolist(), true_rates[chosen].tolist(), strict=True))


def confidence_bins(right: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> list[ConfidenceBin]:
    """The reliability curve: reviews by the confidence of the answer, which is the probability of the label called.

    Args:
        right: whether each answer is right, `[reviews]`.
        probabilities: of "positive", `[reviews]`, in the same order.

    Returns:
        Those of `CONFIDENCE_BINS` bins of equal width from 0 to 1 that hold reviews. With two labels the confidence is
        0.5 at least, so the lower half is empty.
    """
    confidence = np.maximum(probabilities, 1 - probabilities)
    edges = np.arange(CONFIDENCE_BINS + 1) / CONFIDENCE_BINS
    members = np.searchsorted(edges, confidence, side="left") - 1
    bins = []
    for number in np.unique(members):
        inside = members == number
        accuracy, interval = accuracy_of(right[inside])
        low, high = float(edges[number]), float(edges[number + 1])
        count, mean = int(inside.sum()), float(confidence[inside].mean())
        bins.append(ConfidenceBin(low, high, count, mean, accuracy, interval))
    return bins


def calibration_error(bins: list[ConfidenceBin]) -> float:
    """The expected calibration error: Σ (reviews in bin / reviews) · |accuracy - confidence|, over the bins.

    Guo, Pleiss, Sun and Weinberger (2017), "On Calibration of Modern Neural Networks", equation 3.
    """
    total = sum(group.reviews for group in bins)
    return sum(group.reviews / total * abs(group.accuracy - group.confidence) for group in bins)


def accuracy_by_length(right: NDArray[np.bool_], tokens: NDArray[np.int64]) -> list[LengthGroup]:
    """The accuracy of short and of long reviews; groups without reviews are left out.

    Args:
        right: whether each answer is right, `[reviews]`.
        tokens: how many tokens each review has, `[reviews]`, in the same order.
    """
    groups = []
    for shortest, longest in zip((0, *(most + 1 for most in LENGTHS)), (*LENGTHS, None), strict=True):
        inside = (tokens >= shortest) & (tokens <= (longest or np.inf))
        if inside.any():
            groups.append(LengthGroup(shortest, longest, int(inside.sum()), *accuracy_of(right[inside])))
    return groups


def axis_start(accuracies: Iterable[tuple[float, Interval]]) -> float:
    """Where the axis of a chart of accuracies and their intervals begins: a multiple of 0.1, 0.9 at most.

    It has room for every accuracy, and for an interval as far as 0.1 below: a few reviews' wide interval is cut off
    rather than let it press the other rows together.
    """
    lowest = min(max(interval[0], accuracy - 0.1) for accuracy, interval in accuracies)
    return max(0.0, min(0.9, math.floor(10 * lowest) / 10))


def accuracy_by_part(truth: NDArray[np.bool_], parts: Mapping[str, NDArray[np.float64]]) -> list[PartAccuracy]:
    """Return what each part of an architecture gets right alone, from its logits by name, each `[reviews]`."""
    return [PartAccuracy(name, *accuracy_of((logits >= 0) == truth)) for name, logits in parts.items()]
