"""Calibration: the parts of a network, put together by labels."""

import numpy as np
import pytest
import torch
from sentimodel.fit import TEMPERATURES, calibration_factors
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def sure(probabilities: list[float], reviews: int = 1000) -> tuple[Tensor, Tensor]:
    """So many reviews of each probability: their true logits, and labels that have just these shares."""
    logits = np.repeat(np.log(probabilities) - np.log1p(-np.array(probabilities)), reviews)
    labels = np.concatenate([np.arange(reviews) < round(reviews * each) for each in probabilities])
    return torch.from_numpy(logits).float(), torch.from_numpy(labels).float()


def loss(logits: Tensor, labels: Tensor) -> float:
    """The loss against labels that are taken for a little less than sure."""
    positive, negative = int(labels.sum()), int((1 - labels).sum())
    targets = labels * (positive + 1) / (positive + 2) + (1 - labels) / (negative + 2)
    return binary_cross_entropy_with_logits(logits, targets).item()


@pytest.mark.parametrize("sureness", [0.5, 1.0, 2.0, 3.5])
def test_one_part_is_made_as_sure_as_it_may_be(sureness: float) -> None:
    logits, labels = sure([0.1, 0.3, 0.8, 0.95])
    assert calibration_factors({"ngram": sureness * logits}, labels) == {"ngram": pytest.approx(1 / sureness, rel=0.02)}


def test_no_other_temperature_has_a_smaller_loss() -> None:
    rng = np.random.default_rng(1)
    labels = torch.from_numpy(rng.integers(0, 2, 500)).float()
    logits = 2.5 * (labels - 0.5) + torch.from_numpy(rng.normal(size=500) * 3).float()
    (scale,) = calibration_factors({"lstm": logits}, labels).values()
    assert loss(scale * logits, labels) <= min(loss(logits / value, labels) for value in TEMPERATURES) + 1e-6


def test_a_second_part_that_knows_nothing_has_no_share() -> None:
    logits, labels = sure([0.2, 0.7, 0.9])
    noise = torch.randn(len(logits), generator=torch.Generator().manual_seed(1))
    # Each review twice, with the noise for it and against it: no share of it can be of use.
    found = calibration_factors({"ngram": logits.repeat(2), "lstm": torch.cat([noise, -noise])}, labels.repeat(2))
    assert found == {"ngram": pytest.approx(1.0, rel=0.02), "lstm": 0.0}


def test_two_parts_that_know_different_things_share_the_logit() -> None:
    rng = np.random.default_rng(1)
    first, second = torch.from_numpy(rng.normal(size=(2, 20_000)) * 2).float()
    labels = (torch.sigmoid(first + second) > torch.from_numpy(rng.random(20_000))).float()
    # The second says what it knows ten times as loud.
    found = calibration_factors({"ngram": first, "lstm": 10 * second}, labels)
    assert found == {"ngram": pytest.approx(1.0, rel=0.1), "lstm": pytest.approx(0.1, rel=0.1)}


def test_two_parts_are_never_worse_than_the_first_alone() -> None:
    rng = np.random.default_rng(2)
    for _ in range(5):
        first, second = torch.from_numpy(rng.normal(size=(2, 60))).float()
        labels = torch.from_numpy(rng.integers(0, 2, 60)).float()
        alone = calibration_factors({"ngram": first}, labels)["ngram"]
        both = calibration_factors({"ngram": first, "lstm": second}, labels)
        assert loss(both["ngram"] * first + both["lstm"] * second, labels) <= loss(alone * first, labels) + 1e-6


def test_labels_without_a_mistake_end_at_the_bound() -> None:
    labels = torch.tensor([0.0, 1.0, 1.0, 0.0])
    separable = torch.tensor([-0.1, 0.2, 0.3, -0.2])
    lowest = TEMPERATURES.min().item()
    assert calibration_factors({"lstm": separable}, labels) == {"lstm": pytest.approx(1 / lowest)}
    assert calibration_factors({"lstm": -separable}, labels) == {"lstm": pytest.approx(1 / TEMPERATURES.max().item())}
    both = calibration_factors({"ngram": separable, "lstm": 3 * separable}, labels)
    assert both == {"ngram": pytest.approx(1 / lowest), "lstm": pytest.approx(1 / (3 * lowest))}


def test_a_few_reviews_without_a_mistake_do_not_let_the_less_even_part_outweigh_the_other() -> None:
    labels = torch.tensor([0.0, 1.0] * 12)
    signs = 2 * labels - 1
    even, uneven = 6 * signs, signs * torch.linspace(0.01, 0.5, 24)
    found = calibration_factors({"ngram": even, "lstm": uneven}, labels)
    assert found["lstm"] * uneven.std() < 0.5 * found["ngram"] * even.std()
    assert 2 < found["ngram"] * 6 < 3  # 13 of 14, as Platt has it, is a logit of 2.6


@pytest.mark.parametrize("value", [0.0, 1.5])
@pytest.mark.parametrize("constant", ["ngram", "lstm", "both"])
def test_a_part_that_always_says_the_same_gives_finite_factors(constant: str, value: float) -> None:
    labels = torch.tensor([0.0, 1.0, 1.0, 0.0])
    same, telling = torch.full((4,), value), torch.tensor([-1.0, 2.0, 0.5, -0.5])
    logits = {part: same if constant in (part, "both") else telling for part in ("ngram", "lstm")}
    found = calibration_factors(logits, labels)
    assert all(np.isfinite(scale) for scale in found.values())
    mixed = sum((scale * logits[part] for part, scale in found.items()), torch.zeros(4))
    assert loss(mixed, labels) <= max(loss(torch.zeros(4), labels), loss(0.2 * logits["ngram"], labels)) + 1e-6
    assert calibration_factors({"lstm": same}, labels).keys() == {"lstm"}
