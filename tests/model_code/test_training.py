"""The training loop, on networks and examples made for the occasion."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sentimodel.checkpoint import CheckpointFolder
from sentimodel.examples import Batch
from sentimodel.process_group import ALONE
from sentimodel.training import DivergenceError, Recipe, epoch_line, fit, predict, rate
from torch import Tensor, nn

RECIPE = Recipe(epochs=3, patience=3, batch_size=4, seed=3)


class Points:
    """Points of a plane and a second input beside them; the first axis decides."""

    def __init__(self, count: int, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self.points = rng.normal(size=(count, 2)).astype(np.float32)
        self.targets = (self.points[:, 0] > 0).astype(np.float32)
        self.weights = np.ones(count, dtype=np.float32)
        self.batches_made = 0
        self.interrupt_at: int | None = None

    def __len__(self) -> int:
        return len(self.points)

    def groups(self, size: int, rng: np.random.Generator | None = None) -> Sequence[NDArray[np.int64]]:
        order = np.arange(len(self)) if rng is None else rng.permutation(len(self))
        return [order[start : start + size] for start in range(0, len(order), size)]

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        self.batches_made += 1
        if self.batches_made == self.interrupt_at:
            raise KeyboardInterrupt
        inputs = (torch.from_numpy(self.points[rows]), torch.ones(len(rows)))
        return Batch(inputs, torch.from_numpy(self.targets[rows]), torch.from_numpy(self.weights[rows]))


class Plane(nn.Module):
    """A linear network of two inputs, with dropout if wanted."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.line = nn.Linear(2, 1)
        self.shift = nn.Parameter(torch.zeros(1))
        self.dropout = nn.Dropout(dropout)

    def forward(self, points: Tensor, ones: Tensor) -> Tensor:
        logits: Tensor = self.line(self.dropout(points)).squeeze(1) + self.shift * ones
        return logits


def plane(dropout: float = 0.0) -> Plane:
    torch.manual_seed(1)
    return Plane(dropout)


def run(network: Plane, recipe: Recipe = RECIPE, train: Points | None = None, **options: Any) -> dict[str, Any]:
    """Fit the network to points; the lines it says are dropped unless `say` is given."""
    optimizer = torch.optim.Adam(network.parameters(), lr=0.3)
    options = {"say": lambda line: None, **options}
    return fit(network, optimizer, train or Points(22), Points(10, seed=2), recipe, ALONE, **options)


def weights(network: nn.Module) -> list[float]:
    return [value for tensor in network.state_dict().values() for value in tensor.flatten().tolist()]


def test_it_learns_and_the_weights_are_those_of_the_best_epoch() -> None:
    network = plane()
    metrics = run(network, replace(RECIPE, epochs=20, patience=20), Points(200))
    validation = Points(10, seed=2)
    logits = predict(network, validation, torch.device("cpu"))
    accuracy = ((logits >= 0).numpy() == (validation.targets == 1)).mean()
    assert accuracy == pytest.approx(metrics["validation_accuracy"])
    assert accuracy == max(figures["validation_accuracy"] for figures in metrics["epochs"]) >= 0.9


def test_accumulated_batches_make_the_step_of_one_large_batch() -> None:
    accumulated, large = plane(), plane()
    run(accumulated, replace(RECIPE, batch_size=4, accumulation=3))
    run(large, replace(RECIPE, batch_size=12))
    assert weights(accumulated) == pytest.approx(weights(large), abs=1e-6)
    smaller = plane()
    run(smaller, replace(RECIPE, batch_size=4))
    assert weights(smaller) != pytest.approx(weights(large), abs=1e-3)


def test_weights_of_examples_count_like_copies_of_them() -> None:
    once = Points(20)
    once.weights[:10] = 2
    twice = Points(20)
    rows = np.r_[np.arange(10), np.arange(20)]
    twice.points, twice.targets, twice.weights = twice.points[rows], twice.targets[rows], np.ones(30, np.float32)
    weighted, copied = plane(), plane()
    run(weighted, replace(RECIPE, batch_size=20), once)
    run(copied, replace(RECIPE, batch_size=30), twice)
    assert weights(weighted) == pytest.approx(weights(copied), abs=1e-5)


def test_a_step_on_examples_without_weight_changes_nothing() -> None:
    train, plain = Points(20), Plane()
    train.weights[:] = 0
    before = weights(plain)
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.5)
    fit(plain, optimizer, train, Points(10), replace(RECIPE, batch_size=4), ALONE, lambda line: None)
    assert weights(plain) == before


def test_a_soft_target_is_like_both_labels_with_its_probabilities_as_weights() -> None:
    soft = Points(20)
    soft.targets[:] = np.linspace(0.1, 0.9, 20, dtype=np.float32)
    hard = Points(20)
    hard.points = np.concatenate([hard.points, hard.points])
    hard.targets = np.repeat(np.array([1, 0], np.float32), 20)
    hard.weights = np.concatenate([soft.targets, 1 - soft.targets])
    distilled, counted = plane(), plane()
    run(distilled, replace(RECIPE, batch_size=20), soft)
    run(counted, replace(RECIPE, batch_size=40), hard)
    assert weights(distilled) == pytest.approx(weights(counted), abs=1e-5)


