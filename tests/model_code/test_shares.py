"""Which reviews each process learns from."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentimodel.dataset import DatasetError, GroupedSplit, Reviews
from sentimodel.files import shard_name
from sentimodel.process_group import ALONE, ProcessGroup
from sentimodel.shares import read_share, share_out

from tests.model_code.together import together

SIZES = (5, 5, 5, 2)  # reviews in each shard
ENCODED = [[2 + number] * (number % 4) for number in range(sum(SIZES))]


def write(folder: Path, *numbers: int) -> Path:
    """A channel's folder with these shards of the seventeen reviews."""
    whole = GroupedSplit.from_reviews(ENCODED, [number % 2 for number in range(len(ENCODED))])
    folder.mkdir(parents=True)
    for number in numbers:
        first = sum(SIZES[:number])
        whole.part(first, first + SIZES[number]).save(folder / shard_name(number))
    return folder


@given(st.lists(st.tuples(st.integers(1, 50), st.sets(st.integers(0, 4), min_size=1)), min_size=1, max_size=9))
def test_each_review_is_dealt_once_and_to_somebody_who_has_it(shards: list[tuple[int, set[int]]]) -> None:
    names = [shard_name(number) for number in range(len(shards))]
    sizes = {name: size for name, (size, _) in zip(names, shards, strict=True)}
    holders = {name: sorted(ranks) for name, (_, ranks) in zip(names, shards, strict=True)}
    shared = share_out(sizes, holders)
    dealt = [
        (name, row) for stretches in shared.values() for name, first, last in stretches for row in range(first, last)
    ]
    assert sorted(dealt) == [(name, row) for name in names for row in range(sizes[name])]
    for rank, stretches in shared.items():
        assert all(rank in holders[name] for name, _, _ in stretches)
        assert [name for name, _, _ in stretches] == sorted(name for name, _, _ in stretches)


def test_who_have_the_same_shards_get_equally_many_reviews() -> None:
    sizes = {"a": 5, "b": 5, "c": 2, "d": 40}
    shared = share_out(sizes, {"a": [0, 1, 2], "b": [0, 1, 2], "c": [0, 1, 2], "d": [3]})
    assert {rank: sum(last - first for _, first, last in each) for rank, each in shared.items()} == {
        0: 4, 1: 4, 2: 4, 3: 40,
    }  # fmt: skip
    assert share_out({"a": 1}, {"a": [0, 1]})[0] == []  # nothing is left for one of them


def test_one_process_reads_all(tmp_path: Path) -> None:
    share = read_share(GroupedSplit, write(tmp_path / "train", 0, 1, 2, 3), ALONE)
    assert [share.reviews.review(row).tolist() for row in range(17)] == ENCODED
    assert share.rows.tolist() == share.reviews.groups.tolist() == list(range(17))
    assert share.lengths.tolist() == share.reviews.lengths.tolist()


def test_several_learn_where_their_reviews_stand_among_all(tmp_path: Path) -> None:
    folders = [write(tmp_path / "0", 3, 1), write(tmp_path / "1", 0), write(tmp_path / "2", 2), tmp_path / "none"]

    def work(group: ProcessGroup) -> tuple[list[int], list[list[int]], list[int], list[int]]:
        share = read_share(GroupedSplit, folders[group.rank], group)
        texts = [share.reviews.review(row).tolist() for row in range(len(share.reviews))]
        return share.rows.tolist(), texts, share.reviews.groups.tolist(), share.lengths.tolist()

    shares = together(4, work)
    assert [rows for rows, *_ in shares] == [[5, 6, 7, 8, 9, 15, 16], [0, 1, 2, 3, 4], [10, 11, 12, 13, 14], []]
    for rows, texts, groups, lengths in shares:
        assert (texts, groups) == ([ENCODED[row] for row in rows], rows)
        assert lengths == [len(review) for review in ENCODED]


@pytest.mark.parametrize("numbers", [(), (1, 2, 3), (0, 1, 3)])
def test_a_shard_that_nobody_has_is_named(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    folder = write(tmp_path / "train", *numbers)
    missing = next(number for number in range(4) if number not in numbers)
    with pytest.raises(FileNotFoundError, match=re.escape(f"{folder / shard_name(missing)} does not exist")):
        read_share(Reviews, folder, ALONE)


def test_what_several_cannot_train_on_all_are_told_of(tmp_path: Path) -> None:
    folders = [write(tmp_path / "0", 0, 1), write(tmp_path / "1", 1)]
    GroupedSplit.from_reviews([[9]] * 5, [0, 1, 0, 1, 0]).save(folders[1] / shard_name(1))
    missing = [write(tmp_path / "2", 0), write(tmp_path / "3", 2)]

    def work(group: ProcessGroup) -> list[str]:
        told = []
        for kind, some in ((DatasetError, folders), (FileNotFoundError, missing)):
            with pytest.raises(kind) as raised:
                read_share(GroupedSplit, some[group.rank], group)
            told.append(str(raised.value))
        return told

    for (other, absent), folder, gap in zip(together(2, work), folders, missing, strict=True):
        assert other == f"{folder / shard_name(1)} holds other reviews on another machine: all need the same dataset"
        assert absent == f"{gap / shard_name(1)} does not exist, nor on another machine of this training"


def test_lengths_of_a_damaged_shard_are_refused_by_name(tmp_path: Path) -> None:
    folder = write(tmp_path / "train", 0)
    np.savez(folder / shard_name(0), offsets=np.array(["a"]))
    with pytest.raises(DatasetError, match=re.escape(shard_name(0))):
        read_share(Reviews, folder, ALONE)
