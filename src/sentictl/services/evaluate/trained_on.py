"""Which reviews of a sample a model has seen in training: it answers them better than it answers others."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sentimodel.dataset import Reviews
from sentimodel.vocabulary import UNK

from sentictl.services.evaluate.metrics import Interval, accuracy_of


@dataclass(frozen=True)
class TrainedOn:
    """What the reviews that a model was trained on make of its accuracy.

    Attributes:
        reviews: how many there are among those that it was measured on.
        others: how many it was not trained on.
        accuracy: the share of right answers to the others; None where there are none.
        interval: its 95 % confidence interval.
    """

    reviews: int
    others: int
    accuracy: float | None
    interval: Interval | None


def same_as(training: Reviews, reviews: Reviews) -> NDArray[np.bool_]:
    """Whether each review has the same words as one of the training reviews, `[reviews]`.

    Args:
        training: the reviews that a model was trained on.
        reviews: others, in ids of the same vocabulary. One without a known word is the same as none.
    """
    known = set(_keys(training))
    return np.array([key in known and bool(key) for key in _keys(reviews)], dtype=np.bool_)


def without(right: NDArray[np.bool_], trained: NDArray[np.bool_]) -> TrainedOn:
    """The accuracy without the reviews that a model was trained on.

    Args:
        right: whether each answer is right.
        trained: whether the model was trained on each review.
    """
    others = right[~trained]
    accuracy, interval = accuracy_of(others) if len(others) else (None, None)
    return TrainedOn(int(trained.sum()), len(others), accuracy, interval)


def _keys(reviews: Reviews) -> list[bytes]:
    """For each review its ids as bytes, or none where it has no known word."""
    ids = reviews.ids.astype(np.int32)
    ends = reviews.offsets.tolist()
    parts = (ids[start:end] for start, end in pairwise(ends))
    return [part.tobytes() if (part != UNK).any() else b"" for part in parts]
