"""The network: its answers, and its two forms."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from sentimodel.dataset import pad
from sentimodel.network import PAIR_ROWS, LstmClassifier, NetworkConfig, pair_rows, to_onnx
from sentimodel.vocabulary import PAD, UNK

MODEL_CODE = Path(__file__).parents[2] / "model_code"
CONFIG = NetworkConfig(vocabulary_size=50, embedding_dim=6, hidden_dim=5, dropout=0.5, input_dropout=0.3)
LENGTHS = (1, 3, 12, 40)


@pytest.fixture
def network() -> LstmClassifier:
    """A network with random weights, large enough that each word matters."""
    torch.manual_seed(1)
    network = LstmClassifier(CONFIG)
    with torch.no_grad():
        for weights in network.scores.parameters():
            weights.normal_()
        for weights in network.parameters():
            weights.mul_(2.0)
    return network.eval()


@pytest.fixture
def reviews() -> list["np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    """Reviews of several lengths."""
    rng = np.random.default_rng(1)
    return [rng.integers(1, CONFIG.vocabulary_size, length) for length in LENGTHS]


def test_padding_does_not_change_a_logit(network: LstmClassifier, reviews: list[np.ndarray]) -> None:
    together = network(torch.from_numpy(pad(reviews)))
    alone = torch.cat([network(torch.from_numpy(pad([review]))) for review in reviews])
    assert together.shape == (len(reviews),)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    assert len({round(logit, 4) for logit in alone.tolist()}) == len(reviews)


def test_the_order_of_words_matters(network: LstmClassifier) -> None:
    there, back = network(torch.tensor([[2, 3, 4, 5], [5, 4, 3, 2]])).tolist()
    assert abs(there - back) > 1e-4


def test_a_review_of_padding_has_a_finite_logit(network: LstmClassifier) -> None:
    assert torch.isfinite(network(torch.full((1, 4), PAD))).all()


def test_training_drops_words_and_features_and_evaluation_does_not(network: LstmClassifier) -> None:
    ids = torch.full((1, 30), 7)
    assert network(ids).item() == network(ids).item()
    network.train()
    assert network(ids).item() != network(ids).item()


@pytest.mark.parametrize("blocked", [False, True])
def test_onnx_gives_the_same_logits_for_every_shape(
    network: LstmClassifier, reviews: list[np.ndarray], blocked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if blocked:
        for package in ("onnx", "onnxscript"):
            monkeypatch.setitem(sys.modules, package, None)
    session = onnxruntime.InferenceSession(to_onnx(network))
    for batch in ([reviews[0]], [reviews[3]], reviews):
        ids = pad(batch)
        (logits,) = session.run(["logit"], {"ids": ids})
        np.testing.assert_allclose(logits, network(torch.from_numpy(ids)).detach().numpy(), atol=1e-5)


def test_export_leaves_no_stand_in_for_onnx_behind() -> None:
    program = """
import json, sys
from sentimodel.network import LstmClassifier, NetworkConfig, to_onnx
to_onnx(LstmClassifier(NetworkConfig(10, 2, 2, 0.0, 0.0)))
module = sys.modules.get("onnx")
print(json.dumps(module is None or hasattr(module, "__file__")))
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=MODEL_CODE, capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(answer.stdout) is True


def test_scores_are_of_words_and_neighbors_that_are_known(network: LstmClassifier) -> None:
    words, pairs = network.scores.words.weight.flatten(), network.scores.pairs.weight.flatten()
    rows = pair_rows(torch.tensor([2, 3]), torch.tensor([3, 4]))
    together = words[[2, 3, 4]].sum() + pairs[rows].sum()
    apart = words[[2, 3, 4]].sum() + pairs[rows[:1]].sum()
    scores = network.scores(torch.tensor([[2, 3, 4, PAD, PAD], [2, 3, UNK, 4, PAD]]))
    torch.testing.assert_close(scores, torch.stack([together / 3**0.5, apart / 2.0]))


def test_pairs_of_a_large_vocabulary_have_rows_of_their_own_and_know_their_order() -> None:
    ids = torch.randint(2, 65_535, (2, 1000), generator=torch.Generator().manual_seed(1))
    rows, reversed_rows = pair_rows(ids[0], ids[1]), pair_rows(ids[1], ids[0])
    assert 0 <= rows.min() <= rows.max() < PAIR_ROWS
    assert len(set(rows.tolist())) > 990
    assert (rows != reversed_rows).sum() > 990


def test_scores_learned_as_weights_of_ratios_end_as_their_products(network: LstmClassifier) -> None:
    ids = torch.tensor([[2, 3, 4]])
    words, pairs = torch.linspace(-1, 1, CONFIG.vocabulary_size), torch.linspace(-1, 1, PAIR_ROWS)
    names = set(network.state_dict())
    network.scores.start_from(words, pairs, 0.5)
    rows = pair_rows(ids[0, :-1], ids[0, 1:])
    expected = 0.5 * (words[ids].sum() + pairs[rows].sum()) / 3**0.5
    torch.testing.assert_close(network.scores(ids), expected.unsqueeze(0))
    learning = network(ids)
    network.scores.settle()
    torch.testing.assert_close(network(ids), learning)
    assert set(network.state_dict()) == names


def test_a_gradient_reaches_the_lstm_and_the_scores(network: LstmClassifier) -> None:
    torch.autograd.backward(network.train()(torch.arange(2, 50).unsqueeze(0)).sum())
    for part in (network.embedding, network.lstm, network.output, network.scores.words, network.scores.pairs):
        for weights in part.parameters():
            assert weights.grad is not None
            assert weights.grad.abs().sum() > 0


def test_scaling_multiplies_every_logit(network: LstmClassifier) -> None:
    ids = torch.tensor([[2, 3, 4], [5, 6, PAD]])
    before = network(ids)
    network.scale_logits(0.5)
    torch.testing.assert_close(network(ids), 0.5 * before)


def test_a_config_comes_from_the_hyperparameters() -> None:
    values = {"vocabulary_size": 9, "embedding_dim": 2, "hidden_dim": 3, "dropout": 0.1, "input_dropout": 0.2}
    assert NetworkConfig.from_hyperparameters(values | {"epochs": 5}) == NetworkConfig(9, 2, 3, 0.1, 0.2)
    with pytest.raises(KeyError):
        NetworkConfig.from_hyperparameters({"vocabulary_size": 9})
