"""The examples that networks are trained on, in groups, each group as tensors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sentimodel.dataset import Reviews, batches, pick, stretches
from sentimodel.ngrams import Rows
from sentimodel.scratch import Scratch
from sentimodel.shares import Share

NGRAMS_AT_ONCE = 2**20  # of many reviews, to bound the memory that they take
NOT_HERE = -1

Noise = Callable[[NDArray[np.bool_], int], tuple[Tensor, ...]]


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
    """Examples to train a network on, or to measure it with; of some of them this process may know the length alone."""

    def __len__(self) -> int:
        """The number of examples, wherever they are."""
        ...

    def groups(self, size: int, rng: np.random.Generator | None = None) -> Sequence[NDArray[np.int64]]:
        """Put all examples' rows in groups of `size`, the last maybe smaller; shuffled where there is `rng`."""
        ...

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        """Return those of these examples that this process has, in this order; there may be none."""
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
        share: the encoded reviews, and which of all they are.
        evidence: about the reviews that are here.
        max_tokens: the longest a review stays.
        targets: the probability of "positive" for each review that is here, float32 `[reviews here]`.
        weights: how much each of these counts, float32 `[reviews here]`; all the same where left out.
        noise: draws further inputs of the network, which disturb a batch: given which of its reviews are here, bool
            `[reviews]`, and the tokens of the longest. It is drawn for all of them, so that it does not depend on who
            has which reviews.
    """

    def __init__(
        self,
        share: Share[Reviews],
        evidence: Evidence,
        max_tokens: int,
        targets: NDArray[np.float32],
        weights: NDArray[np.float32] | None = None,
        noise: Noise | None = None,
    ) -> None:
        self._reviews = share.reviews
        self._lengths = np.minimum(share.lengths, max_tokens)
        self._places = np.full(len(share.lengths), NOT_HERE)
        self._places[share.rows] = np.arange(len(share.rows))
        self._evidence = evidence
        self._max_tokens = max_tokens
        self._targets = targets
        self._weights = np.ones(len(share.reviews), dtype=np.float32) if weights is None else weights
        self._noise = noise

    def __len__(self) -> int:
        return len(self._lengths)

    def groups(self, size: int, rng: np.random.Generator | None = None) -> Sequence[NDArray[np.int64]]:
        return batches(self._lengths, size, rng)

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        here = self._places[rows] != NOT_HERE
        noise = self._noise(here, max(1, int(self._lengths[rows].max()))) if self._noise else ()
        places = self._places[rows[here]]
        positions = self._reviews.positions(places, self._max_tokens)
        ids, ends = pick(self._reviews.ids, positions), pick(self._evidence.ends, positions)
        evidence = self._evidence.tables[self._evidence.models[places][:, np.newaxis, np.newaxis], ends]
        return Batch(
            (torch.from_numpy(ids), torch.from_numpy(evidence), *noise),
            torch.from_numpy(self._targets[places]),
            torch.from_numpy(self._weights[places]),
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
