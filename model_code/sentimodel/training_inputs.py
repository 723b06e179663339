"""All that a training is given, checked: its hyperparameters, and the folders of its channels."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentimodel.dataset import GroupedSplit, Reviews, Split
from sentimodel.files import TEXT, VOCABULARY, shard_name
from sentimodel.ngrams import MOST_IDS
from sentimodel.process_group import ProcessGroup
from sentimodel.shares import Kind, Share, read_share
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
    batch_size: int = 64  # reviews that go through the network at once, in all processes together
    accumulation: int = 1  # batches that are added up for one step
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
        groups: how many groups all training reviews belong to.
        validation: the reviews to choose by, all of them.
        unlabelled: more reviews to learn from, if there are.
        vocabulary: the vocabulary's file.
        vocabulary_size: how many ids it has.
        text: how a review becomes tokens.
    """

    train: Share[GroupedSplit]
    groups: int
    validation: Split
    unlabelled: Share[Reviews] | None
    vocabulary: bytes
    vocabulary_size: int
    text: TextSettings

    @property
    def texts(self) -> list[Reviews]:
        """All reviews that this process learns from, the labelled ones first."""
        return [share.reviews for share in self._shares]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Which these are of the reviews of all processes, the labelled ones first; int64 `[reviews here]`."""
        firsts = np.cumsum([0, *(len(share.lengths) for share in self._shares)])
        return np.concatenate([first + share.rows for first, share in zip(firsts, self._shares, strict=False)])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many tokens each of the reviews of all processes has, the labelled ones first; int64 `[reviews]`."""
        return np.concatenate([share.lengths for share in self._shares])

    @property
    def _shares(self) -> list[Share[Any]]:
        return [self.train] if self.unlabelled is None else [self.train, self.unlabelled]


def load(folders: Mapping[str, str | None], group: ProcessGroup) -> Data:
    """Read the channels, and check that they fit together. All processes must call it.

    Args:
        folders: of each channel; None for one that there is not.
        group: the processes that train together, each of which reads its share.

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
    validation = Split.load(_file(folders, "validation", shard_name(0)).parent)
    train = _share(GroupedSplit, folders, "train", group)
    unlabelled = None if folders[UNLABELLED] is None else _share(Reviews, folders, UNLABELLED, group)
    for channel, reviews in {"train": train.reviews, "validation": validation}.items():
        _check_ids(folders, channel, reviews, size)
    if unlabelled is not None:
        _check_ids(folders, UNLABELLED, unlabelled.reviews, size)
    positive, groups = _counted(train.reviews, group)
    _check_labels(folders, "train", positive, len(train.lengths))
    _check_labels(folders, "validation", int(validation.labels.sum()), len(validation))
    return Data(train, groups, validation, unlabelled, vocabulary_file.read_bytes(), size, text)


def _share(kind: type[Kind], folders: Mapping[str, str | None], channel: str, group: ProcessGroup) -> Share[Kind]:
    """This process's reviews of a channel."""
    try:
        return read_share(kind, _folder(folders, channel), group)
    except FileNotFoundError as error:
        raise InputError(f"channel {channel} lacks reviews: {error}. {_PREPARE_AGAIN}") from error


def _check_ids(folders: Mapping[str, str | None], channel: str, reviews: Reviews, vocabulary_size: int) -> None:
    if reviews.ids.size and reviews.ids.max() >= vocabulary_size:
        raise InputError(f"{folders[channel]} was encoded with another vocabulary. {_PREPARE_AGAIN}")


def _counted(split: GroupedSplit, group: ProcessGroup) -> tuple[int, int]:
    """How many training reviews are positive and how many groups there are, in all processes together."""
    own = [int(split.labels.sum()), int(split.groups.max(initial=0))]
    positive, last = zip(*(json.loads(told) for told in group.gather(json.dumps(own).encode())), strict=True)
    return sum(positive), max(last) + 1


def _check_labels(folders: Mapping[str, str | None], channel: str, positive: int, reviews: int) -> None:
    if not 0 < positive < reviews:
        raise InputError(f"{folders[channel]} needs reviews of both labels. Prepare the data again, with more reviews.")


def _file(folders: Mapping[str, str | None], channel: str, name: str) -> Path:
    """The path of a channel's file, which must exist."""
    path = _folder(folders, channel) / name
    if not path.is_file():
        raise InputError(f"channel {channel} lacks {name}: {path} does not exist. {_PREPARE_AGAIN}")
    return path


def _folder(folders: Mapping[str, str | None], channel: str) -> Path:
    folder = folders[channel]
    if folder is None:
        raise InputError(f"channel {channel} is missing: give --{channel} DIR, or set SM_CHANNEL_{channel.upper()}")
    return Path(folder)
