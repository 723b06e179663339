"""What a dataset holds that whoever made it may not expect: counted by kind, with an example of each."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sentictl.reviews.prepare.split_assignment import NONE, SPLITS, Part
from sentictl.reviews.prepare.tokenized_reviews import TokenizedReviews

DUPLICATES = "review with the same text as another"
BOTH_LABELS = "text with both labels"
TWO_SPLITS = "text that stands in two splits"
TWO_SPLITS_FILM = "film that is in two splits"


def note_equal_texts(reviews: TokenizedReviews) -> None:
    """Count the labelled reviews whose text another has as well, and the texts that have both labels."""
    members = reviews.members
    rows = np.flatnonzero(members.labels != NONE)
    texts, labels = members.texts[rows], members.labels[rows]
    firsts = _firsts(texts)
    again = np.flatnonzero(firsts != np.arange(len(rows)))
    against = np.flatnonzero(labels[firsts] != labels)
    reviews.warnings += Counter({DUPLICATES: len(again), BOTH_LABELS: len(np.unique(texts[against]))})
    for kind, found in ((DUPLICATES, again), (BOTH_LABELS, against)):
        if len(found):
            reviews.examples[kind] = reviews.excerpt(int(rows[found[0]]))


def note_overlaps(reviews: TokenizedReviews, rows: Mapping[Part, NDArray[np.int64]]) -> list[int]:
    """Count the texts and the films that stand in two splits.

    Args:
        reviews: the reviews; what is found is counted there.
        rows: the reviews of each split.

    Returns:
        which reviews of the test split are of a film of the training split, as positions in the split.
    """
    members = reviews.members
    every = np.concatenate([rows[name] for name in SPLITS])
    splits = np.repeat(np.arange(len(SPLITS)), [len(rows[name]) for name in SPLITS])
    texts = _in_two(members.texts[every], splits)
    if len(texts):
        reviews.warnings[TWO_SPLITS] = len(np.unique(members.texts[every[texts]]))
        reviews.examples[TWO_SPLITS] = reviews.excerpt(int(every[texts[0]]))
    of_films = members.films[every] != NONE
    every, splits = every[of_films], splits[of_films]
    films = _in_two(members.films[every], splits)
    if len(films):
        reviews.warnings[TWO_SPLITS_FILM] = len(np.unique(members.films[every[films]]))
        reviews.examples[TWO_SPLITS_FILM] = members.film_names[members.films[every[films[0]]]]
    trained = np.setdiff1d(members.films[rows["train"]], [NONE])
    return np.flatnonzero(np.isin(members.films[rows["test"]], trained)).tolist()


def _in_two(values: NDArray[np.int64] | NDArray[np.int32], splits: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places where a value stands that was in another split before."""
    return np.flatnonzero(splits[_firsts(values)] != splits)


def _firsts(values: NDArray[np.int64] | NDArray[np.int32]) -> NDArray[np.int64]:
    """For each value the place where it stands first."""
    _, firsts, numbers = np.unique(values, return_index=True, return_inverse=True)
    return firsts[numbers]