def test_only_groups_with_a_largest_norm_are_clipped() -> None:
    network, free = plane(), plane()
    for each, norm in ((network, {"largest_norm": 1e-6}), (free, {})):
        groups: list[dict[str, Any]] = [{"params": list(each.line.parameters()), **norm}, {"params": [each.shift]}]
        optimizer = torch.optim.SGD(groups, lr=0.5)
        fit(each, optimizer, Points(22), Points(10), RECIPE, ALONE, lambda line: None)
    assert network.line.weight.tolist() == [pytest.approx(plane().line.weight[0].tolist(), abs=1e-4)]
    assert free.line.weight.tolist() != [pytest.approx(plane().line.weight[0].tolist(), abs=1e-2)]
    assert network.shift.item() != 0


def test_mixed_precision_changes_nothing_on_a_cpu() -> None:
    mixed, full = plane(), plane()
    run(mixed, replace(RECIPE, mixed_precision=True))
    run(full, replace(RECIPE, mixed_precision=False))
    assert weights(mixed) == weights(full)


def test_a_stage_is_named_in_what_is_said_and_shuffles_differently() -> None:
    lines: list[str] = []
    named, plain = plane(), plane()
    run(named, stage="teacher", say=lines.append)
    run(plain)
    assert lines[0].startswith("epoch=1 epochs=3 train_loss=")
    assert lines[0].endswith(" stage=teacher")
    assert weights(named) != weights(plain)


def test_an_epochs_line_has_its_documented_form() -> None:
    figures = {"epoch": 1, "train_loss": 0.5, "validation_loss": 0.25, "validation_accuracy": 0.875, "seconds": 1.25}
    line = "epoch=1 epochs=5 train_loss=0.5000 validation_loss=0.2500 validation_accuracy=0.8750 seconds=1.2"
    assert epoch_line(figures, 5) == line


def test_random_numbers_outside_are_as_if_nothing_had_been_trained() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3).tolist()
    network = plane(dropout=0.5)
    torch.manual_seed(5)
    run(network)
    assert torch.rand(3).tolist() == expected


@pytest.mark.parametrize("batch", [1, 6, 7, 12, 18])
def test_interrupted_anywhere_it_goes_on_to_the_same_weights(tmp_path: Path, batch: int) -> None:
    whole, interrupted, resumed = plane(dropout=0.5), plane(dropout=0.5), plane(dropout=0.5)
    expected = run(whole)
    lines: list[str] = []
    checkpoints = CheckpointFolder(tmp_path / "checkpoints", {"seed": 3}, lines.append)
    train = Points(22)
    train.interrupt_at = batch
    with pytest.raises(KeyboardInterrupt):
        run(interrupted, train=train, checkpoints=checkpoints)
    train.interrupt_at = None
    train.batches_made = 0
    metrics = run(resumed, train=train, checkpoints=checkpoints, say=lines.append)
    done = (batch - 1) // 6  # epochs of 6 steps that were finished
    assert train.batches_made == 6 * (3 - done)
    assert weights(resumed) == weights(whole)
    assert [f"going on after epoch {done} of 3" in line for line in lines if "checkpoint=" in line] == [True] * (
        done > 0
    )
    for figures in (*metrics["epochs"], *expected["epochs"]):
        del figures["seconds"]
    assert metrics == expected


def test_a_finished_stage_is_not_trained_again(tmp_path: Path) -> None:
    checkpoints = CheckpointFolder(tmp_path, {}, lambda line: None)
    first, again, train = plane(), plane(), Points(22)
    run(first, checkpoints=checkpoints, stage="teacher")
    run(again, train=train, checkpoints=checkpoints, stage="teacher")
    assert train.batches_made == 0
    assert weights(again) == weights(first)
    run(plane(), train=train, checkpoints=checkpoints, stage="student")
    assert train.batches_made > 0


def test_a_checkpoint_also_keeps_what_early_stopping_knows(tmp_path: Path) -> None:
    patient = replace(RECIPE, epochs=50, patience=2)
    checkpoints = CheckpointFolder(tmp_path, {}, lambda line: None)
    whole, resumed, train = plane(), plane(), Points(22)
    expected = run(whole, patient)
    train.interrupt_at = 6 * len(expected["epochs"]) - 1
    with pytest.raises(KeyboardInterrupt):
        run(plane(), patient, train, checkpoints=checkpoints)
    metrics = run(resumed, patient, checkpoints=checkpoints)
    assert len(metrics["epochs"]) == len(expected["epochs"]) < 50
    assert weights(resumed) == weights(whole)


def test_a_loss_beyond_numbers_is_named() -> None:
    network = plane()
    with torch.no_grad():
        network.shift.fill_(torch.nan)
    with pytest.raises(DivergenceError, match="learning_rate"):
        run(network)


def test_the_rate_rises_then_falls() -> None:
    rates = [rate(step, 1000) for step in range(1000)]
    assert rates[0] < rates[50] < rates[99] > rates[500] > rates[999] > 0
    assert max(rates) <= 1


def test_nothing_of_the_loop_stays_in_a_copied_network() -> None:
    network = plane()
    names = set(copy.deepcopy(network).state_dict())
    run(network)
    assert set(network.state_dict()) == names
