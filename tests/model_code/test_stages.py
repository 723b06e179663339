"""The stages of a training, in order: what each learns from, and what comes of them all."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sentimodel import stages
from sentimodel.checkpoint import CheckpointFolder
from sentimodel.dataset import GroupedSplit, Reviews, Split
from sentimodel.examples import LstmExamples, NgramExamples
from sentimodel.fit import TEMPERATURES, fit_lstm, fit_ngrams
from sentimodel.network import NgramScores, SentimentNetwork
from sentimodel.process_group import ALONE
from sentimodel.shares import Share
from sentimodel.stages import EVIDENCE_SCALE, FOLDS, SHARPENING, UNLABELLED_WEIGHT, Trainer
from sentimodel.text import TextSettings
from sentimodel.training_inputs import Data, Hyperparameters

FOLD_STAGES = [f"fold-{number}" for number in range(1, FOLDS + 1)]
VOCABULARY_SIZE = 40
SMALL = Hyperparameters(
    epochs=2,
    batch_size=16,
    learning_rate=0.2,
    ngrams=300,
    lstm_vocabulary_size=30,
    embedding_dim=4,
    hidden_dim=4,
    max_tokens=16,
)


def encoded(count: int, seed: int) -> list[list[int]]:
    """Reviews that are positive and negative by turns, which some of their words tell."""
    rng = np.random.default_rng(seed)
    praise, blame, others = range(2, 10), range(10, 18), range(18, VOCABULARY_SIZE)
    return [
        rng.permutation(
            np.concatenate([rng.choice(blame if number % 2 else praise, 4), rng.choice(others, rng.integers(4, 14))])
        ).tolist()
        for number in range(count)
    ]


def made(unlabelled: int | None = None, groups: NDArray[np.int32] | None = None) -> Data:
    """Data of 90 training reviews, three of each film."""
    films = np.repeat(np.arange(30, dtype=np.int32), 3) if groups is None else groups
    return Data(
        train=Share.whole(GroupedSplit.from_reviews(encoded(90, 1), [1, 0] * 45, films)),
        groups=int(films.max()) + 1,
        validation=Split.from_reviews(encoded(40, 2), [1, 0] * 20),
        unlabelled=None if unlabelled is None else Share.whole(Reviews.from_reviews(encoded(unlabelled, 3))),
        vocabulary=b"",
        vocabulary_size=VOCABULARY_SIZE,
        text=TextSettings(),
    )


def trained(
    architecture: str, data: Data, checkpoints: CheckpointFolder | None = None, **changes: Any
) -> tuple[SentimentNetwork, dict[str, Any], list[str]]:
    """The network, the metrics, and what was said."""
    torch.manual_seed(1)
    lines: list[str] = []
    hyperparameters = replace(SMALL, architecture=architecture, **changes)
    trainer = Trainer(data, hyperparameters, ALONE, lines.append, checkpoints)
    return trainer.network, trainer.run(), lines


def stages_of(lines: list[str]) -> list[str]:
    """The stages whose epochs were told of, in order."""
    return list(dict.fromkeys(line.split("stage=")[1] for line in lines if line.startswith("epoch=")))


@dataclass
class Seen:
    """What the stages learned from, and what the linear models said after theirs.

    Attributes:
        linear: by the stage's name, its examples and its scores.
        lstm: the LSTM's examples for training and validation.
    """

    linear: dict[str, tuple[NgramExamples, NDArray[np.float32]]]
    lstm: list[LstmExamples]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Filled as stages are trained."""
    seen = Seen({}, [])

    def of_ngrams(scores: NgramScores, train: NgramExamples, *others: Any) -> dict[str, Any]:
        metrics = fit_ngrams(scores, train, *others)
        seen.linear[others[-2]] = (train, scores.table().copy())
        return metrics

    def of_lstm(lstm: Any, train: LstmExamples, validation: LstmExamples, *others: Any) -> dict[str, Any]:
        seen.lstm[:] = [train, validation]
        return fit_lstm(lstm, train, validation, *others)

    monkeypatch.setattr(stages, "fit_ngrams", of_ngrams)
    monkeypatch.setattr(stages, "fit_lstm", of_lstm)
    return seen


@pytest.mark.parametrize("unlabelled", [None, 30, 0])
@pytest.mark.parametrize("architecture", ["ngram", "lstm", "wide-lstm"])
def test_each_architecture_has_its_stages(architecture: str, unlabelled: int | None) -> None:
    network, metrics, lines = trained(architecture, made(unlabelled), epochs=8, batch_size=8)
    expected = ["ngram"] + ["self-training"] * (unlabelled is not None)
    expected += [] if architecture == "ngram" else [*FOLD_STAGES, "lstm"]
    assert stages_of(lines) == expected == list(metrics["stages"])
    last = metrics["stages"][expected[-1]]
    assert (metrics["best_epoch"], metrics["epochs"]) == (last["best_epoch"], last["epochs"])
    assert metrics["parts"].keys() == network.parts.keys()
    assert lines[-1] == (
        f"calibrated validation_loss={metrics['validation_loss']:.4f}"
        f" validation_accuracy={metrics['validation_accuracy']:.4f}"
    )
    assert metrics["validation_accuracy"] > 0.8
    assert metrics["validation_loss"] < np.log(2)


def test_scores_are_calibrated_by_the_factor_that_is_told(seen: Seen) -> None:
    network, metrics, _ = trained("ngram", made(30))
    assert network.ngram is not None
    said = metrics["parts"]["ngram"]
    np.testing.assert_allclose(network.ngram.table(), said["scale"] * seen.linear["self-training"][1], rtol=1e-5)
    assert said["validation_accuracy"] == metrics["validation_accuracy"]


