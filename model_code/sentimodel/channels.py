"""What a training is given: the folders of its channels, read and checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sentimodel.dataset import DatasetError, Reviews, Split, read_array
from sentimodel.dataset_files import GROUPS, REVIEWS, TEXT, VOCABULARY
from sentimodel.ngrams import MOST_IDS
from sentimodel.text import TextSettings
from sentimodel.training import TrainingError
from sentimodel.vocabulary import Vocabulary

CHANNELS = ("train", "validation", "vocabulary")
UNLABELLED = "unlabelled"  # the one that a training can do without

_PREPARE_AGAIN = "Prepare the data again."


@dataclass(frozen=True)
class Data:
    """What the channels hold.

    Attributes:
        train: the reviews to learn from.
        groups: which of them belong together, as those of one film do; a number for each, int32 `[reviews]`.
        validation: the reviews to choose by.
        unlabelled: more reviews to learn from, if there are.
        vocabulary: the vocabulary's file.
        vocabulary_size: how many ids it has.
        text: how a review becomes tokens.
    """

    train: Split
    groups: NDArray[np.int32]
    validation: Split
    unlabelled: Reviews | None
    vocabulary: bytes
    vocabulary_size: int
    text: TextSettings

    @property
    def texts(self) -> list[Reviews]:
        """All reviews to learn from, the labelled ones first."""
        return [self.train] if self.unlabelled is None else [self.train, self.unlabelled]


def load(folders: Mapping[str, str | None]) -> Data:
    """Read the channels, and check that they fit together.

    Args:
        folders: of each channel; None for one that there is not.

    Raises:
        TrainingError: a channel or a file is missing, or they do not fit together.
        DatasetError, VocabularyError: a file is damaged.
    """
    vocabulary_file = _file(folders, "vocabulary", VOCABULARY)
    size = len(Vocabulary.load(vocabulary_file))
    if size > MOST_IDS:
        raise TrainingError(f"{vocabulary_file} has {size:,} ids, and at most {MOST_IDS:,} are possible.")
    text_file = _file(folders, "vocabulary", TEXT)
    try:
        text = TextSettings.from_dict(json.loads(text_file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise TrainingError(f"{text_file} holds no text settings: {error}. {_PREPARE_AGAIN}") from error
    train, validation = (_split(_file(folders, name, REVIEWS), size) for name in ("train", "validation"))
    groups = _groups(_file(folders, "train", GROUPS), len(train))
    unlabelled = None
    if folders[UNLABELLED] is not None:
        path = _file(folders, UNLABELLED, REVIEWS)
        unlabelled = Reviews.load(path)
        _check_ids(path, unlabelled, size)
    return Data(train, groups, validation, unlabelled, vocabulary_file.read_bytes(), size, text)


def _split(path: Path, vocabulary_size: int) -> Split:
    split = Split.load(path)
    if not 0 < split.labels.sum() < len(split):
        raise TrainingError(f"{path} needs reviews of both labels. Prepare the data again, with more reviews.")
    _check_ids(path, split, vocabulary_size)
    return split


def _groups(path: Path, reviews: int) -> NDArray[np.int32]:
    try:
        groups: NDArray[np.int32] = read_array(path.read_bytes())
    except DatasetError as error:
        raise TrainingError(f"{path}: {error}. {_PREPARE_AGAIN}") from error
    if groups.shape != (reviews,) or groups.dtype != np.int32:
        raise TrainingError(f"{path} is not of these reviews: it must hold one int32 for each. {_PREPARE_AGAIN}")
    return groups


def _check_ids(path: Path, reviews: Reviews, vocabulary_size: int) -> None:
    if reviews.ids.size and reviews.ids.max() >= vocabulary_size:
        raise TrainingError(f"{path} was encoded with another vocabulary. {_PREPARE_AGAIN}")


def _file(folders: Mapping[str, str | None], channel: str, name: str) -> Path:
    """The path of a channel's file, which must exist."""
    folder = folders[channel]
    if folder is None:
        raise TrainingError(f"channel {channel} is missing: give --{channel} DIR, or set SM_CHANNEL_{channel.upper()}")
    path = Path(folder) / name
    if not path.is_file():
        raise TrainingError(f"channel {channel} lacks {name}: {path} does not exist. {_PREPARE_AGAIN}")
    return path
