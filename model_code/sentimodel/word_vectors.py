"""Word vectors from texts without labels: what a word means is what it stands beside."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sentimodel.dataset import Reviews
from sentimodel.vocabulary import UNK

WINDOW = 5  # tokens to either side; a neighbor counts less the farther it is, down to a fifth
SMOOTHING = 0.75  # of the neighbors' frequencies: keeps rare neighbors from weighing too much
DEVIATION = 0.3  # of the vectors' elements
SPARE_DIMENSIONS = 16  # carried along for the accuracy of the others
ITERATIONS = 8
SHIFT = 1e-3  # of all eigenvalues, while iterating: keeps the rank full where few words have neighbors


def word_vectors(texts: Sequence[Reviews], words: int, dimensions: int, seed: int) -> Tensor:
    """Compute a vector for each of the most frequent ids, near to those of words in similar company.

    The truncated eigendecomposition of positive pointwise mutual information (Levy and Goldberg, 2014, "Neural Word
    Embedding as Implicit Matrix Factorization"), with context distribution smoothing and eigenvalue weighting by the
    square root (Levy, Goldberg and Dagan, 2015, "Improving Distributional Similarity with Lessons Learned from Word
    Embeddings"); found by subspace iteration (Halko, Martinsson and Tropp, 2011).

    Args:
        texts: sets of encoded reviews.
        words: how many ids get one, `PAD` and `UNK` included, whose vectors are 0.
        dimensions: of a vector.
        seed: of the start.

    Returns:
        float32 `[words, dimensions]`.
    """
    information = _information(texts, words)
    generator = torch.Generator().manual_seed(seed)
    basis = torch.randn(words, min(words, dimensions + SPARE_DIMENSIONS), generator=generator)
    for _ in range(ITERATIONS):
        basis = torch.linalg.qr(information @ basis + SHIFT * basis).Q
    values, rotation = torch.linalg.eigh(basis.T @ (information @ basis))
    strongest = values.abs().argsort(descending=True)[:dimensions]
    vectors = basis @ rotation[:, strongest] * values[strongest].abs().sqrt()
    vectors = torch.nn.functional.pad(vectors, (0, dimensions - vectors.shape[1]))
    vectors *= DEVIATION / vectors.std().clamp(min=1e-6)
    vectors[: UNK + 1] = 0.0
    return vectors


def _information(texts: Sequence[Reviews], words: int) -> Tensor:
    """The positive pointwise mutual information of each two words, the first before the second and after it, added up;
    sparse float32 `[words, words]`."""
    keys, counts = _neighbors(texts, words)
    left, right = np.divmod(keys, words)
    left, right, counts = np.concatenate([left, right]), np.concatenate([right, left]), np.concatenate([counts, counts])
    totals = np.bincount(left, weights=counts, minlength=words)
    smoothed = totals**SMOOTHING
    shares = smoothed / max(smoothed.sum(), 1e-9)  # without any neighbors the sum is 0
    information = np.log(counts / (totals[left] * shares[right]))
    kept = information > 0
    indices = torch.from_numpy(np.stack([left[kept], right[kept]]))
    values = torch.from_numpy(information[kept].astype(np.float32))
    return torch.sparse_coo_tensor(indices, values, (words, words), check_invariants=True).coalesce()


def _neighbors(texts: Sequence[Reviews], words: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Each two words that stand near each other, as first · words + second, and how often; nearer ones count more."""
    keys, counts = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    for reviews in texts:
        ids = reviews.ids.astype(np.int64)
        known = (ids > UNK) & (ids < words)
        ends = np.repeat(reviews.offsets[1:], reviews.lengths)
        for distance in range(1, WINDOW + 1):
            near = known[:-distance] & known[distance:]
            near &= np.arange(distance, len(ids)) < ends[:-distance]
            pairs, times = np.unique((ids[:-distance] * words + ids[distance:])[near], return_counts=True)
            keys.append(pairs)
            counts.append(times * (1 - (distance - 1) / WINDOW))
    every, place = np.unique(np.concatenate(keys), return_inverse=True)
    return every, np.bincount(place, weights=np.concatenate(counts), minlength=len(every)).astype(np.float64)
