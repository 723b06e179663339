"""The training of the linear part."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sentimodel.checkpoint import CheckpointFolder
from sentimodel.distributed import ProcessGroup, Worker
from sentimodel.examples import NgramExamples
from sentimodel.fit import fit_ngrams, log_count_ratios
from sentimodel.network import NetworkConfig, NgramScores
from sentimodel.ngrams import Rows
from sentimodel.training import Recipe, predict

ALONE = ProcessGroup(Worker(), torch.device("cpu"))
CPU = torch.device("cpu")
RECIPE = Recipe(epochs=3, patience=3, batch_size=8, seed=3)
SIZE = 21  # n-grams, and none
CONFIG = NetworkConfig("ngram", SIZE - 1, 5, 2, 2, 0.0, 0.0)


def examples(held: list[list[int]], targets: list[float], weights: list[float] | None = None) -> NgramExamples:
    """Reviews that hold these n-grams."""
    rows = Rows(np.array([row for each in held for row in each], np.int32), np.cumsum([0, *map(len, held)]))
    weighed = None if weights is None else np.array(weights, dtype=np.float32)
    return NgramExamples(rows, np.array(targets, dtype=np.float32), weighed)


def telling(count: int, seed: int) -> NgramExamples:
    """Reviews whose n-grams up to 10 are more often in positive ones, and the others in negative ones."""
    rng = np.random.default_rng(seed)
    targets = [float(number % 2) for number in range(count)]
    chances = [[0.5 if (row <= 10) == (target == 1) else 0.2 for row in range(1, SIZE)] for target in targets]
    return examples([(np.flatnonzero(rng.random(SIZE - 1) < each) + 1).tolist() for each in chances], targets)


def fitted(
    train: NgramExamples, recipe: Recipe = RECIPE, checkpoints: CheckpointFolder | None = None
) -> tuple[NgramScores, list[str]]:
    """The linear part after its training, and what was said."""
    scores, lines = NgramScores(CONFIG), list[str]()
    metrics = fit_ngrams(
        scores, train, telling(60, seed=2), recipe, ALONE, lines.append, "ngram", checkpoints=checkpoints
    )
    assert 1 <= metrics["best_epoch"] <= len(metrics["epochs"]) <= recipe.epochs
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


def test_it_learns_what_each_ngram_says() -> None:
    scores, lines = fitted(telling(200, seed=1))
    table = scores.table()
    assert table[0] == 0
    assert (table[1:11] > 0).all()
    assert (table[11:] < 0).all()
    validation = telling(60, seed=2)
    right = (predict(scores, validation, CPU) >= 0).numpy() == (validation.targets == 1)
    assert right.mean() > 0.8
    assert [line.split(" ")[0] for line in lines] == ["epoch=1", "epoch=2", "epoch=3"]
    assert all(line.endswith(" stage=ngram") for line in lines)


def test_an_ngram_that_was_never_seen_says_next_to_nothing() -> None:
    train = telling(200, seed=1)
    unseen = examples(
        [[row for row in train.rows.part(n, n + 1).rows.tolist() if row != 7] for n in range(200)],
        train.targets.tolist(),
    )
    table = fitted(unseen)[0].table()
    assert abs(table[7]) < 0.1 * np.median(np.abs(table[1:]))


def test_examples_without_weight_are_as_if_they_were_not_there() -> None:
    train = telling(40, seed=1)
    held = [train.rows.part(number, number + 1).rows.tolist() for number in range(40)]
    few = examples(held[:20], train.targets.tolist()[:20])
    wrong = examples(held, [*train.targets.tolist()[:20], *(1 - train.targets[20:]).tolist()], [1.0] * 20 + [0.0] * 20)
    # All in one step: which reviews share a step is drawn, and differs.
    recipe = Recipe(epochs=3, patience=3, batch_size=40)
    np.testing.assert_allclose(fitted(wrong, recipe)[0].table(), fitted(few, recipe)[0].table(), atol=1e-6)


def test_steps_on_examples_without_weight_do_no_harm() -> None:
    train = telling(20, seed=1)
    train.weights[::2] = 0
    assert np.isfinite(fitted(train, Recipe(epochs=2, patience=2, batch_size=1))[0].table()).all()


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_from_a_checkpoint_it_ends_with_the_same_scores(tmp_path: Path, stop: int) -> None:
    train, kept = telling(200, seed=1), CheckpointFolder(tmp_path, {}, lambda line: None)
    whole, _ = fitted(train)

    def interrupt(line: str) -> None:
        if line.startswith(f"epoch={stop} "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_ngrams(NgramScores(CONFIG), train, telling(60, 2), RECIPE, ALONE, interrupt, "ngram", kept)
    resumed, lines = fitted(train, checkpoints=kept)
    assert [line.split(" ")[0] for line in lines if line.startswith("epoch=")] == [
        f"epoch={epoch}" for epoch in range(stop + 1, 4)
    ]
    np.testing.assert_array_equal(resumed.table(), whole.table())
    assert resumed.bias.item() == whole.bias.item()
