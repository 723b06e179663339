"""Splits: built from reviews, saved, loaded, and cut into padded batches."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentimodel.dataset import DatasetError, Split, pad, shorten
from sentimodel.vocabulary import PAD

reviews = st.lists(st.lists(st.integers(1, 65_535), max_size=30), max_size=40)


def labels_of(encoded: list[list[int]]) -> list[int]:
    """A label for each review."""
    return [len(review) % 2 for review in encoded]


@given(reviews)
def test_a_split_survives_a_round_trip(tmp_path_factory: pytest.TempPathFactory, encoded: list[list[int]]) -> None:
    path = tmp_path_factory.mktemp("split") / "reviews.npz"
    Split.from_reviews(encoded, labels_of(encoded)).save(path)
    loaded = Split.load(path)
    assert len(loaded) == len(encoded)
    assert loaded.lengths.tolist() == [len(review) for review in encoded]
    assert [loaded.review(row).tolist() for row in range(len(loaded))] == encoded
    assert loaded.labels.tolist() == labels_of(encoded)


@given(reviews, st.integers(1, 7), st.integers(1, 20), st.one_of(st.none(), st.integers(0, 9)))
def test_batches_hold_every_review_once(encoded: list[list[int]], size: int, max_tokens: int, seed: int | None) -> None:
    split = Split.from_reviews(encoded, labels_of(encoded))
    rng = None if seed is None else np.random.default_rng(seed)
    seen: list[int] = []
    for batch in split.batches(size, max_tokens, rng):
        seen += batch.rows.tolist()
        assert len(batch.rows) <= size
        for row, ids in zip(batch.rows, batch.ids, strict=True):
            kept = encoded[row][-max_tokens:]
            assert ids.tolist() == kept + [PAD] * (batch.ids.shape[1] - len(kept))
    assert sorted(seen) == list(range(len(encoded)))


def test_batches_of_one_seed_are_the_same_and_of_another_differ() -> None:
    split = Split.from_reviews([[number] for number in range(1, 200)], [0] * 199)

    def order(seed: int) -> list[list[int]]:
        return [batch.rows.tolist() for batch in split.batches(8, 10, np.random.default_rng(seed))]

    assert order(1) == order(1) != order(2)


def test_batches_of_unequal_reviews_pad_little() -> None:
    rng = np.random.default_rng(1)
    split = Split.from_reviews([[5] * length for length in rng.integers(1, 200, 2000)], [0] * 2000)
    padded = sum(batch.ids.size for batch in split.batches(32, 200, rng))
    assert padded < 1.1 * split.lengths.sum()


def test_large_ids_take_a_larger_type() -> None:
    assert Split.from_reviews([[65_535]], [1]).ids.dtype == np.uint16
    assert Split.from_reviews([[65_536]], [1]).ids.dtype == np.int32


def test_the_same_reviews_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        Split.from_reviews([[1, 2], [3]], [0, 1]).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


def test_a_long_review_keeps_its_end() -> None:
    assert shorten(np.arange(10), 3).tolist() == [7, 8, 9]
    assert shorten(np.arange(2), 3).tolist() == [0, 1]


def test_padding_leaves_at_least_one_step() -> None:
    assert pad([np.array([], dtype=np.int64)]).tolist() == [[PAD]]


@pytest.mark.parametrize("labels", [[2, 0], [1], [1, 0, 1]])
def test_labels_must_fit_the_reviews(labels: list[int]) -> None:
    with pytest.raises(DatasetError):
        Split.from_reviews([[1], [2]], labels)


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": np.array([0, 2], dtype=np.uint8)},
        {"labels": np.array([0, 1], dtype=np.int64)},
        {"offsets": np.array([0, 2], dtype=np.int64)},
        {"offsets": np.array([0, 2, 9], dtype=np.int64)},
        {"offsets": np.array([0, 4, 3], dtype=np.int64)},
        {"offsets": np.array([1, 2, 3], dtype=np.int64)},
        {"ids": np.array([1.0, 2.0, 3.0])},
        {"ids": np.array([1, -2, 3], dtype=np.int32)},
        {"ids": np.array([{}, {}, {}], dtype=object)},
        {"ids": None},
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "reviews.npz"
    arrays: dict[str, Any] = {
        "ids": np.array([4, 5, 6], dtype=np.uint16),
        "offsets": np.array([0, 2, 3], dtype=np.int64),
        "labels": np.array([0, 1], dtype=np.uint8),
    }
    np.savez(path, **{name: value for name, value in (arrays | changes).items() if value is not None})
    with pytest.raises(DatasetError, match=r"reviews\.npz"):
        Split.load(path)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_archive_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "reviews.npz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"reviews\.npz"):
        Split.load(path)


def test_a_cut_off_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "reviews.npz"
    Split.from_reviews([[1, 2, 3]] * 500, [0, 1] * 250).save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(DatasetError, match=r"reviews\.npz"):
            Split.load(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Split.load(tmp_path / "reviews.npz")
