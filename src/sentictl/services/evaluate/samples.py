"""Labelled reviews to measure models on: a split of a dataset, or reviews that a person names."""

import shlex
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sentimodel.dataset import DatasetError, Reviews, Split
from sentimodel.files import VOCABULARY, shards
from sentimodel.predictor import Predictor
from sentimodel.vocabulary import Vocabulary, VocabularyError

from sentictl.config.config import Config
from sentictl.errors import DataError, ModelError
from sentictl.lifecycle.resource import Context
from sentictl.reviews.prepare.manifest import read_manifest
from sentictl.reviews.read.command import evaluate_command
from sentictl.reviews.read.resolve import open_source, user_cache
from sentictl.reviews.read.source import Source
from sentictl.services.evaluate.trained_on import same_as
from sentictl.services.resources.storage import download_folder

TEST, VALIDATION = "test", "validation"
NAME_REVIEWS = "Name labelled reviews to measure on: sentictl evaluate --data PATH"


class Sample(ABC):
    """Labelled reviews.

    Attributes:
        description: what a person calls them.
        labels: 1 for positive, 0 for negative, `[reviews]`.
        counted: what their source holds that is not used as it stands, as `Warnings.listed`.
    """

    def __init__(self, description: str, labels: NDArray[np.uint8]) -> None:
        self.description = description
        self.labels = labels
        self.counted: list[dict[str, Any]] = []

    @abstractmethod
    def encoded(self, predictor: Predictor) -> Reviews:
        """The reviews in the ids of a model's vocabulary."""

    def trained_on(self, predictor: Predictor) -> NDArray[np.bool_] | None:  # noqa: ARG002  (see below)
        """Whether a model was trained on each review, `[reviews]`; None where its training reviews are not here."""
        return None

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
            self._split = Split.load(folder / split)
            self._vocabulary = Vocabulary.load(folder / "vocabulary" / VOCABULARY)
        except (DatasetError, VocabularyError, OSError) as problem:
            again = f"It is prepared or fetched again after: rm -r {shlex.quote(str(folder))}"
            raise DataError(str(problem), again) from None
        self._is_test = split == TEST
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

    def trained_on(self, predictor: Predictor) -> NDArray[np.bool_] | None:  # noqa: ARG002  (it is of this dataset)
        """Those with the text of a training review, and those of the test split about a film of one."""
        trained = _same_as_training(self._folder, self._split)
        manifest = read_manifest(self._folder)
        if trained is not None and manifest is not None and self._is_test:
            trained[manifest.shared_films] = True
        return trained

    def text(self, row: int) -> str:
        return " ".join(self._vocabulary.words(self._split.review(row).tolist()))


class TextSample(Sample):
    """The labelled reviews of a source: its test split where it has one, else all.

    Args:
        source: the reviews.
        datasets: the folder of the datasets on this machine.

    Raises:
        DataError: the source holds no labelled reviews or cannot be read.
    """

    def __init__(self, source: Source, datasets: Path) -> None:
        self._datasets = datasets
        reviews = list(source.reviews())
        tested = [review for review in reviews if review.split == "test"] or reviews
        self._texts = [review.text for review in tested]
        super().__init__(source.description, np.array([review.label for review in tested], dtype=np.uint8))
        self.counted = source.warnings.listed

    def encoded(self, predictor: Predictor) -> Reviews:
        return predictor.encode(self._texts)

    def trained_on(self, predictor: Predictor) -> NDArray[np.bool_] | None:
        digest = predictor.metadata.dataset
        return _same_as_training(self._datasets / digest, self.encoded(predictor)) if digest else None

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


def open_labelled(
    config: Config, data: Path | str, connect: Callable[[], Context], reading: Mapping[str, str] | None = None
) -> Sample:
    """Reviews that a person names, in any form that `data.source` takes.

    Args:
        config: the project's, whose settings say what the columns and the labels are called.
        data: where the reviews are.
        connect: called only if they are on S3.
        reading: settings of `data` that hold for these reviews alone.

    Raises:
        DataError: they cannot be used.
    """
    # How the file for training is written says nothing of this one.
    given = {"columns": "", "delimiter": "", "encoding": "", **(reading or {}), "source": str(data)}
    config.change({f"data.{name}": value for name, value in given.items()})
    source = open_source(
        config.settings.data,
        Path.cwd(),
        user_cache(),
        lambda *_: None,
        s3=lambda: connect().environment.client("s3"),
        command=evaluate_command(str(data)),
    )
    return TextSample(source, config.folder.datasets)


def _same_as_training(folder: Path, reviews: Reviews) -> NDArray[np.bool_] | None:
    try:
        return same_as(Split.load(folder / "train"), reviews)
    except (DatasetError, OSError):
        return None


def _folder(config: Config, digest: str, connect: Callable[[], Context]) -> Path:
    if not digest:
        raise ModelError("The model does not say which dataset it was trained on.", NAME_REVIEWS)
    folder = config.folder.datasets / digest
    if not shards(folder / TEST):
        _fetch(connect(), digest, folder)
    return folder


def _fetch(context: Context, digest: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as scratch:
        fetched = Path(scratch) / digest
        download_folder(context, context.naming.bucket, f"datasets/{digest}/", fetched)
        if not shards(fetched / TEST):
            raise ModelError(
                f"The dataset {digest} that the model was trained on is neither here nor on S3, "
                "or an older sentictl prepared it.",
                NAME_REVIEWS,
            )
        fetched.rename(folder)
