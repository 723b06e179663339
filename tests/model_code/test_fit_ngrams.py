"""The training of the linear part."""

import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sentimodel.checkpoint import CheckpointFolder
from sentimodel.examples import NgramExamples
from sentimodel.fit import FIRST_WEIGHT, PRECISION, fit_ngrams, log_count_ratios, ngram_logits
from sentimodel.network import NetworkConfig, NgramScores
from sentimodel.process_group import ALONE

from tests.model_code.stored import stored

SIZE = 21  # n-grams, and none
CONFIG = NetworkConfig("ngram", SIZE - 1, 5, 2, 2, 0.0, 0.0)


def examples(held: list[list[int]], targets: list[float], weights: list[float] | None = None) -> NgramExamples:
    """Reviews that hold these n-grams."""
    weighed = None if weights is None else np.array(weights, dtype=np.float32)
    return NgramExamples(stored(held), np.array(targets, dtype=np.float32), weighed)


def held_by(some: NgramExamples) -> list[list[int]]:
    """The n-grams of each review."""
    return [each.tolist() for _, rows in some.rows.chunks() for each in np.split(rows.rows, rows.offsets[1:-1])]


def telling(count: int, seed: int) -> NgramExamples:
    """Reviews whose n-grams up to 10 are more often in positive ones, and the others in negative ones."""
    rng = np.random.default_rng(seed)
    targets = [float(number % 2) for number in range(count)]
    chances = [[0.5 if (row <= 10) == (target == 1) else 0.2 for row in range(1, SIZE)] for target in targets]
    return examples([(np.flatnonzero(rng.random(SIZE - 1) < each) + 1).tolist() for each in chances], targets)


def fitted(train: NgramExamples, checkpoints: CheckpointFolder | None = None) -> tuple[NgramScores, list[str]]:
    """The linear part after its training, and what was said."""
    scores, lines = NgramScores(CONFIG), list[str]()
    metrics = fit_ngrams(scores, train, telling(60, seed=2), ALONE, lines.append, "ngram", checkpoints)
    assert (metrics["best_epoch"], len(metrics["epochs"])) == (1, 1)
    return scores, lines


@given(
    st.lists(
        st.tuples(
            st.sets(st.integers(1, SIZE - 1), max_size=6),
            st.floats(0, 1, width=32),
            st.floats(0, 2, width=32),
        ),
        max_size=12,
    )
)
def test_ratios_are_those_of_a_slow_count(reviews: list[tuple[set[int], float, float]]) -> None:
    praise, blame = np.ones(SIZE), np.ones(SIZE)
    for held, target, weight in reviews:
        for row in held:
            praise[row] += target * weight
            blame[row] += (1 - target) * weight
    expected = np.log(praise / praise.sum()) - np.log(blame / blame.sum())
    expected[0] = 0
    held_rows = [sorted(held) for held, _, _ in reviews]
    given_examples = examples(held_rows, [each[1] for each in reviews], [each[2] for each in reviews])
    np.testing.assert_allclose(log_count_ratios(given_examples, SIZE).numpy(), expected, atol=1e-5)


def test_it_says_how_many_seconds_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(5.0, 0.125)  # each look at it takes so long
    monkeypatch.setattr("sentimodel.fit.time", SimpleNamespace(monotonic=lambda: next(clock)))
    _, lines = fitted(telling(200, seed=1))
    looks = (next(clock) - 5.0) / 0.125
    assert f" seconds={round((looks - 1) * 0.125, 1)} " in f"{lines[-1]} "


def test_it_learns_what_each_ngram_says() -> None:
    scores, lines = fitted(telling(200, seed=1))
    table = scores.table()
    assert table[0] == 0
    assert (table[1:11] > 0).all()
    assert (table[11:] < 0).all()
    validation = telling(60, seed=2)
    right = (ngram_logits(scores, validation) >= 0).numpy() == (validation.targets == 1)
    assert right.mean() > 0.8
    (line,) = lines
    assert line.startswith("epoch=1 epochs=1 train_loss=")
    assert f" validation_accuracy={right.mean():.4f} " in line
    assert line.endswith(" stage=ngram")


def test_logits_are_what_the_network_says() -> None:
    scores, some = NgramScores(CONFIG), examples([[3, 7, 9], [], [4]], [1, 0, 1])
    torch.nn.init.normal_(scores.scores.weight)
    scores.scores.weight.data[0] = 0
    said = scores(torch.tensor([[3, 7, 9], [0, 0, 0], [4, 0, 0]]))
    torch.testing.assert_close(ngram_logits(scores, some), said.detach())
    assert ngram_logits(scores, examples([], [])).shape == (0,)


def test_no_weights_near_by_have_a_smaller_loss() -> None:
    train = telling(200, seed=1)
    train.weights[:] = np.linspace(0, 2, 200)
    scores, _ = fitted(train)
    ratios = log_count_ratios(train, SIZE).double()
    held = torch.zeros(200, SIZE, dtype=torch.float64)
    for review, rows in enumerate(held_by(train)):
        held[review, rows] = 1

    def objective(weights: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        logits = held @ (weights * ratios) + bias
        losses = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, torch.from_numpy(train.targets).double(), torch.from_numpy(train.weights).double(), reduction="sum"
        )
        return losses + PRECISION / 2 * (weights - FIRST_WEIGHT).square().sum()

    table, bias = torch.from_numpy(scores.table()).double(), scores.bias.detach().double()
    weights = torch.where(ratios == 0, FIRST_WEIGHT, table / ratios)
    least = objective(weights, bias).item()
    for seed in range(20):
        step = 0.05 * torch.randn(SIZE + 1, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        assert objective(weights + step[:-1], bias + step[-1]).item() > least


def test_an_ngram_that_was_never_seen_says_next_to_nothing() -> None:
    train = telling(200, seed=1)
    unseen = examples([[row for row in held if row != 7] for held in held_by(train)], train.targets.tolist())
    table = fitted(unseen)[0].table()
    assert abs(table[7]) < 0.1 * np.median(np.abs(table[1:]))


def test_examples_without_weight_are_as_if_they_were_not_there() -> None:
    train = telling(40, seed=1)
    held = held_by(train)
    few = examples(held[:20], train.targets.tolist()[:20])
    wrong = examples(held, [*train.targets.tolist()[:20], *(1 - train.targets[20:]).tolist()], [1.0] * 20 + [0.0] * 20)
    np.testing.assert_allclose(fitted(wrong)[0].table(), fitted(few)[0].table(), atol=1e-4)


def test_reviews_without_any_weight_do_no_harm() -> None:
    train = telling(20, seed=1)
    train.weights[:] = 0
    assert np.isfinite(fitted(train)[0].table()).all()


def test_from_a_checkpoint_it_has_the_same_scores(tmp_path: Path) -> None:
    kept = CheckpointFolder(tmp_path, {}, lambda line: None)
    whole, _ = fitted(telling(200, seed=1), kept)
    resumed, lines = fitted(telling(200, seed=1), kept)
    assert lines == ["checkpoint=found, going on after epoch 1 of 1"]
    np.testing.assert_array_equal(resumed.table(), whole.table())
    assert resumed.bias.item() == whole.bias.item()
