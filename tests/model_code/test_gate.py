"""The gate: two models on the same reviews, whose vocabularies differ."""

import tarfile
from pathlib import Path

import numpy as np
import pytest
from sentimodel import gate
from sentimodel.dataset import Reviews, Split
from sentimodel.gate import Verdict, translate
from sentimodel.predictor import Predictor
from sentimodel.training_inputs import InputError
from sentimodel.vocabulary import PAD, UNK, Vocabulary

GOOD, BAD = "a wonderful film", "a dreadful film"


def packed(artifact: Path, folder: Path) -> Path:
    """A channel that holds an artifact's archive."""
    folder.mkdir()
    with tarfile.open(folder / gate.ARCHIVE, mode="w:gz") as archive:
        archive.add(artifact, arcname=".")
    return folder


def reviews(artifact: Path) -> Split:
    """Reviews, in the ids of an artifact's vocabulary: the model gets all right but the last one."""
    predictor = Predictor.load(artifact, "torch")
    encoded = predictor.encode([GOOD, BAD, GOOD, BAD])
    told = [int(probability >= 0.5) for probability in predictor.probabilities(encoded)]
    return Split(encoded.ids, encoded.offsets, np.array([*told[:3], 1 - told[3]], dtype=np.uint8))


def test_a_model_is_not_worse_than_itself(toy_artifact: Path, tmp_path: Path) -> None:
    verdict = gate.compare(toy_artifact, packed(toy_artifact, tmp_path / "served"), reviews(toy_artifact), 0.0)
    assert verdict == Verdict(reviews=4, right=3, served_right=3, only_right=0, tolerance=0.0)
    assert verdict.not_worse


def test_a_tolerance_is_the_number_that_was_written() -> None:
    """As floats 0.57 times 10,000 is less than 5,700."""
    verdict = Verdict(reviews=10_000, right=8_943, served_right=9_000, only_right=0, tolerance=0.57)
    assert verdict.not_worse


@pytest.mark.parametrize(
    ("right", "tolerance", "not_worse"),
    [(900, 0.0, 1), (899, 0.0, 0), (895, 0.5, 1), (894, 0.5, 0), (999, 0.0, 1)],
)
def test_as_many_points_may_be_lacking_as_are_tolerated(right: int, tolerance: float, not_worse: int) -> None:
    verdict = Verdict(reviews=1000, right=right, served_right=900, only_right=right - 890, tolerance=tolerance)
    assert str(verdict) == (
        f"gate reviews=1000 new_accuracy={right / 1000:.4f} served_accuracy=0.9000 only_new_right={right - 890} "
        f"only_served_right=10 tolerance={tolerance} not_worse={not_worse}"
    )


def test_reviews_are_translated_by_their_words() -> None:
    new = Vocabulary(["film", "dull", "superb"])
    served = Vocabulary(["superb", "film"])
    told = translate(Reviews.from_reviews([new.encode(["superb", "film", "dull", "odd"]), []]), new, served)
    assert told.review(0).tolist() == [*served.encode(["superb", "film"]), UNK, UNK]
    assert len(told.review(1)) == PAD


def test_what_is_no_archive_of_a_model_cannot_be_compared_with(toy_artifact: Path, tmp_path: Path) -> None:
    (tmp_path / gate.ARCHIVE).write_bytes(b"no archive")
    with pytest.raises(InputError, match="the served model cannot be compared with"):
        gate.compare(toy_artifact, tmp_path, reviews(toy_artifact), 0.0)


def test_a_model_that_makes_other_tokens_is_not_compared(toy_artifact: Path, tmp_path: Path) -> None:
    served = tmp_path / "other"
    served.mkdir()
    for path in toy_artifact.iterdir():
        if path.is_file():
            (served / path.name).write_bytes(path.read_bytes())
    metadata = (served / "metadata.json").read_text()
    lowercase = '"lowercase": true'
    assert lowercase in metadata
    (served / "metadata.json").write_text(metadata.replace(lowercase, '"lowercase": false'))
    with pytest.raises(InputError, match="makes other tokens"):
        gate.compare(toy_artifact, packed(served, tmp_path / "served"), reviews(toy_artifact), 0.0)
