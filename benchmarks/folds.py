"""Cross-validation by film: datasets that each leave out some films, and how two models compare on what was left out.

A validation split of 2,500 reviews cannot tell models apart that differ by less than a point. Here every training
review is predicted once, by a model that has seen no review of its film, and two models are compared review by review.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sentimodel.dataset import GroupedSplit, Split
from sentimodel.files import shard_name
from sentimodel.predictor import Predictor

HELD_OUT = "held-out"
TOGETHER = "together"

Logits = Mapping[str, NDArray[np.float64]]  # by the part of the model, and of all together; one for each review


class Difference(NamedTuple):
    """By how much one model is better than another on the same reviews, in points, with its 95 % interval."""

    points: float
    low: float
    high: float


def fold_datasets(dataset: Path, target: Path, folds: int) -> Iterator[Path]:
    """Deal the films of a dataset's training split into folds, and write a dataset for each.

    Half a fold more is left out for validation. The vocabulary is that of all reviews: it is made without labels.

    Args:
        dataset: a prepared dataset.
        target: where the folders are made.
        folds: how many.

    Yields:
        The folder of each fold, with the split `HELD_OUT`.
    """
    split = GroupedSplit.load(dataset / "train")
    halves = (np.random.default_rng(0).permutation(split.groups.max() + 1) % (2 * folds))[split.groups]
    for fold in range(folds):
        folder = target / f"fold-{fold + 1}"
        held_out, validation = halves // 2 == fold, halves == (2 * fold + 2) % (2 * folds)
        rows = {"train": ~held_out & ~validation, "validation": validation, HELD_OUT: held_out}
        for name, chosen in rows.items():
            (folder / name).mkdir(parents=True)
            _some(split, np.flatnonzero(chosen)).save(folder / name / shard_name(0))
        (folder / "vocabulary").symlink_to((dataset / "vocabulary").resolve())
        yield folder


def held_out_logits(model: Path, dataset: Path) -> Logits:
    """What a model says of the reviews that it has not seen, times 1 or -1: above 0 where it is right."""
    held_out = Split.load(dataset / HELD_OUT)
    parts = {part: np.asarray(said, np.float64) for part, said in Predictor.load(model).part_logits(held_out).items()}
    sides = 2.0 * held_out.labels - 1
    return {part: said * sides for part, said in (parts | {TOGETHER: np.sum(list(parts.values()), axis=0)}).items()}


def accuracy(logits: NDArray[np.float64]) -> float:
    """The share of reviews that are right."""
    return float((logits >= 0).mean())


def difference(logits: NDArray[np.float64], others: NDArray[np.float64]) -> Difference:
    """Compare two models on the same reviews, in the same order, by a normal interval of the paired differences."""
    each = 100.0 * ((logits >= 0).astype(np.float64) - (others >= 0))
    margin = 1.96 * float(each.std()) / math.sqrt(len(each))
    return Difference(float(each.mean()), float(each.mean()) - margin, float(each.mean()) + margin)


def _some(split: GroupedSplit, rows: NDArray[np.int64]) -> GroupedSplit:
    return GroupedSplit.from_reviews([split.review(row) for row in rows], split.labels[rows], split.groups[rows])
