"""Reviews to measure on: from a dataset's test split, and as text."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sentimodel.dataset import Split
from sentimodel.predictor import Predictor

from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.settings import DataSettings
from sentictl.errors import DataError, ModelError
from sentictl.lifecycle.resource import Context
from sentictl.reviews.prepare.preparation import prepare
from sentictl.reviews.read.source import Review
from sentictl.reviews.read.tables.table import TableSource
from sentictl.services.evaluate.evaluation import ask
from sentictl.services.evaluate.samples import SplitSample, TextSample, open_test_split
from sentictl.services.evaluate.trained_on import without
from tests.conftest import TOY_OPTIONS, toy_reviews
from tests.reviews.prepare.test_counted import Given

DIGEST = str(TOY_OPTIONS["dataset"])


@pytest.fixture
def dataset(tmp_path: Path, toy_dataset: Path) -> Path:
    """A copy of the toy dataset under the digest that the toy model names."""
    return Path(shutil.copytree(toy_dataset, tmp_path / ".sentictl" / "datasets" / DIGEST))


@pytest.fixture
def predictor(toy_artifact: Path) -> Predictor:
    return Predictor.load(toy_artifact)


def nobody() -> Context:
    raise AssertionError("S3 was asked")


def test_the_test_split_on_this_machine_is_read_without_aws(
    tmp_path: Path, dataset: Path, predictor: Predictor
) -> None:
    (tmp_path / "sentictl.toml").write_text("")
    sample = open_test_split(Config.load(ProjectFolder(tmp_path)), DIGEST, nobody)
    answers = ask(predictor, sample)
    assert sample.description == f"test split of dataset {DIGEST}"
    assert answers.model == "toy"
    assert answers.right(sample.labels).mean() > 0.9
    assert (answers.tokens > 0).all()


def test_a_review_of_the_split_is_shown_as_its_words(dataset: Path) -> None:
    sample = SplitSample(dataset)
    shown = " ".join(sample.text(row) for row in range(len(sample.labels)))
    assert {"plot", "acting", "wonderful", "dreadful"} <= set(shown.split())


def test_a_model_of_another_dataset_is_refused_with_the_way_out(dataset: Path, predictor: Predictor) -> None:
    predictor.metadata = replace(predictor.metadata, model="other", dataset="fedcba9876543210")
    with pytest.raises(
        ModelError, match="other was trained on dataset fedcba9876543210, not 0123456789abcdef"
    ) as error:
        ask(predictor, SplitSample(dataset))
    assert "--data PATH" in error.value.hint


def test_a_model_that_names_no_dataset_needs_reviews(tmp_path: Path) -> None:
    (tmp_path / "sentictl.toml").write_text("")
    with pytest.raises(ModelError, match="does not say") as error:
        open_test_split(Config.load(ProjectFolder(tmp_path)), "", nobody)
    assert "--data PATH" in error.value.hint


@pytest.mark.parametrize("name", ["test/reviews-00000.npz", "vocabulary/vocabulary.txt"])
def test_a_damaged_dataset_is_named(dataset: Path, name: str) -> None:
    (dataset / name).write_bytes(b"no")
    with pytest.raises(DataError, match=name.rpartition("/")[2]) as error:
        SplitSample(dataset)
    assert str(dataset) in error.value.hint


def test_reviews_as_text_stay_as_they_are(tmp_path: Path, predictor: Predictor) -> None:
    table = tmp_path / "reviews.csv"
    table.write_text('review,label\n"A superb<br />plot",1\n"Dreadful acting",0\n')
    sample = TextSample(TableSource(table, DataSettings()), tmp_path)
    answers = ask(predictor, sample)
    assert sample.text(0) == "A superb<br />plot"
    assert sample.labels.tolist() == [1, 0]
    assert answers.right(sample.labels).tolist() == [True, True]
    np.testing.assert_allclose(answers.probabilities[0], predictor.predict(["A superb<br />plot"])[0].probability)


def test_the_reviews_that_a_model_was_trained_on_are_known(tmp_path: Path, dataset: Path, predictor: Predictor) -> None:
    table = tmp_path / "reviews.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("review", "label"), *toy_reviews(400), ("Zzqx!", 1), ("A superb zzqx plot", 0)])
    source = TableSource(table, DataSettings())
    trained = TextSample(source, dataset.parent).trained_on(predictor)
    assert trained is not None
    training = len(Split.load(dataset / "train"))
    assert training <= trained.sum() < 400
    assert trained[-2:].tolist() == [False, False]
    assert TextSample(source, tmp_path / "elsewhere").trained_on(predictor) is None


def test_the_accuracy_without_the_reviews_trained_on() -> None:
    right = np.array([True, True, False, False])
    told = without(right, np.array([False, False, True, False]))
    assert (told.reviews, told.others) == (1, 3)
    assert told.accuracy == pytest.approx(2 / 3)
    assert without(right, np.ones(4, dtype=bool)).accuracy is None


def test_test_reviews_with_a_text_or_a_film_of_training_are_known(tmp_path: Path, predictor: Predictor) -> None:
    words = ("wonderful", "superb", "moving", "charming")
    reviews = [
        Review(
            f"A {words[n % 4]} film number {n}", n % 2, ("train", "train", "validation", "test")[n // 2 % 4], f"tt{n}"
        )
        for n in range(160)
    ]
    tested = [n for n, review in enumerate(reviews) if review.split == "test"]
    reviews[tested[0]] = reviews[tested[0]]._replace(film=reviews[0].film)
    reviews[tested[1]] = reviews[tested[1]]._replace(text=reviews[1].text)
    settings = DataSettings(vocabulary_size=200)
    folder = prepare(Given(reviews), settings, tmp_path, lambda *_: None, 1).folder
    trained = SplitSample(folder).trained_on(predictor)
    assert trained is not None
    assert trained.sum() == 2
