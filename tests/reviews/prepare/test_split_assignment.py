"""Who goes into which split."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.reviews.prepare.split_assignment import (
    NONE,
    PARTS,
    SPLITS,
    UNLABELLED,
    Members,
    Part,
)
from sentictl.reviews.prepare.split_assignment import assign_splits as assign_columns
from sentictl.reviews.prepare.split_assignment import shuffled as shuffle_columns
from sentictl.reviews.read.source import SplitName


class Member(NamedTuple):
    """A review as far as its split depends on it."""

    content: bytes
    label: int | None
    split: SplitName | None = None
    film: str | None = None


def columns(members: Sequence[Member]) -> Members:
    """The reviews by column; names of films are numbered from the last one on, as their numbers mean nothing."""
    films = sorted({member.film for member in members if member.film}, reverse=True)
    contents = b"".join(hashlib.blake2b(member.content, digest_size=16).digest() for member in members)
    return Members(
        np.frombuffer(contents, dtype="V16"),
        np.array([NONE if member.label is None else member.label for member in members], dtype=np.int8),
        np.array([SPLITS.index(member.split) if member.split else NONE for member in members], dtype=np.int8),
        np.array([films.index(member.film) if member.film else NONE for member in members], dtype=np.int32),
        films,
    )


def assign_splits(members: Sequence[Member], validation: float, test: float, seed: int) -> list[Part]:
    """The split of each review."""
    return [PARTS[part] for part in assign_columns(columns(members), validation, test, seed)]


def shuffled(members: Sequence[Member], seed: int) -> list[int]:
    """The rows of the reviews, shuffled."""
    return [int(row) for row in shuffle_columns(columns(members), seed)]


own_splits = st.sampled_from([None, "train", "validation", "test"])
films = st.one_of(st.none(), st.sampled_from(["tt1", "tt2", "tt3", "tt4"]))
members = st.lists(st.builds(Member, st.binary(min_size=1, max_size=1), st.integers(0, 1), own_splits, films))
fractions = st.floats(0.01, 0.49)
seeds = st.integers(0, 5)


def texts(count: int, split: SplitName | None = None, films: int = 0) -> list[Member]:
    """Reviews with different texts, half of them positive, of so many films."""
    return [
        Member(hashlib.sha256(b"%d" % number).digest(), number % 2, split, f"tt{number % films}" if films else None)
        for number in range(count)
    ]


@given(known=members, validation=fractions, test=fractions, seed=seeds)
def test_every_review_has_one_split_and_keeps_its_own(
    known: list[Member], validation: float, test: float, seed: int
) -> None:
    splits = assign_splits(known, validation, test, seed)
    assert len(splits) == len(known)
    assert set(splits) <= {"train", "validation", "test"}
    own = {member.split for member in known}
    for member, split in zip(known, splits, strict=True):
        if member.split in ("validation", "test"):
            assert split == member.split
        elif split != "train":
            assert split not in own


@given(known=members, validation=fractions, test=fractions, seed=seeds)
def test_no_film_and_no_text_is_in_two_drawn_splits(
    known: list[Member], validation: float, test: float, seed: int
) -> None:
    where: dict[str | bytes | None, set[Part]] = {}
    for member, split in zip(known, assign_splits(known, validation, test, seed), strict=True):
        if member.split in (None, "train"):
            for shared in (member.film or None, member.content):
                where.setdefault(shared, set()).add(split)
    where.pop(None, None)
    assert all(len(splits) == 1 for splits in where.values())


@given(known=members)
def test_groups_are_as_small_as_films_and_texts_allow(known: list[Member]) -> None:
    """By following what is shared from each review to the next, as far as it leads."""
    groups = columns(known).groups(np.arange(len(known))).tolist()
    for row, member in enumerate(known):
        shared: set[str | bytes] = {member.film or member.content, member.content}
        before = 0
        while len(shared) != before:
            before = len(shared)
            shared |= {key for other in known for key in keys(other) if shared & keys(other)}
        assert {other for other in range(len(known)) if groups[other] == groups[row]} == {
            other for other, each in enumerate(known) if shared & keys(each)
        }


def keys(member: Member) -> set[str | bytes]:
    """What a review may share with others."""
    return {member.content, member.film} if member.film else {member.content}


def test_a_long_chain_of_films_is_one_group() -> None:
    chain = [Member(b"%d" % ((row + 1) // 2), 1, None, f"tt{row // 2}") for row in range(5_000)]
    assert len(set(columns(chain).groups(np.arange(len(chain))).tolist())) == 1


@given(known=members.flatmap(lambda known: st.tuples(st.just(known), st.permutations(known))), seed=seeds)
def test_the_order_of_reviews_changes_nothing(known: tuple[list[Member], list[Member]], seed: int) -> None:
    one, other = known
    first = Counter(zip(one, assign_splits(one, 0.2, 0.2, seed), strict=True))
    assert Counter(zip(other, assign_splits(other, 0.2, 0.2, seed), strict=True)) == first
    assert [one[row] for row in shuffled(one, seed)] == [other[row] for row in shuffled(other, seed)]


@given(count=st.integers(10, 400), validation=fractions, test=fractions, seed=seeds)
def test_fractions_are_met_for_each_label(count: int, validation: float, test: float, seed: int) -> None:
    known = texts(count)
    counts = Counter(zip(assign_splits(known, validation, test, seed), (member.label for member in known), strict=True))
    for label in (0, 1):
        size = sum(member.label == label for member in known)
        assert counts["test", label] == max(1, round(size * test))
        assert counts["validation", label] == max(1, round(size * validation))


@given(known=members, seed=seeds)
def test_shuffling_loses_nothing(known: list[Member], seed: int) -> None:
    assert sorted(shuffled(known, seed)) == list(range(len(known)))


def test_the_seed_decides() -> None:
    known = texts(500)
    assert assign_splits(known, 0.1, 0.1, 1) == assign_splits(known, 0.1, 0.1, 1)
    assert assign_splits(known, 0.1, 0.1, 1) != assign_splits(known, 0.1, 0.1, 2)
    assert shuffled(known, 1) != shuffled(known, 2)


def test_the_official_test_half_stays_and_validation_is_of_whole_films() -> None:
    known = texts(1000, "train", films=97) + texts(200, "test", films=50)
    splits = assign_splits(known, 0.1, 0.1, 1)
    assert splits[1000:] == ["test"] * 200
    validation = [member for member, split in zip(known, splits, strict=True) if split == "validation"]
    assert len(validation) == pytest.approx(100, abs=10)
    assert sum(member.label == 1 for member in validation) == pytest.approx(50, abs=5)
    chosen = {member.film for member in validation}
    trained = {member.film for member, split in zip(known, splits, strict=True) if split == "train"}
    assert not chosen & trained


@given(known=members, each=st.integers(1, 3), seed=seeds)
def test_unlabelled_reviews_are_apart_and_change_no_split(known: list[Member], each: int, seed: int) -> None:
    unlabelled = [Member(member.content, None, None, member.film) for member in known for _ in range(each)]
    splits = assign_splits([*unlabelled, *known], 0.2, 0.2, seed)
    assert splits[: len(unlabelled)] == [UNLABELLED] * len(unlabelled)
    assert splits[len(unlabelled) :] == assign_splits(known, 0.2, 0.2, seed)


def test_films_larger_than_a_split_still_make_one() -> None:
    splits = assign_splits(texts(300, films=3), 0.05, 0.05, 1)
    assert Counter(splits) == {"train": 100, "validation": 100, "test": 100}
