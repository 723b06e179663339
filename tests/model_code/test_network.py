"""The network: what its parts say, alone and together."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sentimodel.artifact import INPUTS, PARTS
from sentimodel.network import LstmClassifier, NetworkConfig, NgramScores, SentimentNetwork
from sentimodel.ngrams import LONGEST
from sentimodel.vocabulary import PAD, UNK

from tests.model_code.networks import CONFIG, LENGTHS, padded_reviews, random_network


@pytest.fixture
def scores() -> NgramScores:
    part = random_network().ngram
    assert part is not None
    with torch.no_grad():
        part.scores.weight[0] = 0
    return part


@pytest.fixture
def lstm() -> LstmClassifier:
    part = random_network().lstm
    assert part is not None
    return part


@pytest.mark.parametrize("architecture", PARTS)
def test_each_part_says_what_it_says_alone(architecture: str) -> None:
    network = random_network(replace(CONFIG, architecture=architecture))
    assert tuple(network.parts) == PARTS[architecture]
    ids, ends = padded_reviews(LENGTHS)
    inputs = {"rows": torch.randint(0, CONFIG.ngrams + 1, (len(LENGTHS), 9)), "ids": ids, "ends": ends}
    said = network(*[inputs[name] for name in network.inputs])
    assert len(said) == len(network.parts)
    for (part, module), logits in zip(network.parts.items(), said, strict=True):
        assert logits.shape == (len(LENGTHS),)
        torch.testing.assert_close(logits, module(*[inputs[name] for name in INPUTS[part]]))


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(KeyError):
        SentimentNetwork(replace(CONFIG, architecture="transformer"))


def test_a_config_comes_from_the_hyperparameters() -> None:
    values = {name: getattr(CONFIG, name) for name in CONFIG.__dataclass_fields__}
    assert NetworkConfig.from_hyperparameters(values | {"epochs": 5}) == CONFIG
    with pytest.raises(KeyError):
        NetworkConfig.from_hyperparameters({"hidden_dim": 9})


def test_scores_are_added_up_and_padding_says_nothing(scores: NgramScores) -> None:
    table, bias = scores.scores.weight.flatten(), scores.bias
    said = scores(torch.tensor([[3, 7, 9], [4, 0, 0], [0, 0, 0]]))
    torch.testing.assert_close(said, torch.stack([table[[3, 7, 9]].sum(), table[4], table[0]]) + bias)
    assert scores.table().tolist() == table.tolist()


def test_scaling_multiplies_every_logit(scores: NgramScores, lstm: LstmClassifier) -> None:
    rows, review = torch.tensor([[2, 3, 4], [5, 6, 0]]), padded_reviews(LENGTHS)
    before = scores(rows), lstm(*review)
    scores.scale(0.5)
    lstm.scale(3.0)
    torch.testing.assert_close(scores(rows), 0.5 * before[0])
    torch.testing.assert_close(lstm(*review), 3.0 * before[1])


def test_padding_does_not_change_a_logit(lstm: LstmClassifier) -> None:
    together = lstm(*padded_reviews(LENGTHS))
    alone = torch.cat([lstm(*padded_reviews((length,))) for length in LENGTHS])
    assert together.shape == (len(LENGTHS),)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    assert len({round(logit, 4) for logit in alone.tolist()}) == len(LENGTHS)


def test_the_order_of_words_matters(lstm: LstmClassifier) -> None:
    ids = torch.tensor([[2, 3, 4, 5], [5, 4, 3, 2]])
    there, back = lstm(ids, torch.zeros((*ids.shape, LONGEST), dtype=torch.int64)).tolist()
    assert abs(there - back) > 1e-4


def test_a_review_of_padding_has_a_finite_logit(lstm: LstmClassifier) -> None:
    assert lstm(torch.full((1, 4), PAD), torch.zeros((1, 4, LONGEST), dtype=torch.int64)).isfinite().all()


def test_rare_words_are_unknown(lstm: LstmClassifier) -> None:
    ids, ends = padded_reviews((12,))
    ids[0, 5] = UNK
    unknown = lstm(ids, ends)
    for rare in (CONFIG.lstm_vocabulary_size, 65_535):
        ids[0, 5] = rare
        torch.testing.assert_close(lstm(ids, ends), unknown)
    ids[0, 5] = CONFIG.lstm_vocabulary_size - 1
    assert abs(lstm(ids, ends) - unknown).item() > 1e-4


def test_evidence_is_looked_up_or_given(lstm: LstmClassifier) -> None:
    ids, ends = padded_reviews(LENGTHS)
    table = np.linspace(-1, 1, CONFIG.ngrams + 1, dtype=np.float32)
    vectors = torch.randn(lstm.embedding.weight.shape)
    lstm.start_from(vectors, table)
    torch.testing.assert_close(lstm.embedding.weight, vectors)
    looked_up = lstm(ids, ends)
    torch.testing.assert_close(looked_up, lstm(ids, torch.from_numpy(table[ends.numpy()])))
    lstm.start_from(vectors, -table)
    assert (lstm(ids, ends) - looked_up).abs().min() > 1e-4


def test_noise_drops_words_and_features_and_without_it_nothing_is_dropped(lstm: LstmClassifier) -> None:
    review, here = padded_reviews((30,)), np.ones(1, dtype=np.bool_)
    assert lstm(*review).item() == lstm(*review).item()
    assert lstm(*review, *lstm.noise(here, 30)).item() != lstm(*review, *lstm.noise(here, 30)).item()
    kept, elements, features = lstm.noise(np.ones(1000, dtype=np.bool_), 30)
    assert kept.float().mean().item() == pytest.approx(1 - CONFIG.input_dropout, abs=0.02)
    for factors, dropout in ((elements, CONFIG.input_dropout), (features, CONFIG.dropout)):
        assert (factors == 0).float().mean().item() == pytest.approx(dropout, abs=0.02)
        torch.testing.assert_close(factors[factors > 0], torch.full((int((factors > 0).sum()),), 1 / (1 - dropout)))


def test_without_dropout_noise_changes_nothing(lstm: LstmClassifier) -> None:
    still = random_network(replace(CONFIG, dropout=0, input_dropout=0)).lstm
    assert still is not None
    review = padded_reviews(LENGTHS)
    assert torch.equal(still(*review), still(*review, *still.noise(np.ones(len(LENGTHS), np.bool_), max(LENGTHS))))


def test_some_reviews_of_a_batch_get_the_noise_that_they_get_among_all(lstm: LstmClassifier) -> None:
    torch.manual_seed(1)
    whole = lstm.noise(np.ones(4, dtype=np.bool_), 40)
    torch.manual_seed(1)
    some = lstm.noise(np.array([True, False, True, False]), 40)
    for one, other in zip(whole, some, strict=True):
        assert torch.equal(one[[0, 2]], other)
    together = lstm(*padded_reviews(LENGTHS), *whole)
    alone = lstm(*padded_reviews((LENGTHS[0], LENGTHS[2])), *some)
    torch.testing.assert_close(together[[0, 2]], alone, atol=1e-5, rtol=0)


def test_a_gradient_reaches_all_of_the_lstm_but_its_evidence(lstm: LstmClassifier) -> None:
    torch.autograd.backward(lstm.train()(*padded_reviews((40,))).sum())
    for weights in (lstm.embedding.weight, *lstm.lstm.parameters(), *lstm.output.parameters()):
        assert weights.grad is not None
        assert weights.grad.abs().sum() > 0
    assert lstm.evidence.weight.grad is None
    assert not lstm.evidence.weight.requires_grad
