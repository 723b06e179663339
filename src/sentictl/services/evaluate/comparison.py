"""Whether one model is better than another, or only luckier: both asked about the same reviews."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentictl.services.evaluate.evaluation import Answers
from sentictl.services.evaluate.metrics import Interval, accuracy_of

SIGNIFICANCE = 0.05
FEW = 25  # discordant reviews; with fewer, the chi-square distribution is too rough
EXACT = "McNemar, exact binomial"
CHI_SQUARE = "McNemar, chi-square with continuity correction"


@dataclass(frozen=True)
class Comparison:
    """Two models on the same reviews.

    Attributes:
        model: the one that is evaluated.
        against: the other.
        reviews: how many.
        accuracy, interval: of `model`, with the 95 % confidence interval.
        against_accuracy, against_interval: the same of `against`.
        difference: `accuracy` less `against_accuracy`.
        both_right, only_model_right, only_against_right, both_wrong: how many reviews.
        p_value: the chance of a difference at least as large if both models were equally good.
        test: how the p-value was computed.
        verdict: one sentence.
    """

    model: str
    against: str
    reviews: int
    accuracy: float
    interval: Interval
    against_accuracy: float
    against_interval: Interval
    difference: float
    both_right: int
    only_model_right: int
    only_against_right: int
    both_wrong: int
    p_value: float
    test: str
    verdict: str

    @property
    def p_text(self) -> str:
        """The p-value as papers print it."""
        return "p < 0.001" if self.p_value < 0.001 else f"p = {self.p_value:.3f}"

    def document(self) -> dict[str, Any]:
        return asdict(self)


def compare(model: Answers, against: Answers, labels: NDArray[np.uint8]) -> Comparison:
    """Compare two models' answers on the reviews that have these labels, 1 for positive and 0 for negative."""
    right, other = model.right(labels), against.right(labels)
    accuracy, interval = accuracy_of(right)
    against_accuracy, against_interval = accuracy_of(other)
    only_model, only_against = int((right & ~other).sum()), int((other & ~right).sum())
    p_value, test = mcnemar(only_model, only_against)
    return Comparison(
        model=model.model,
        against=against.model,
        reviews=len(labels),
        accuracy=accuracy,
        interval=interval,
        against_accuracy=against_accuracy,
        against_interval=against_interval,
        difference=(only_model - only_against) / len(labels),
        both_right=int((right & other).sum()),
        only_model_right=only_model,
        only_against_right=only_against,
        both_wrong=int((~right & ~other).sum()),
        p_value=p_value,
        test=test,
        verdict=_verdict(model.model, against.model, only_model - only_against, p_value, len(labels)),
    )


def mcnemar(only_first: int, only_second: int) -> tuple[float, str]:
    """McNemar's test of two classifiers: is one right where the other is wrong more often than the other way round?

    Q. McNemar (1947), "Note on the sampling error of the difference between correlated proportions or percentages".
    With fewer than `FEW` such reviews from the binomial distribution; else from the chi-square distribution with one
    degree of freedom, with the continuity correction of A. L. Edwards (1948): (|b - c| - 1)² / (b + c).

    Args:
        only_first: how many reviews the first alone got right.
        only_second: how many the second alone got right.

    Returns:
        The two-sided p-value, and the name of the way it was computed.
    """
    discordant, fewer = only_first + only_second, min(only_first, only_second)
    if discordant < FEW:
        tail = sum(math.comb(discordant, count) for count in range(fewer + 1))
        return min(1.0, 2 * tail / 2**discordant), EXACT
    statistic = max(0, abs(only_first - only_second) - 1) ** 2 / discordant
    return math.erfc(math.sqrt(statistic / 2)), CHI_SQUARE


def _verdict(model: str, against: str, lead: int, p_value: float, reviews: int) -> str:
    if p_value >= SIGNIFICANCE:
        return f"{model} and {against} are not distinguishable on {reviews:,} reviews."
    better, worse = (model, against) if lead > 0 else (against, model)
    return f"{better} is better than {worse}: more than chance explains on {reviews:,} reviews."
