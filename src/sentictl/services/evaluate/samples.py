"""Labelled reviews to measure models on: a split of a dataset, or reviews that a person names."""

import shlex
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sentimodel.dataset import DatasetError, Reviews, Split
from sentimodel.files import REVIEWS, VOCABULARY
from sentimodel.predictor import Predictor
from sentimodel.vocabulary import Vocabulary, VocabularyError

from sentictl.config.config import Config
from sentictl.config.paths import working_directory
from sentictl.errors import DataError, ModelError
from sentictl.lifecycle.resource import Context
from sentictl.reviews.read.resolve import open_source, user_cache
from sentictl.reviews.read.source import Source
from sentictl.services.resources.storage import download_folder

TEST, VALIDATION = "test", "validation"
NAME_REVIEWS = "Name labelled reviews to measure on: sentictl evaluate --data PATH"


class Sample(ABC):
    """Labelled reviews.

    Attributes:
        description: what a person calls them.
        labels: 1 for positive, 0 for negative, `[reviews]`.
    """

    def __init__(self, description: str, labels: NDArray[np.uint8]) -> None:
        self.description = description
        self.labels = labels

    @abstractmethod
    def encoded(self, predictor: Predictor) -> Reviews:
        """The reviews in the ids of a model's vocabulary."""

    @abstractmethod
    def text(self, row: int) -> str:
        """One review, to be read by a person."""


class SplitSample(Sample):
    """A split of a dataset, of which only ids are kept: its reviews are shown as their words in the vocabulary.

    Args:
        folder: the dataset's, called by its digest.
        split: which one.

    Raises:
        DataError: its files are missing or damaged.
    """

    def __init__(self, folder: Path, split: str = TEST) -> None:
        self._folder = folder
        try:
            self._split = Split.load(folder / split / REVIEWS)
            self._vocabulary = Vocabulary.load(folder / "vocabulary" / VOCABULARY)
        except (DatasetError, VocabularyError, OSError) as problem:
            again = f"It is prepared or fetched again after: rm -r {shlex.quote(str(folder))}"
            raise DataError(str(problem), again) from None
        super().__init__(f"{split} split of dataset {folder.name}", self._split.labels)

    def encoded(self, predictor: Predictor) -> Reviews:
        """The split. Raises ModelError for a model of another dataset, to which the ids mean other words."""
        metadata = predictor.metadata
        if metadata.dataset != self._folder.name:
            raise ModelError(
                f"{metadata.model} was trained on dataset {metadata.dataset or 'unknown'}, not {self._folder.name}, "
                "and of a split only the ids of one vocabulary are kept.",
                "Compare the two on reviews as text: sentictl evaluate --against MODEL --data PATH",
            )
        return self._split

    def text(self, row: int) -> str:
        return " ".join(self._vocabulary.words(self._split.review(row).tolist()))


class TextSample(Sample):
    """The labelled reviews of a source: its test split where it has one, else all.

    Raises:
        DataError: the source holds no labelled reviews or cannot be read.
    """

    def __init__(self, source: Source) -> None:
        reviews = list(source.reviews())
        tested = [review for review in reviews if review.split == "test"] or reviews
        self._texts = [review.text for review in tested]
        super().__init__(source.description, np.array([review.label for review in tested], dtype=np.uint8))

    def encoded(self, predictor: Predictor) -> Reviews:
        return predictor.encode(self._texts)

    def text(self, row: int) -> str:
        return self._texts[row]


def open_test_split(config: Config, digest: str, connect: Callable[[], Context]) -> Sample:
    """The test split of a dataset, fetched from S3 if it is not on this machine. It may choose nothing.

    Args:
        config: the project whose dataset it is.
        digest: the dataset's.
        connect: called only if the dataset has to be fetched.

    Raises:
        ModelError: the dataset is nowhere.
    """
    return SplitSample(_folder(config, digest, connect), TEST)


def open_validation_split(config: Config, digest: str, connect: Callable[[], Context]) -> Sample:
    """The same of the validation split, by which models may be chosen."""
    return SplitSample(_folder(config, digest, connect), VALIDATION)


def open_labelled(config: Config, data: Path | str) -> Sample:
    """Reviews that a person names, in any form that `data.source` takes.

    Raises:
        DataError: they cannot be used.
    """
    settings = config.settings.data.model_copy(update={"source": str(data)})
    return TextSample(open_source(settings, working_directory(), user_cache(), lambda *_: None))


def _folder(config: Config, digest: str, connect: Callable[[], Context]) -> Path:
    if not digest:
        raise ModelError("The model does not say which dataset it was trained on.", NAME_REVIEWS)
    folder = config.folder.datasets / digest
    if not (folder / TEST / REVIEWS).exists():
        _fetch(connect(), digest, folder)
    return folder


def _fetch(context: Context, digest: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as scratch:
        fetched = Path(scratch) / digest
        download_folder(context, context.naming.bucket, f"datasets/{digest}/", fetched)
        if not (fetched / TEST / REVIEWS).exists():
            raise ModelError(
                f"The dataset {digest} that the model was trained on is neither here nor on S3.",
                NAME_REVIEWS,
            )
        fetched.rename(folder)
