"""Word vectors from texts without labels: what a word means is what it stands beside."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sentimodel.counting import TOKENS_AT_ONCE, Counted, KeyCounts
from sentimodel.dataset import Reviews
from sentimodel.process_group import ALONE, ProcessGroup
from sentimodel.vocabulary import UNK

WINDOW = 5  # tokens to either side; a neighbor counts less the farther it is, down to a fifth
SMOOTHING = 0.75  # of the neighbors' frequencies: keeps rare neighbors from weighing too much
DEVIATION = 0.3  # of the vectors' elements
SPARE_DIMENSIONS = 16  # carried along for the accuracy of the others
ITERATIONS = 8
_WEIGHT_BITS = 3  # room for `WINDOW`
_COUNT_BITS = 31  # room for what a pair counts in a part of the reviews; keys of two words leave as many
SHIFT = 1e-3  # of all eigenvalues, while iterating: keeps the rank full where few words have neighbors


def word_vectors(
    texts: Sequence[Reviews], words: int, dimensions: int, seed: int, group: ProcessGroup = ALONE
) -> Tensor:
    """Compute a vector for each of the most frequent ids, near to those of words in similar company.

    The truncated eigendecomposition of positive pointwise mutual information (Levy and Goldberg, 2014, "Neural Word
    Embedding as Implicit Matrix Factorization"), with context distribution smoothing and eigenvalue weighting by the
    square root (Levy, Goldberg and Dagan, 2015, "Improving Distributional Similarity with Lessons Learned from Word
    Embeddings"); found by subspace iteration (Halko, Martinsson and Tropp, 2011).

    Args:
        texts: this process's sets of encoded reviews.
        words: how many ids get one, `PAD` and `UNK` included, whose vectors are 0.
        dimensions: of a vector.
        seed: of the start.
        group: the processes that have the other reviews. All find the same vectors, whoever has which reviews.

    Returns:
        float32 `[words, dimensions]`.

    Raises:
        ProcessGroupError: another process has ended.
    """
    information = _Information(_neighbors(texts, words), words, group)
    generator = torch.Generator().manual_seed(seed)
    basis = torch.randn(words, min(words, dimensions + SPARE_DIMENSIONS), generator=generator)
    for _ in range(ITERATIONS):
        basis = torch.linalg.qr(information.times(basis) + SHIFT * basis).Q
    values, rotation = torch.linalg.eigh(basis.T @ information.times(basis))
    strongest = values.abs().argsort(descending=True)[:dimensions]
    vectors = basis @ rotation[:, strongest] * values[strongest].abs().sqrt()
    vectors = torch.nn.functional.pad(vectors, (0, dimensions - vectors.shape[1]))
    vectors *= DEVIATION / vectors.std().clamp(min=1e-6)
    vectors[: UNK + 1] = 0.0
    return vectors


class _Information:
    """The positive pointwise mutual information of each two words, the first before the second and after it, added up.

    Each process has the rows of some words, whole, and so multiplies them as one process would.

    Args:
        neighbors: what `_neighbors` counted in this process.
        words: how many there are.
        group: the processes.
    """

    def __init__(self, neighbors: KeyCounts, words: int, group: ProcessGroup) -> None:
        self._group = group
        parts = list(neighbors.dealt(group, lambda keys: keys // (2 * words) % group.size))
        totals = np.zeros(words)
        for keys, counts in parts:
            totals += np.bincount(keys // (2 * words), weights=counts / WINDOW, minlength=words)
        shared = torch.from_numpy(totals).to(group.device)
        group.add_up(shared)
        totals = shared.cpu().numpy()
        smoothed = totals**SMOOTHING
        shares = smoothed / max(smoothed.sum(), 1e-9)  # without any neighbors the sum is 0
        entries = [(np.zeros((2, 0), dtype=np.int64), np.zeros(0, dtype=np.float32))]
        while parts:  # each is let go as soon as its entries are there
            entries.append(_entries(parts.pop(0), totals, shares))
        indices = np.concatenate([indices for indices, _ in entries], axis=1)
        values = np.concatenate([values for _, values in entries])
        del entries
        self._matrix = torch.sparse_coo_tensor(
            torch.from_numpy(indices), torch.from_numpy(values), (words, words), check_invariants=True
        ).coalesce()

    def times(self, basis: Tensor) -> Tensor:
        """Multiply the matrix by columns, float32 `[words, columns]`."""
        product: Tensor = (self._matrix @ basis).to(self._group.device)
        self._group.add_up(product)  # of each row all processes but one have zeros
        return product.cpu()


def _entries(
    part: Counted, totals: NDArray[np.float64], shares: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Where the information of some neighbors stands, `[2, entries]`, and how much it is."""
    keys, counts = part
    left, right = np.divmod(keys // 2, len(totals))
    information = np.log(counts / WINDOW / (totals[left] * shares[right]))
    kept = information > 0
    return np.stack([left[kept], right[kept]]), information[kept].astype(np.float32)


def _neighbors(texts: Sequence[Reviews], words: int) -> KeyCounts:
    """How often each two words stand near each other, nearer ones counting more: `WINDOW` times side by side.

    A pair has two keys, one in the row of each word: `(row · words + column) · 2`, and 1 more where the row's word is
    the second.
    """
    neighbors = KeyCounts()
    for part in (part for reviews in texts for part in reviews.parts(TOKENS_AT_ONCE)):
        weighed = [np.zeros(0, dtype=np.int64)]  # pairs with what they count in their lowest bits
        ids = part.ids.astype(np.int64)
        known = (ids > UNK) & (ids < words)
        ends = np.repeat(part.offsets[1:], part.lengths)
        for distance in range(1, WINDOW + 1):
            near = known[:-distance] & known[distance:]
            near &= np.arange(distance, len(ids)) < ends[:-distance]
            pairs = (ids[:-distance] * words + ids[distance:])[near]
            weighed.append(pairs << _WEIGHT_BITS | WINDOW + 1 - distance)
        found = np.sort(np.concatenate(weighed))
        pairs = found >> _WEIGHT_BITS
        starts = np.flatnonzero(np.diff(pairs, prepend=-1))
        pairs, counts = pairs[starts], np.add.reduceat(found & 2**_WEIGHT_BITS - 1, starts) if len(starts) else starts
        neighbors.add(2 * pairs, counts.astype(np.int32))
        turned = np.sort((pairs % words * words + pairs // words) << _COUNT_BITS | counts)
        neighbors.add(2 * (turned >> _COUNT_BITS) + 1, (turned & 2**_COUNT_BITS - 1).astype(np.int32))
    return neighbors
