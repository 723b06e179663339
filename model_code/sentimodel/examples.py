"""The examples that networks are trained on, in groups, each group as tensors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sentimodel.dataset import Reviews, pick, stretches
from sentimodel.ngrams import Rows
from sentimodel.scratch import Scratch

NGRAMS_AT_ONCE = 2**20  # of many reviews, to bound the memory that they take


@dataclass(frozen=True)
class Batch:
    """Some examples, ready for the network.

    Attributes:
        inputs: what the network is called with, each on the CPU.
        targets: the probability of "positive" that each example is to get, float32 `[batch]`; 0 or 1 for a label.
        weights: how much each example counts, float32 `[batch]`.
    """

    inputs: tuple[Tensor, ...]
    targets: Tensor
    weights: Tensor


class Examples(Protocol):
    """Examples to train a network on, or to measure it with."""

    def __len__(self) -> int:
        """The number of examples."""
        ...

    def groups(self, size: int, rng: np.random.Generator | None = None) -> Sequence[NDArray[np.int64]]:
        """Put all examples' rows in groups of `size`, the last maybe smaller; shuffled where there is `rng`."""
        ...

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        """Return the examples of these rows, at least one, in this order."""
        ...


@dataclass(frozen=True)
class Evidence:
    """The scores of n-grams that the LSTM reads beside the words of some reviews.

    Attributes:
        ends: the numbers of the n-grams that end at each token of all reviews, int32 `[tokens, LONGEST]`.
        tables: what linear models say of each n-gram, float32 `[models, n-grams + 1]`.
        models: which of the models is asked about each review, int64 `[reviews]`.
    """

    ends: NDArray[np.int32]
    tables: NDArray[np.float32]
    models: NDArray[np.int64]


class LstmExamples:
    """Reviews as ids and evidence, with a target and a weight for each.

    Args:
        reviews: the encoded reviews.
        evidence: about these reviews.
        max_tokens: the longest a review stays.
        targets: the probability of "positive" for each review, float32 `[reviews]`.
        weights: how much each review counts, float32 `[reviews]`; all the same where left out.
    """

    def __init__(
        self,
        reviews: Reviews,
        evidence: Evidence,
        max_tokens: int,
        targets: NDArray[np.float32],
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        self._reviews = reviews
        self._evidence = evidence
        self._max_tokens = max_tokens
        self._targets = targets
        self._weights = np.ones(len(reviews), dtype=np.float32) if weights is None else weights

    def __len__(self) -> int:
        return len(self._reviews)

    def groups(self, size: int, rng: np.random.Generator | None = None) -> Sequence[NDArray[np.int64]]:
        return self._reviews.groups(size, self._max_tokens, rng)

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        positions = self._reviews.positions(rows, self._max_tokens)
        ids, ends = pick(self._reviews.ids, positions), pick(self._evidence.ends, positions)
        evidence = self._evidence.tables[self._evidence.models[rows][:, np.newaxis, np.newaxis], ends]
        return Batch(
            (torch.from_numpy(ids), torch.from_numpy(evidence)),
            torch.from_numpy(self._targets[rows]),
            torch.from_numpy(self._weights[rows]),
        )


class StoredRows:
    """The n-grams that each of some reviews holds, in a file.

    Args:
        numbers: the numbers of all reviews' n-grams, one review after the other; int32.
        offsets: review i has those from `offsets[i]` on, up to `offsets[i + 1]`; int64, one more than reviews.
    """

    def __init__(self, numbers: Scratch, offsets: NDArray[np.int64]) -> None:
        self._numbers = numbers
        self._offsets = offsets

    def __len__(self) -> int:
        """The number of reviews."""
        return len(self._offsets) - 1

    def part(self, first: int, last: int) -> "StoredRows":
        """Return the reviews from one on, up to another, which is left out."""
        return StoredRows(self._numbers, self._offsets[first : last + 1])

    def chunks(self) -> Iterator[tuple[slice, Rows]]:
        """Read the reviews in order, as many at once as hold about `NGRAMS_AT_ONCE`; with each chunk which they are."""
        for first, last in stretches(self._offsets, NGRAMS_AT_ONCE):
            offsets = self._offsets[first : last + 1]
            yield slice(first, last), Rows(self._numbers.read(offsets[0], offsets[-1]), offsets - offsets[0])


class NgramExamples:
    """Reviews as the n-grams that they hold, with a target and a weight for each.

    Args:
        rows: the reviews' n-grams.
        targets: the probability of "positive" for each review, float32 `[reviews]`.
        weights: how much each review counts, float32 `[reviews]`; all the same where left out.
    """

    def __init__(
        self, rows: StoredRows, targets: NDArray[np.float32], weights: NDArray[np.float32] | None = None
    ) -> None:
        self.rows = rows
        self.targets = targets
        self.weights = np.ones(len(rows), dtype=np.float32) if weights is None else weights

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, first: int, last: int) -> "NgramExamples":
        """Return the examples from one on, up to another, which is left out."""
        return NgramExamples(self.rows.part(first, last), self.targets[first:last], self.weights[first:last])
