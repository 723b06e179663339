"""What a dataset is made from: tokenized reviews, wherever they are."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from sentimodel.files import shard_name
from sentimodel.vocabulary import Vocabulary

from sentictl.reviews.prepare.manifest import FileFacts
from sentictl.reviews.prepare.split_assignment import Members, Part


class Shard(NamedTuple):
    """A file of a dataset.

    Attributes:
        part: whose reviews it holds.
        number: its place among the part's files.
        rows: its reviews, as rows of `TokenizedReviews.members`, in their order.
        groups: the number of each one's group, int32; None but for training reviews.
    """

    part: Part
    number: int
    rows: NDArray[np.int64]
    groups: NDArray[np.int32] | None

    @property
    def path(self) -> str:
        """Where it is in the dataset's folder."""
        return f"{self.part}/{shard_name(self.number)}"


class SavedShard(NamedTuple):
    """What is known of a file once it is written: how many of its tokens are unknown, and its size and checksum."""

    unknown: int
    facts: FileFacts


class TokenizedReviews(Protocol):
    """The tokenized reviews of a source.

    Attributes:
        warnings: the faults that were counted.
        examples: one of each kind, where there is one.
    """

    warnings: Counter[str]
    examples: dict[str, str]

    @property
    def members(self) -> Members:
        """What is known of each review that has tokens."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many tokens each of them has."""

    def excerpt(self, row: int) -> str:
        """The first words of a review."""

    def counts(self, rows: NDArray[np.int64], most: int | None) -> dict[str, int]:
        """How often each surface word is a token of some reviews.

        Args:
            rows: the reviews.
            most: words that are rarer than this many others may be left out; None for all words.
        """

    def save(self, folder: Path, shards: Sequence[Shard], vocabulary: Vocabulary) -> list[SavedShard]:
        """Write some of the reviews in the ids of a vocabulary.

        Args:
            folder: of the dataset.
            shards: the files to write.
            vocabulary: what gives the ids.

        Returns:
            What is known of each file, in the order of `shards`.
        """
