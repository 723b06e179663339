"""All that a training is given, checked: its hyperparameters, and the folders of its channels."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sentimodel.dataset import DatasetError, Reviews, Split, read_array
from sentimodel.files import GROUPS, REVIEWS, TEXT, VOCABULARY
from sentimodel.ngrams import MOST_IDS
from sentimodel.text import TextSettings
from sentimodel.training import Recipe
from sentimodel.vocabulary import UNK, Vocabulary

CHANNELS = ("train", "validation", "vocabulary")
UNLABELLED = "unlabelled"  # the one that a training can do without

_LEAST = {"seed": 0, "lstm_vocabulary_size": UNK + 1}
_PREPARE_AGAIN = "Prepare the data again."


class InputError(Exception):
    """Nothing can be trained with these inputs. The message says why and what to do."""


@dataclass(frozen=True)
class Hyperparameters:
    """The values that a model is trained with. Each is an option of the same name, underscores included."""

    architecture: str = "wide-lstm"
    epochs: int = 3  # of the LSTM, at most
    patience: int = 2  # epochs without a better validation accuracy before training stops
    batch_size: int = 64  # reviews that each process puts through the network at once
    accumulation: int = 1  # batches that each process adds up for one step
    learning_rate: float = 0.002  # at its highest
    ngrams: int = 500_000  # at most, the most frequent ones
    lstm_vocabulary_size: int = 20_000  # ids that the LSTM tells apart, the most frequent ones
    embedding_dim: int = 32
    hidden_dim: int = 32
    dropout: float = 0.5  # of the pooled features
    input_dropout: float = 0.3  # of the tokens, and of their embeddings' elements
    max_tokens: int = 256  # a longer review loses its beginning
    mixed_precision: bool = True  # on GPUs
    seed: int = 1

    @property
    def recipe(self) -> Recipe:
        """The hyperparameters of the training loop."""
        return Recipe(**{field.name: getattr(self, field.name) for field in fields(Recipe)})

    def check(self) -> None:
        """Raise InputError for values that no training can be done with."""
        for name, value in asdict(self).items():
            if name in ("dropout", "input_dropout"):
                if not 0 <= value < 1:
                    raise InputError(f"hyperparameter {name} must lie between 0 and 1 (1 excluded), not {value}")
            elif name in _LEAST:
                if value < _LEAST[name]:
                    raise InputError(f"hyperparameter {name} must be at least {_LEAST[name]}, not {value}")
            elif not isinstance(value, str | bool) and not value > 0:
                raise InputError(f"hyperparameter {name} must be above 0, not {value}")


@dataclass(frozen=True)
class Data:
    """The content of the channels.

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
        InputError: a channel or a file is missing, or they do not fit together.
        DatasetError, VocabularyError: a file is damaged.
    """
    vocabulary_file = _file(folders, "vocabulary", VOCABULARY)
    size = len(Vocabulary.load(vocabulary_file))
    if size > MOST_IDS:
        raise InputError(f"{vocabulary_file} has {size:,} ids, and at most {MOST_IDS:,} are possible.")
    text_file = _file(folders, "vocabulary", TEXT)
    try:
        text = TextSettings.from_dict(json.loads(text_file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(f"{text_file} holds no text settings: {error}. {_PREPARE_AGAIN}") from error
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
        raise InputError(f"{path} needs reviews of both labels. Prepare the data again, with more reviews.")
    _check_ids(path, split, vocabulary_size)
    return split


def _groups(path: Path, reviews: int) -> NDArray[np.int32]:
    try:
        groups: NDArray[np.int32] = read_array(path.read_bytes())
    except DatasetError as error:
        raise InputError(f"{path}: {error}. {_PREPARE_AGAIN}") from error
    if groups.shape != (reviews,) or groups.dtype != np.int32:
        raise InputError(f"{path} is not of these reviews: it must hold one int32 for each. {_PREPARE_AGAIN}")
    return groups


def _check_ids(path: Path, reviews: Reviews, vocabulary_size: int) -> None:
    if reviews.ids.size and reviews.ids.max() >= vocabulary_size:
        raise InputError(f"{path} was encoded with another vocabulary. {_PREPARE_AGAIN}")


def _file(folders: Mapping[str, str | None], channel: str, name: str) -> Path:
    """The path of a channel's file, which must exist."""
    folder = folders[channel]
    if folder is None:
        raise InputError(f"channel {channel} is missing: give --{channel} DIR, or set SM_CHANNEL_{channel.upper()}")
    path = Path(folder) / name
    if not path.is_file():
        raise InputError(f"channel {channel} lacks {name}: {path} does not exist. {_PREPARE_AGAIN}")
    return path
