"""Word vectors from texts without labels."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from sentimodel.dataset import Reviews
from sentimodel.vocabulary import PAD, UNK
from sentimodel.word_vectors import word_vectors
from torch import Tensor
from torch.nn.functional import cosine_similarity

WORDS = 42  # two sets of twenty, and PAD and UNK
FIRST, SECOND = range(2, 22), range(22, WORDS)


@pytest.fixture(scope="module")
def corpus() -> list[Reviews]:
    """Reviews in which words of one set stand together, or words of the other."""
    rng = np.random.default_rng(1)
    reviews = [rng.choice(FIRST if number % 2 else SECOND, 30).tolist() for number in range(300)]
    return [Reviews.from_reviews(reviews[:200]), Reviews.from_reviews(reviews[200:])]


@pytest.fixture(scope="module")
def vectors(corpus: list[Reviews]) -> Tensor:
    return word_vectors(corpus, WORDS, 8, seed=1)


def test_words_in_the_same_company_are_nearer_than_others(vectors: Tensor) -> None:
    first, second = vectors[list(FIRST)], vectors[list(SECOND)]
    apart = cosine_similarity(first.unsqueeze(1), second.unsqueeze(0), dim=2)
    for same in (first, second):
        together = cosine_similarity(same.unsqueeze(1), same.unsqueeze(0), dim=2)
        assert together.mean() > apart.mean() + 0.3
    centers = torch.stack([first.mean(dim=0), second.mean(dim=0)])
    nearest = cosine_similarity(vectors[2:].unsqueeze(1), centers.unsqueeze(0), dim=2).argmax(dim=1)
    assert nearest.tolist() == [0] * len(FIRST) + [1] * len(SECOND)


def test_padding_and_unknown_words_mean_nothing(vectors: Tensor) -> None:
    assert vectors.shape == (WORDS, 8)
    assert vectors.dtype == torch.float32
    assert not vectors[[PAD, UNK]].any()
    assert vectors[2:].any(dim=1).all()


def test_one_seed_gives_one_answer(corpus: list[Reviews], vectors: Tensor) -> None:
    assert torch.equal(word_vectors(corpus, WORDS, 8, seed=1), vectors)


def test_random_numbers_outside_are_not_touched(corpus: list[Reviews]) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    word_vectors(corpus, WORDS, 8, seed=1)
    assert torch.equal(torch.rand(3), expected)


def test_reviews_of_several_sets_are_as_those_of_one(corpus: list[Reviews], vectors: Tensor) -> None:
    one = Reviews.from_reviews([part.review(row).tolist() for part in corpus for row in range(len(part))])
    torch.testing.assert_close(word_vectors([one], WORDS, 8, seed=1), vectors, atol=1e-4, rtol=0)


def test_neighbors_end_with_the_review_and_at_unknown_words_only_for_themselves() -> None:
    beside = [[2, 3], [4, 5]] * 20
    vectors = word_vectors([Reviews.from_reviews(beside)], 6, 4, seed=1)
    similar = cosine_similarity(vectors[2:].unsqueeze(1), vectors[2:].unsqueeze(0), dim=2).abs()
    assert similar[:2, 2:].max() < 1e-3
    over_the_unknown = word_vectors([Reviews.from_reviews([[2, UNK, 3], [4, 9, 5]] * 20)], 6, 4, seed=1)
    torch.testing.assert_close(over_the_unknown.abs(), vectors.abs(), atol=1e-4, rtol=0)


@given(
    st.lists(st.lists(st.integers(UNK, 30), max_size=12), max_size=8),
    st.integers(2, 40),
    st.integers(1, 30),
)
@example([[16, 25, 1, 1, 6]], 32, 16)
@example([[14, 25, 1, 1, 6], [14, 25, 1, 6, 2]], 32, 14)
@pytest.mark.filterwarnings("error")
def test_any_reviews_and_sizes_give_finite_vectors(encoded: list[list[int]], words: int, dimensions: int) -> None:
    vectors = word_vectors([Reviews.from_reviews(encoded)], words, dimensions, seed=1)
    assert vectors.shape == (words, dimensions)
    assert vectors.isfinite().all()
    assert not vectors[: UNK + 1].any()