def test_unlabelled_reviews_are_learned_as_the_first_model_sees_them(seen: Seen) -> None:
    trained("ngram", made(30))
    (first, table), (again, _) = seen.linear["ngram"], seen.linear["self-training"]
    assert first.targets.tolist() == [1, 0] * 45
    assert again.targets[:90].tolist() == first.targets.tolist()
    assert again.weights.tolist() == [1] * 90 + [UNLABELLED_WEIGHT] * 30
    sure = again.targets[90:].astype(np.float64)
    assert ((sure > 0.5) == ([True, False] * 15)).mean() > 0.8
    sums = np.array(
        [table[rows.rows].sum() for row in range(90, 120) for _, rows in again.rows.part(row, row + 1).chunks()]
    )
    below = sure < 0.5  # float32 tells these probabilities apart, but hardly those near 1
    logits = np.log(sure[below] / (1 - sure[below]))
    slope, bias = np.polyfit(sums[below], logits, 1)
    np.testing.assert_allclose(logits, slope * sums[below] + bias, atol=1e-3)  # the first model's, made surer
    assert slope > SHARPENING / TEMPERATURES.max().item()


def test_no_review_gets_evidence_from_a_model_that_its_film_has_shaped(seen: Seen) -> None:
    data = made(30)
    trained("wide-lstm", data)
    train, validation = seen.lstm
    left_out = np.array([seen.linear[stage][0].weights == 0 for stage in FOLD_STAGES])
    assert left_out.sum(axis=0).tolist() == [1] * 90
    for stage in FOLD_STAGES:
        assert set(seen.linear[stage][0].weights.tolist()) == {0, 1}
        assert seen.linear[stage][0].targets.tolist() == [1, 0] * 45
    for film in range(30):
        assert (left_out[:, data.train.reviews.groups == film].sum(axis=1) % 3 == 0).all()
    tables = [seen.linear[stage][1] for stage in FOLD_STAGES]
    whole = seen.linear["ngram"][1]
    for row in range(120):
        table = tables[int(left_out[:, row].argmax())] if row < 90 else whole
        said = train.batch(np.array([row])).inputs[1].numpy()
        assert np.isin(said, np.float32(EVIDENCE_SCALE) * table).all()
        assert np.abs(said).max() > 0
    assert np.isin(validation.batch(np.arange(40)).inputs[1].numpy(), np.float32(EVIDENCE_SCALE) * whole).all()


def test_the_lstm_learns_what_the_last_linear_model_says_of_unlabelled_reviews(seen: Seen) -> None:
    trained("lstm", made(30))
    batch = seen.lstm[0].batch(np.arange(120))
    assert batch.targets[:90].tolist() == [1, 0] * 45
    assert batch.weights.tolist() == [1] * 90 + [UNLABELLED_WEIGHT] * 30
    assert ((batch.targets[90:] > 0.5).numpy() == ([True, False] * 15)).mean() > 0.8
    assert (batch.targets[90:] > 0).all()
    assert (batch.targets[90:] < 1).all()


def test_without_unlabelled_reviews_the_lstm_learns_the_labels_alone(seen: Seen) -> None:
    trained("lstm", made())
    batch = seen.lstm[0].batch(np.arange(90))
    assert (batch.targets.tolist(), batch.weights.tolist()) == ([1, 0] * 45, [1] * 90)


@pytest.mark.parametrize("groups", [np.zeros(90, np.int32), np.repeat(np.arange(2, dtype=np.int32), 45)])
def test_few_films_are_dealt_as_well(groups: NDArray[np.int32], seen: Seen) -> None:
    _, metrics, _ = trained("lstm", made(groups=groups))
    assert all(np.isfinite(figures["train_loss"]) for fold in metrics["stages"].values() for figures in fold["epochs"])
    assert all(seen.linear[stage][0].weights.any() for stage in FOLD_STAGES)


def test_steps_of_a_single_review_do_no_harm() -> None:
    network, _, _ = trained("wide-lstm", made(), batch_size=1, epochs=1)
    assert all(weights.isfinite().all() for weights in network.parameters())


@pytest.mark.parametrize("architecture", ["lstm", "wide-lstm"])
def test_reviews_without_any_frequent_ngram_can_be_trained_on(architecture: str) -> None:
    few = GroupedSplit.from_reviews([[], [2], [3], []], [0, 1, 0, 1])
    data = replace(made(), train=Share.whole(few), groups=4)
    network, metrics, _ = trained(architecture, data)
    assert all(weights.isfinite().all() for weights in network.parameters())
    assert np.isfinite(metrics["validation_loss"])


@pytest.mark.parametrize("stop", ["ngram", "self-training", "fold-3", "lstm"])
def test_interrupted_in_any_stage_it_ends_with_the_same_weights(tmp_path: Path, stop: str) -> None:
    def interrupt(line: str) -> None:
        if line.startswith("epoch=1 ") and line.endswith(f" stage={stop}"):
            raise KeyboardInterrupt

    data, kept = made(30), CheckpointFolder(tmp_path, {}, lambda line: None)
    torch.manual_seed(1)
    with pytest.raises(KeyboardInterrupt):
        Trainer(data, SMALL, ALONE, interrupt, kept).run()
    resumed, metrics, lines = trained(SMALL.architecture, data, kept)
    every = ["ngram", "self-training", *FOLD_STAGES, "lstm"]
    assert stages_of(lines) == every[every.index(stop) + (stop != "lstm") :]  # a linear model is trained in one epoch
    assert f"epoch=2 epochs=2 train_loss={metrics['epochs'][1]['train_loss']:.4f}" in "\n".join(lines)
    whole, expected, _ = trained(SMALL.architecture, data)
    for name, values in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], values), name
    assert metrics["parts"] == expected["parts"]
