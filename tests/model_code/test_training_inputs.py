"""All that a training is given: channels and hyperparameters, read and checked."""

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentimodel import training_inputs
from sentimodel.dataset import DatasetError, GroupedSplit, Reviews, Split
from sentimodel.process_group import ALONE
from sentimodel.text import TextSettings
from sentimodel.training import Recipe
from sentimodel.training_inputs import Data, Hyperparameters, InputError, load
from sentimodel.vocabulary import Vocabulary, VocabularyError

TRAIN, VALIDATION, UNLABELLED = [[2, 3], [4], [], [3, 3]], [[2], [3]], [[4, 4], [2]]
TEXT = TextSettings()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The channels, each a folder."""
    for name in ("train", "validation", "vocabulary", "unlabelled"):
        (tmp_path / name).mkdir()
    GroupedSplit.from_reviews(TRAIN, [0, 1, 0, 1], [0, 0, 1, 2]).save(tmp_path / "train" / "reviews-00000.npz")
    Split.from_reviews(VALIDATION, [0, 1]).save(tmp_path / "validation" / "reviews-00000.npz")
    Reviews.from_reviews(UNLABELLED).save(tmp_path / "unlabelled" / "reviews-00000.npz")
    Vocabulary(["film", "plot", "dull"]).save(tmp_path / "vocabulary" / "vocabulary.txt")
    (tmp_path / "vocabulary" / "text.json").write_text(json.dumps(TEXT.to_dict()))
    return tmp_path


def read(folder: Path, **changes: str | None) -> Data:
    """The data of all channels but those changed."""
    names = ("train", "validation", "vocabulary", "unlabelled")
    return load({**{name: str(folder / name) for name in names}, **changes}, ALONE)


def encoded(reviews: Reviews) -> list[list[int]]:
    return [reviews.review(row).tolist() for row in range(len(reviews))]


def test_what_the_channels_hold_is_read(folder: Path) -> None:
    data = read(folder)
    assert (encoded(data.train.reviews), data.train.reviews.labels.tolist()) == (TRAIN, [0, 1, 0, 1])
    assert (encoded(data.validation), data.validation.labels.tolist()) == (VALIDATION, [0, 1])
    assert data.unlabelled is not None
    assert [encoded(texts) for texts in data.texts] == [TRAIN, UNLABELLED]
    assert (data.train.reviews.groups.tolist(), data.groups) == ([0, 0, 1, 2], 3)
    assert data.rows.tolist() == [0, 1, 2, 3, 4, 5]
    assert data.lengths.tolist() == [2, 1, 0, 2, 2, 1]
    assert (data.vocabulary_size, data.text) == (5, TEXT)
    assert data.vocabulary == (folder / "vocabulary" / "vocabulary.txt").read_bytes()


def test_unlabelled_reviews_may_be_left_out(folder: Path) -> None:
    data = read(folder, unlabelled=None)
    assert data.unlabelled is None
    assert [encoded(texts) for texts in data.texts] == [TRAIN]


@pytest.mark.parametrize("channel", training_inputs.CHANNELS)
def test_a_channel_that_is_not_given_is_named(folder: Path, channel: str) -> None:
    with pytest.raises(InputError, match=rf"--{channel} .*SM_CHANNEL_{channel.upper()}"):
        read(folder, **{channel: None})


@pytest.mark.parametrize(
    "name",
    [
        "train/reviews-00000.npz",
        "validation/reviews-00000.npz",
        "unlabelled/reviews-00000.npz",
        "vocabulary/vocabulary.txt",
        "vocabulary/text.json",
    ],
)
@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe damaged", b"PK\x03\x04 cut off", b"\x93NUMPY\x01\x00"])
def test_a_missing_or_damaged_file_is_named(folder: Path, name: str, content: bytes | None) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises((InputError, DatasetError, VocabularyError), match=re.escape(name)):
        read(folder)


@pytest.mark.parametrize(
    "groups",
    [
        np.array([0, 1, 2], dtype=np.int32),
        np.array([0, 1, 2, 3], dtype=np.int64),
        np.array([[0, 1, 2, 3]], dtype=np.int32),
        np.array(["a", "b", "c", "d"]),
    ],
)
def test_groups_of_other_reviews_are_refused(folder: Path, groups: Any) -> None:
    path = folder / "train" / "reviews-00000.npz"
    with np.load(path) as file:
        np.savez(path, **{**file, "groups": groups})
    with pytest.raises(DatasetError, match=r"reviews-00000\.npz: .*groups must be one row of int32"):
        read(folder)


@pytest.mark.parametrize("channel", ["train", "validation", "unlabelled"])
def test_reviews_of_another_vocabulary_are_refused(folder: Path, channel: str) -> None:
    path = folder / channel / "reviews-00000.npz"
    GroupedSplit.from_reviews([[5], [2], [3], [4]], [0, 1, 0, 1]).save(path)
    with pytest.raises(InputError, match=rf"{channel}.*another vocabulary"):
        read(folder)


@pytest.mark.parametrize("channel", ["train", "validation"])
@pytest.mark.parametrize("label", [0, 1])
def test_reviews_of_one_label_are_refused(folder: Path, channel: str, label: int) -> None:
    GroupedSplit.from_reviews([[2]] * 4, [label] * 4).save(folder / channel / "reviews-00000.npz")
    with pytest.raises(InputError, match=rf"{channel}.*both labels"):
        read(folder)


def test_a_vocabulary_of_more_ids_than_fit_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_inputs, "MOST_IDS", 5)
    read(folder)
    monkeypatch.setattr(training_inputs, "MOST_IDS", 4)
    with pytest.raises(InputError, match="has 5 ids, and at most 4 are possible"):
        read(folder)


def test_the_defaults_can_be_trained_with() -> None:
    Hyperparameters().check()


@pytest.mark.parametrize(
    "values", [{"seed": 0}, {"dropout": 0.0}, {"lstm_vocabulary_size": 2}, {"epochs": 1}, {"mixed_precision": False}]
)
def test_the_least_values_can_be_trained_with(values: dict[str, Any]) -> None:
    replace(Hyperparameters(), **values).check()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, 0) for name in ("epochs", "patience", "batch_size", "accumulation", "ngrams")],
        *[(name, -1) for name in ("learning_rate", "embedding_dim", "hidden_dim", "max_tokens", "seed", "dropout")],
        ("dropout", 1.0),
        ("input_dropout", 1.5),
        ("learning_rate", float("nan")),
        ("lstm_vocabulary_size", 1),
    ],
)
def test_an_impossible_value_is_named(name: str, value: float) -> None:
    changes: dict[str, Any] = {name: value}
    with pytest.raises(InputError, match=f"hyperparameter {name} must .*{value}"):
        replace(Hyperparameters(), **changes).check()


def test_the_recipe_is_a_part_of_them() -> None:
    hyperparameters = Hyperparameters(epochs=7, batch_size=3, seed=9)
    for field in fields(Recipe):
        assert getattr(hyperparameters.recipe, field.name) == getattr(hyperparameters, field.name)
