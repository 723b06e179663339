"""The gate of a scheduled training: the new model beside the one that is served, on the same validation reviews.

The reviews are those of the new dataset, as ids of its vocabulary. The served model has a vocabulary of its own, so
each id becomes its word there. A word that the new vocabulary lacks is unknown to both.
"""

import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from sentimodel.artifact import ArtifactError, read_metadata
from sentimodel.dataset import Reviews, Split
from sentimodel.files import METADATA, NGRAMS, VOCABULARY, WEIGHTS
from sentimodel.predictor import Predictor
from sentimodel.training_inputs import InputError
from sentimodel.vocabulary import UNK, Vocabulary

ARCHIVE = "model.tar.gz"  # what the channel with the served model holds
NEEDED = (METADATA, NGRAMS, VOCABULARY, WEIGHTS)
LARGEST = 4 << 30  # bytes of all that is unpacked


@dataclass(frozen=True)
class Verdict:
    """Two models on the same reviews.

    Attributes:
        reviews: how many.
        right: how many of them the new model gets right.
        served_right: how many the served one does.
        only_right: how many the new one alone does.
        tolerance: by how many percentage points the new one's accuracy may be lower.
    """

    reviews: int
    right: int
    served_right: int
    only_right: int
    tolerance: float

    @property
    def not_worse(self) -> bool:
        """Whether the new model may take the served one's place."""
        # As a float, 0.57 percentage points of 10,000 reviews are a little less than 57 reviews.
        return 100 * (self.served_right - self.right) <= Decimal(str(self.tolerance)) * self.reviews

    def __str__(self) -> str:
        only_served = self.served_right - (self.right - self.only_right)
        return (
            f"gate reviews={self.reviews} new_accuracy={self.right / self.reviews:.4f} "
            f"served_accuracy={self.served_right / self.reviews:.4f} only_new_right={self.only_right} "
            f"only_served_right={only_served} tolerance={self.tolerance} not_worse={int(self.not_worse)}"
        )


def compare(artifact: Path, served: Path, reviews: Split, tolerance: float) -> Verdict:
    """Ask a new model and the one that is served about the same reviews.

    Args:
        artifact: the new model's folder.
        served: the folder of the channel in which the served model's archive is.
        reviews: in the ids of the new model's vocabulary.
        tolerance: in percentage points of accuracy.

    Raises:
        InputError: the served model cannot be read, or reads a text in another way.
    """
    vocabulary, new = Vocabulary.load(artifact / VOCABULARY), Predictor.load(artifact, "torch")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            _unpack(served / ARCHIVE, folder)
            old = Predictor.load(folder, "torch")
            if read_metadata(folder).text != read_metadata(artifact).text:
                raise InputError("the served model makes other tokens of a review, so the two cannot be compared")
            translated = translate(reviews, vocabulary, Vocabulary.load(folder / VOCABULARY))
        except (ArtifactError, OSError, tarfile.TarError, ValueError) as error:
            raise InputError(f"the served model cannot be compared with: {error}") from error
        right = _right(new, reviews, reviews.labels)
        served_right = _right(old, translated, reviews.labels)
    return Verdict(
        len(reviews), int(right.sum()), int(served_right.sum()), int((right & ~served_right).sum()), tolerance
    )


def translate(reviews: Reviews, vocabulary: Vocabulary, other: Vocabulary) -> Reviews:
    """Return reviews in the ids of another vocabulary: of each id, its most frequent word's there.

    Args:
        reviews: encoded in `vocabulary`.
        vocabulary: it.
        other: the vocabulary that they are to be encoded in.
    """
    table = np.asarray(other.encode(vocabulary.words(range(len(vocabulary)))), dtype=np.int32)
    table[: UNK + 1] = np.arange(UNK + 1)
    return Reviews(table[reviews.ids], reviews.offsets)


def _right(model: Predictor, reviews: Reviews, labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = (model.probabilities(reviews) >= 0.5) == (labels == 1)
    return right


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack what a prediction needs of an artifact, and nothing else."""
    with tarfile.open(archive, mode="r:gz") as packed:
        members = [member for member in packed if member.isfile() and member.name.removeprefix("./") in NEEDED]
        if sum(member.size for member in members) > LARGEST:
            raise ArtifactError(f"{archive} is too large: its files take more than {LARGEST >> 30} GiB")
        for member in members:
            name = member.name.removeprefix("./")  # one of NEEDED, so that nothing leads out of the folder
            with (folder / name).open("wb") as file:
                shutil.copyfileobj(cast(IO[bytes], packed.extractfile(member)), file)
