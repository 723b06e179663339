"""Which trials end early, by what they reported of the objective so far: the higher, the better."""

from collections.abc import Sequence
from statistics import mean, median

LEAST_OTHERS = 2  # trials, before one can be called worse
KEPT = 3  # of so many trials, Hyperband lets the best go on

Reports = Sequence[float]  # what a trial reported, in order


def falls_behind(own: Reports, others: Sequence[Reports]) -> bool:
    """Tell whether a trial is worse than the median of those that came further, as AWS's early stopping does.

    Compared are the means of all that was reported up to the same point.
    """
    further = [mean(other[: len(own)]) for other in others if len(other) > len(own)]
    return len(further) >= LEAST_OTHERS and mean(own) < median(further)


def is_cut(own: Reports, others: Sequence[Reports], least: int, most: int) -> bool:
    """Tell whether Hyperband ends a trial.

    It does where a trial has come to one of its rungs, and is not among the best third of all that came there; and
    where it has reported as often as it may. As trials are not waited for, this is asynchronous successive halving (Li
    et al. 2020, "A System for Massively Parallel Hyperparameter Tuning"), one bracket of Hyperband.

    Args:
        own: what the trial reported.
        others: what the others did.
        least: how often a trial may report in any case.
        most: how often it may at most.
    """
    if len(own) >= most:
        return True
    if len(own) not in rungs(least, most):
        return False
    there = sorted((other[len(own) - 1] for other in others if len(other) >= len(own)), reverse=True)
    better = sum(value > own[-1] for value in there)
    return len(there) >= LEAST_OTHERS and better >= (len(there) + 1) / KEPT


def rungs(least: int, most: int) -> list[int]:
    """Return after how many reports trials are compared, the fewest first."""
    found = []
    rung = most // KEPT
    while rung >= least:
        found.append(rung)
        rung //= KEPT
    return found[::-1]
