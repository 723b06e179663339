"""The examples that networks are trained on, in groups, each group as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sentimodel.dataset import Reviews, grouped, pick
from sentimodel.ngrams import Rows


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


class NgramExamples:
    """Reviews as the n-grams that they hold, with a target and a weight for each.

    Args:
        rows: the reviews' n-grams.
        targets: the probability of "positive" for each review, float32 `[reviews]`.
        weights: how much each review counts, float32 `[reviews]`; all the same where left out.
    """

    def __init__(self, rows: Rows, targets: NDArray[np.float32], weights: NDArray[np.float32] | None = None) -> None:
        self.rows = rows
        self.targets = targets
        self.weights = np.ones(len(rows), dtype=np.float32) if weights is None else weights

    def __len__(self) -> int:
        return len(self.rows)

    def groups(self, size: int, rng: np.random.Generator | None = None) -> Sequence[NDArray[np.int64]]:
        return grouped(self.rows.lengths, size, rng)

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        return Batch(
            (torch.from_numpy(self.rows.padded(rows)),),
            torch.from_numpy(self.targets[rows]),
            torch.from_numpy(self.weights[rows]),
        )
