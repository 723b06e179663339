"""Several processes that train together on shards of their own: they find what one process finds."""

import json
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentimodel import counting
from sentimodel.dataset import GroupedSplit, Reviews, Split
from sentimodel.files import shard_name
from sentimodel.process_group import ALONE, ProcessGroup
from sentimodel.stages import Trainer
from sentimodel.text import TextSettings
from sentimodel.training_inputs import Hyperparameters, load
from sentimodel.vocabulary import Vocabulary
from torch import Tensor

from tests.model_code.scripts import load_script
from tests.model_code.together import together

WORDS = 40
REVIEWS, SHARD = 95, 20
SMALL = Hyperparameters(
    epochs=2, batch_size=8, accumulation=2, learning_rate=0.01, ngrams=120, lstm_vocabulary_size=30,
    embedding_dim=4, hidden_dim=4, max_tokens=16,
)  # fmt: skip
# Which shards each process finds on its machine; the last of five is the shortest.
UNEVEN = ((1, 4), (0, 2, 3), ())
SAME = ((0, 1, 2, 3, 4), (0, 1, 2, 3, 4))


@dataclass
class Trained:
    """What a process knows at the end of a training."""

    ngrams: bytes
    weights: dict[str, Tensor]
    vectors: Tensor
    metrics: dict[str, Any]
    reviews: int


def encoded(count: int, seed: int) -> list[list[int]]:
    """Reviews that are positive and negative by turns, which some of their words tell."""
    rng = np.random.default_rng(seed)
    some = [rng.choice(range(2, 10) if number % 2 else range(10, 18), 4) for number in range(count)]
    return [
        rng.permutation(np.concatenate([each, rng.choice(range(18, WORDS), rng.integers(1, 20))])).tolist()
        for each in some
    ]


def folders(root: Path, shards: tuple[int, ...]) -> dict[str, str | None]:
    """The channels of a machine that has these shards of the reviews to learn from, and all others."""
    train = GroupedSplit.from_reviews(encoded(REVIEWS, 1), [row % 2 for row in range(REVIEWS)], np.arange(REVIEWS) // 3)
    unlabelled = Reviews.from_reviews(encoded(REVIEWS, 2))
    for name, whole in (("train", train), ("unlabelled", unlabelled)):
        (root / name).mkdir(parents=True)
        for number in shards:
            whole.part(SHARD * number, SHARD * (number + 1)).save(root / name / shard_name(number))
    for name in ("validation", "vocabulary"):
        (root / name).mkdir()
    Split.from_reviews(encoded(30, 3), [row % 2 for row in range(30)]).save(root / "validation" / shard_name(0))
    Vocabulary([f"word{number}" for number in range(WORDS - 2)]).save(root / "vocabulary" / "vocabulary.txt")
    (root / "vocabulary" / "text.json").write_text(json.dumps(TextSettings().to_dict()))
    return {name: str(root / name) for name in ("train", "validation", "vocabulary", "unlabelled")}


def trained(channels: Mapping[str, str | None], group: ProcessGroup, hyperparameters: Hyperparameters) -> Trained:
    """Train as train.py does."""
    torch.manual_seed(1)
    data = load(channels, group)
    trainer = Trainer(data, hyperparameters, group, lambda line: None, None)
    metrics = trainer.run()
    lstm = trainer.network.lstm
    assert lstm is not None
    weights = {name: values.clone() for name, values in trainer.network.state_dict().items()}
    return Trained(trainer.ngrams.to_bytes(), weights, lstm.evidence.weight.detach(), metrics, len(data.rows))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One process with all shards."""
    return trained(folders(tmp_path_factory.mktemp("alone"), SAME[0]), ALONE, SMALL)


@pytest.fixture(scope="module", params=[UNEVEN, SAME], ids=["uneven shards", "the same shards"])
def several(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Trained]:
    """Several processes, by their ranks."""
    root = tmp_path_factory.mktemp("several")
    machines = [folders(root / str(rank), shards) for rank, shards in enumerate(request.param)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "TOKENS_AT_ONCE", 300)  # so that there are many runs and many rounds
        patch.setattr(counting, "KEYS_AT_ONCE", 500)
        return together(len(machines), lambda group: trained(machines[group.rank], group, SMALL))


def test_each_review_is_learned_from_by_one_of_them(alone: Trained, several: list[Trained]) -> None:
    assert sum(each.reviews for each in several) == alone.reviews == 2 * REVIEWS
    assert max(each.reviews for each in several) < alone.reviews


def test_they_choose_the_same_ngrams(alone: Trained, several: list[Trained]) -> None:
    assert {each.ngrams for each in several} == {alone.ngrams}


def test_their_linear_models_are_the_same_to_the_last_bit(alone: Trained, several: list[Trained]) -> None:
    for each in several:
        assert torch.equal(each.vectors, alone.vectors)  # the evidence: the scores of the first one
        for stage in ("ngram", "self-training", *(f"fold-{number}" for number in range(1, 6))):
            one, other = (trained.metrics["stages"][stage]["epochs"][0] for trained in (each, alone))
            assert replace_seconds(one) == replace_seconds(other)


def test_their_lstm_is_that_of_one_up_to_rounding(alone: Trained, several: list[Trained]) -> None:
    for each in several:
        assert each.metrics["best_epoch"] == alone.metrics["best_epoch"]
        for name, values in alone.weights.items():
            torch.testing.assert_close(each.weights[name], values, atol=1e-4, rtol=1e-3)
    for name, values in several[0].weights.items():
        assert all(torch.equal(each.weights[name], values) for each in several)


def replace_seconds(figures: dict[str, Any]) -> dict[str, Any]:
    return {**figures, "seconds": 0}


def test_a_checkpoint_fits_whoever_has_which_shards(tmp_path: Path) -> None:
    layouts = {"alone": (SAME[0],), "dealt": UNEVEN, "turned": UNEVEN[::-1], "other": (SAME[0][:4],)}
    machines = {
        name: [Namespace(**folders(tmp_path / name / str(rank), shards)) for rank, shards in enumerate(layout)]
        for name, layout in layouts.items()
    }
    digest = load_script("train").data_digest
    alone, other = (digest(machines[name][0], ALONE) for name in ("alone", "other"))

    def work(group: ProcessGroup) -> set[str]:
        return {digest(machines[name][group.rank], group) for name in ("dealt", "turned")}

    assert together(3, work) == [{alone}] * 3
    assert other != alone
