"""Encoded reviews, labelled or not: built, saved, loaded, joined, and grouped into padded batches."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentimodel.dataset import DatasetError, GroupedSplit, Reviews, Split, batches, pick, read_array
from sentimodel.files import shard_name, shards
from sentimodel.vocabulary import PAD

reviews = st.lists(st.lists(st.integers(1, 65_535), max_size=30), max_size=40)


def labels_of(encoded: list[list[int]]) -> list[int]:
    """A label for each review."""
    return [len(review) % 2 for review in encoded]


@given(reviews)
def test_a_split_survives_a_round_trip(tmp_path_factory: pytest.TempPathFactory, encoded: list[list[int]]) -> None:
    path = tmp_path_factory.mktemp("split") / "reviews.npz"
    Split.from_reviews(encoded, labels_of(encoded)).save(path)
    loaded = Split.read(path)
    assert len(loaded) == len(encoded)
    assert loaded.lengths.tolist() == [len(review) for review in encoded]
    assert [loaded.review(row).tolist() for row in range(len(loaded))] == encoded
    assert loaded.labels.tolist() == labels_of(encoded)


@given(reviews)
def test_unlabelled_reviews_survive_a_round_trip(
    tmp_path_factory: pytest.TempPathFactory, encoded: list[list[int]]
) -> None:
    path = tmp_path_factory.mktemp("unlabelled") / "reviews.npz"
    Reviews.from_reviews(encoded).save(path)
    with np.load(path, allow_pickle=False) as file:
        assert sorted(file) == ["ids", "offsets"]
    loaded = Reviews.read(path)
    assert len(loaded) == len(encoded)
    assert loaded.lengths.tolist() == [len(review) for review in encoded]
    assert [loaded.review(row).tolist() for row in range(len(loaded))] == encoded


@given(st.lists(reviews, min_size=1, max_size=12))
def test_the_shards_of_a_folder_are_read_as_one(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[list[int]]]
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    for number, part in enumerate(parts):
        groups = [number * 100 + row for row in range(len(part))]
        GroupedSplit.from_reviews(part, labels_of(part), groups).save(folder / shard_name(number))
    whole = GroupedSplit.load(folder)
    every = [review for part in parts for review in part]
    assert [whole.review(row).tolist() for row in range(len(whole))] == every
    assert whole.labels.tolist() == Split.load(folder).labels.tolist() == labels_of(every)
    assert whole.groups.tolist() == [
        number * 100 + row for number, part in enumerate(parts) for row in range(len(part))
    ]
    assert type(Reviews.load(folder)) is Reviews


def test_shards_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (100_000, 2, 99_999, 0):
        Reviews.from_reviews([[number % 60_000]]).save(tmp_path / shard_name(number))
    assert [path.name for path in shards(tmp_path)] == [shard_name(number) for number in (0, 2, 99_999, 100_000)]


def test_a_shard_that_is_missing_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileNotFoundError, match=re.escape(str(folder / "reviews-00000.npz"))):
            Split.load(folder)
    for number in (0, 1, 3):
        Split.from_reviews([[2], [3]], [0, 1]).save(tmp_path / shard_name(number))
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "reviews-00002.npz"))):
        Split.load(tmp_path)


@given(reviews, st.integers(0, 40), st.data())
def test_a_part_has_its_labels_and_groups(encoded: list[list[int]], size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(encoded)))
    part = GroupedSplit.from_reviews(encoded, labels_of(encoded)).part(first, first + size)
    kept = encoded[first : first + size]
    assert [part.review(row).tolist() for row in range(len(part))] == kept
    assert part.labels.tolist() == labels_of(kept)
    assert part.groups.tolist() == list(range(len(encoded)))[first : first + size]


def test_unlabelled_reviews_are_no_split(tmp_path: Path) -> None:
    path = tmp_path / "reviews.npz"
    Reviews.from_reviews([[1, 2], [3]]).save(path)
    with pytest.raises(DatasetError, match=r"reviews\.npz: .*labels"):
        Split.read(path)


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(1, 7), st.one_of(st.none(), st.integers(0, 9)))
def test_batches_hold_every_review_once(lengths: list[int], size: int, seed: int | None) -> None:
    rng = None if seed is None else np.random.default_rng(seed)
    made = batches(np.array(lengths, dtype=np.int64), size, rng)
    assert all(len(rows) <= size for rows in made)
    assert sorted(row for rows in made for row in rows.tolist()) == list(range(len(lengths)))
    lengths_by_batch = [[lengths[row] for row in rows] for rows in made]
    assert all(each in (sorted(each), sorted(each, reverse=True)) for each in lengths_by_batch)


@given(reviews.filter(len), st.integers(1, 20), st.data())
def test_a_long_review_keeps_its_end_and_a_short_one_is_padded(
    encoded: list[list[int]], max_tokens: int, data: st.DataObject
) -> None:
    split = Reviews.from_reviews(encoded)
    rows = data.draw(st.lists(st.integers(0, len(encoded) - 1), min_size=1, max_size=9))
    positions = split.positions(np.array(rows), max_tokens)
    ids = pick(split.ids, positions)
    kept = [encoded[row][-max_tokens:] for row in rows]
    width = max(1, *map(len, kept), 1)
    assert ids.dtype == np.int64
    assert ids.tolist() == [each + [PAD] * (width - len(each)) for each in kept]
    assert (positions >= 0).sum(axis=1).tolist() == [len(each) for each in kept]


@given(reviews.filter(len))
def test_owners_say_which_review_a_token_is_of(encoded: list[list[int]]) -> None:
    owners = Reviews.from_reviews(encoded).owners
    assert owners.tolist() == [row for row, review in enumerate(encoded) for _ in review]


def test_rows_of_several_values_are_picked_as_well() -> None:
    values = np.array([[1, 2], [3, 4]], dtype=np.int32)
    assert pick(values, np.array([[1, -1], [0, 1]])).tolist() == [[[3, 4], [0, 0]], [[1, 2], [3, 4]]]
    assert pick(np.zeros((0, 2), dtype=np.int32), np.array([[-1]])).tolist() == [[[0, 0]]]


@given(st.lists(reviews, min_size=1, max_size=4))
def test_joined_reviews_are_all_of_them_in_order(parts: list[list[list[int]]]) -> None:
    whole = Reviews.joined([Reviews.from_reviews(part) for part in parts])
    expected = [review for part in parts for review in part]
    assert [whole.review(row).tolist() for row in range(len(whole))] == expected


def test_batches_of_one_seed_are_the_same_and_of_another_differ() -> None:
    def order(seed: int) -> list[list[int]]:
        return [rows.tolist() for rows in batches(np.ones(199, dtype=np.int64), 8, np.random.default_rng(seed))]

    assert order(1) == order(1) != order(2)


def test_batches_of_unequal_reviews_pad_little() -> None:
    rng = np.random.default_rng(1)
    split = Split.from_reviews([[5] * length for length in rng.integers(1, 200, 2000)], [0] * 2000)
    padded = sum(split.positions(rows, 200).size for rows in batches(split.lengths, 32, rng))
    assert padded < 1.1 * split.lengths.sum()


def test_large_ids_take_a_larger_type() -> None:
    assert Split.from_reviews([[65_535]], [1]).ids.dtype == np.uint16
    assert Split.from_reviews([[65_536]], [1]).ids.dtype == np.int32


def test_the_same_reviews_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        Split.from_reviews([[1, 2], [3]], [0, 1]).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


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
        {"offsets": None},
        {"offsets": np.array([], dtype=np.int64)},
        {"offsets": np.array([[0, 2, 3]], dtype=np.int64)},
        {"labels": None},
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
        Split.read(path)
    if "labels" not in changes:
        with pytest.raises(DatasetError, match=r"reviews\.npz"):
            Reviews.read(path)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_archive_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "reviews.npz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"reviews\.npz"):
        Split.read(path)


def test_a_cut_off_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "reviews.npz"
    Split.from_reviews([[1, 2, 3]] * 500, [0, 1] * 250).save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(DatasetError, match=r"reviews\.npz"):
            Split.read(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Split.read(tmp_path / "reviews.npz")


def test_an_array_comes_back_from_its_bytes() -> None:
    buffer = BytesIO()
    np.save(buffer, np.array([[1, 2], [3, 4]], dtype=np.int32))
    array = read_array(buffer.getvalue())
    assert array.tolist() == [[1, 2], [3, 4]]
    assert array.dtype == np.int32
    with pytest.raises(DatasetError, match="damaged"):
        read_array(buffer.getvalue()[:-1])


@given(st.binary(max_size=200))
@pytest.mark.filterwarnings("ignore:Reading")  # numpy, of headers that look like those of Python 2
def test_bytes_that_hold_no_array_are_refused(content: bytes) -> None:
    for damaged in (content, b"PK\x03\x04" + content, b"\x93NUMPY\x01\x00\x10\x00" + content):
        with pytest.raises(DatasetError, match="not a file of an array"):
            read_array(damaged)


def test_an_array_of_objects_is_refused() -> None:
    buffer = BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError, match="not a file of an array"):
        read_array(buffer.getvalue())
