"""The training of the LSTM."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sentimodel.checkpoint import CheckpointFolder
from sentimodel.dataset import Reviews
from sentimodel.examples import Evidence, LstmExamples, Noise
from sentimodel.fit import fit_lstm
from sentimodel.network import LstmClassifier, NetworkConfig
from sentimodel.ngrams import LONGEST
from sentimodel.process_group import ALONE
from sentimodel.shares import Share
from sentimodel.training import Recipe, Say, predict

CONFIG = NetworkConfig("lstm", 4, 12, 6, 8, 0.1, 0.05)
RECIPE = Recipe(epochs=8, patience=8, batch_size=16, seed=3)


def examples(count: int, seed: int, noise: Noise | None = None) -> LstmExamples:
    """Reviews that hold the words 2 and 3 once each, among others; the order of the two decides."""
    rng = np.random.default_rng(seed)
    encoded, targets = [], []
    for number in range(count):
        words = rng.integers(4, 12, 8)
        places = np.sort(rng.choice(8, 2, replace=False))
        words[places] = [2, 3] if number % 2 else [3, 2]
        encoded.append(words.tolist())
        targets.append(number % 2)
    nothing = Evidence(
        np.zeros((count * 8, LONGEST), np.int32), np.zeros((1, 5), np.float32), np.zeros(count, np.int64)
    )
    share = Share.whole(Reviews.from_reviews(encoded))
    return LstmExamples(share, nothing, 8, np.array(targets, dtype=np.float32), noise=noise)


def started() -> LstmClassifier:
    torch.manual_seed(1)
    lstm = LstmClassifier(CONFIG)
    lstm.start_from(torch.randn(12, 6), np.array([0, 1, 2, 3, 4], dtype=np.float32))
    return lstm


def fit(lstm: LstmClassifier, say: Say, checkpoints: CheckpointFolder | None = None) -> dict[str, object]:
    return fit_lstm(lstm, examples(300, 1, lstm.noise), examples(100, 2), 0.02, RECIPE, ALONE, say, checkpoints)


def test_it_learns_what_only_the_order_of_words_tells() -> None:
    lstm, lines = started(), list[str]()
    evidence = lstm.evidence.weight.clone()
    metrics = fit(lstm, lines.append)
    logits = predict(lstm, examples(100, 2), torch.device("cpu"))
    assert ((logits >= 0).numpy() == np.arange(100) % 2).mean() == pytest.approx(metrics["validation_accuracy"])
    assert ((logits >= 0).numpy() == np.arange(100) % 2).mean() > 0.9
    assert torch.equal(lstm.evidence.weight, evidence)
    assert [line.split(" ")[0] for line in lines] == [f"epoch={epoch}" for epoch in range(1, 9)]
    assert all(line.endswith(" stage=lstm") for line in lines)


def test_from_a_checkpoint_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        if line.startswith("epoch=3 "):
            raise KeyboardInterrupt

    whole, resumed, kept = started(), started(), CheckpointFolder(tmp_path, {}, lambda line: None)
    fit(whole, lambda line: None)
    with pytest.raises(KeyboardInterrupt):
        fit(started(), interrupt, kept)
    fit(resumed, lambda line: None, kept)
    for name, values in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], values), name
