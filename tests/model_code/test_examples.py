"""Reviews as examples for the training loop."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sentimodel.dataset import Reviews
from sentimodel.examples import Evidence, LstmExamples, NgramExamples
from sentimodel.ngrams import LONGEST, Rows
from sentimodel.vocabulary import PAD

NGRAMS, MODELS = 9, 3
encoded_reviews = st.lists(st.lists(st.integers(1, 65_535), max_size=12), min_size=1, max_size=20)
orders = st.one_of(st.none(), st.integers(0, 9))


def targets_of(count: int) -> NDArray[np.float32]:
    return np.linspace(0, 1, count, dtype=np.float32)


def ngram_examples(held: list[list[int]], **options: Any) -> NgramExamples:
    offsets = np.cumsum([0, *map(len, held)], dtype=np.int64)
    rows = np.array([row for each in held for row in each], dtype=np.int32)
    return NgramExamples(Rows(rows, offsets), targets_of(len(held)), **options)


def lstm_examples(encoded: list[list[int]], max_tokens: int, **options: Any) -> tuple[LstmExamples, Evidence]:
    rng = np.random.default_rng(1)
    evidence = Evidence(
        rng.integers(0, NGRAMS + 1, (sum(map(len, encoded)), LONGEST)).astype(np.int32),
        rng.normal(size=(MODELS, NGRAMS + 1)).astype(np.float32),
        rng.integers(0, MODELS, len(encoded)),
    )
    reviews = Reviews.from_reviews(encoded)
    return LstmExamples(reviews, evidence, max_tokens, targets_of(len(encoded)), **options), evidence


@given(encoded_reviews, st.integers(1, 7), orders)
def test_groups_hold_every_example_once(encoded: list[list[int]], size: int, seed: int | None) -> None:
    for examples in (ngram_examples(encoded), lstm_examples(encoded, 5)[0]):
        rng = None if seed is None else np.random.default_rng(seed)
        groups = examples.groups(size, rng)
        assert len(examples) == len(encoded)
        assert sorted(row for rows in groups for row in rows.tolist()) == list(range(len(encoded)))
        assert max(map(len, groups)) <= size


@given(encoded_reviews, st.data())
def test_a_batch_of_ngrams_is_the_rows_that_were_asked_for(held: list[list[int]], data: st.DataObject) -> None:
    weights = np.arange(len(held), dtype=np.float32)
    rows = data.draw(st.lists(st.integers(0, len(held) - 1), min_size=1, max_size=9))
    batch = ngram_examples(held, weights=weights).batch(np.array(rows))
    (inputs,) = batch.inputs
    assert [[row for row in each if row] for each in inputs.tolist()] == [held[row] for row in rows]
    assert inputs.shape[1] == max(1, *(len(held[row]) for row in rows), 1)
    assert batch.targets.tolist() == targets_of(len(held))[rows].tolist()
    assert batch.weights.tolist() == [float(row) for row in rows]


@given(encoded_reviews, st.integers(1, 8), st.data())
def test_a_batch_of_reviews_is_their_ends_and_what_the_models_say_there(
    encoded: list[list[int]], max_tokens: int, data: st.DataObject
) -> None:
    weights = np.arange(len(encoded), dtype=np.float32)
    examples, evidence = lstm_examples(encoded, max_tokens, weights=weights)
    starts = np.cumsum([0, *map(len, encoded)])
    rows = data.draw(st.lists(st.integers(0, len(encoded) - 1), min_size=1, max_size=9))
    batch = examples.batch(np.array(rows))
    ids, said = batch.inputs
    assert batch.weights.tolist() == [float(row) for row in rows]
    assert batch.targets.tolist() == targets_of(len(encoded))[rows].tolist()
    assert said.shape == (*ids.shape, LONGEST)
    for place, row in enumerate(rows):
        kept = encoded[row][-max_tokens:]
        assert ids[place].tolist() == kept + [PAD] * (ids.shape[1] - len(kept))
        table = evidence.tables[evidence.models[row]]
        ends = evidence.ends[starts[row + 1] - len(kept) : starts[row + 1]]
        np.testing.assert_array_equal(said[place, : len(kept)].numpy(), table[ends])
        np.testing.assert_array_equal(said[place, len(kept) :].numpy(), table[0])


@pytest.mark.parametrize("kind", ["ngram", "lstm"])
def test_without_weights_all_count_the_same(kind: str) -> None:
    encoded = [[5], [], [6, 7]]
    examples = ngram_examples(encoded) if kind == "ngram" else lstm_examples(encoded, 5)[0]
    assert examples.batch(np.arange(3)).weights.tolist() == [1, 1, 1]


def test_reviews_without_any_tokens_make_a_batch() -> None:
    examples, _ = lstm_examples([[], []], 5)
    ids, said = examples.batch(np.arange(2)).inputs
    assert ids.tolist() == [[PAD], [PAD]]
    assert said.shape == (2, 1, LONGEST)
