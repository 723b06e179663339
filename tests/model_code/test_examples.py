"""Reviews as examples for the training loop."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sentimodel import examples as examples_module
from sentimodel.dataset import Reviews
from sentimodel.examples import Evidence, LstmExamples, NgramExamples
from sentimodel.ngrams import LONGEST
from sentimodel.shares import Share
from sentimodel.vocabulary import PAD
from torch import Tensor

from tests.model_code.stored import stored

NGRAMS, MODELS = 9, 3
encoded_reviews = st.lists(st.lists(st.integers(1, 65_535), max_size=12), min_size=1, max_size=20)
orders = st.one_of(st.none(), st.integers(0, 9))


def targets_of(count: int) -> NDArray[np.float32]:
    return np.linspace(0, 1, count, dtype=np.float32)


def lstm_examples(encoded: list[list[int]], max_tokens: int, **options: Any) -> tuple[LstmExamples, Evidence]:
    rng = np.random.default_rng(1)
    evidence = Evidence(
        rng.integers(0, NGRAMS + 1, (sum(map(len, encoded)), LONGEST)).astype(np.int32),
        rng.normal(size=(MODELS, NGRAMS + 1)).astype(np.float32),
        rng.integers(0, MODELS, len(encoded)),
    )
    share = Share.whole(Reviews.from_reviews(encoded))
    return LstmExamples(share, evidence, max_tokens, targets_of(len(encoded)), **options), evidence


@given(encoded_reviews, st.integers(1, 7), orders)
def test_groups_hold_every_example_once(encoded: list[list[int]], size: int, seed: int | None) -> None:
    examples, _ = lstm_examples(encoded, 5)
    groups = examples.groups(size, None if seed is None else np.random.default_rng(seed))
    assert len(examples) == len(encoded)
    assert sorted(row for rows in groups for row in rows.tolist()) == list(range(len(encoded)))
    assert max(map(len, groups)) <= size


@given(encoded_reviews, st.integers(1, 9), st.data())
def test_chunks_hold_every_review_of_a_part_once(held: list[list[int]], size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(held)))
    last = data.draw(st.integers(first, len(held)))
    part = stored(held).part(first, last)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examples_module, "NGRAMS_AT_ONCE", size)
        chunks = list(part.chunks())
    assert len(part) == last - first
    assert [row for which, _ in chunks for row in range(len(part))[which]] == list(range(last - first))
    found = [np.split(rows.rows, rows.offsets[1:-1]) for _, rows in chunks]
    assert [each.tolist() for reviews in found for each in reviews] == held[first:last]
    assert all(len(rows.rows) < size + max(map(len, held)) for _, rows in chunks)


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


@given(encoded_reviews, st.integers(1, 8), st.data())
def test_a_batch_holds_those_of_its_reviews_that_are_here(
    encoded: list[list[int]], max_tokens: int, data: st.DataObject
) -> None:
    here = np.array(data.draw(st.lists(st.booleans(), min_size=len(encoded), max_size=len(encoded))), dtype=bool)
    own = np.flatnonzero(here)
    whole, _ = lstm_examples(encoded, max_tokens)
    few, _ = lstm_examples([encoded[row] for row in own], max_tokens)
    share = Share(Reviews.from_reviews([encoded[row] for row in own]), own, np.array(list(map(len, encoded))))
    asked: list[tuple[list[bool], int]] = []

    def noise(here: NDArray[np.bool_], time: int) -> tuple[Tensor, ...]:
        asked.append((here.tolist(), time))
        return (torch.from_numpy(np.flatnonzero(here)),)

    some = LstmExamples(share, few._evidence, max_tokens, targets_of(len(own)), noise=noise)
    assert len(some) == len(encoded)
    for rows, same in zip(some.groups(4), whole.groups(4), strict=True):
        assert rows.tolist() == same.tolist()
        batch = some.batch(rows)
        expected = few.batch(np.searchsorted(own, rows[here[rows]]))
        *inputs, drawn = batch.inputs
        pairs = zip(inputs, expected.inputs, strict=True)
        for one, other in (*pairs, (batch.targets, expected.targets), (batch.weights, expected.weights)):
            assert torch.equal(one, other)
        assert drawn.tolist() == np.flatnonzero(here[rows]).tolist()
        assert asked.pop() == (here[rows].tolist(), max(1, *(min(len(encoded[row]), max_tokens) for row in rows), 1))


def test_without_weights_all_count_the_same() -> None:
    assert lstm_examples([[5], [], [6, 7]], 5)[0].batch(np.arange(3)).weights.tolist() == [1, 1, 1]
    assert NgramExamples(stored([[5], [], [6, 7]]), targets_of(3)).weights.tolist() == [1, 1, 1]


def test_reviews_without_any_tokens_make_a_batch() -> None:
    examples, _ = lstm_examples([[], []], 5)
    ids, said = examples.batch(np.arange(2)).inputs
    assert ids.tolist() == [[PAD], [PAD]]
    assert said.shape == (2, 1, LONGEST)
