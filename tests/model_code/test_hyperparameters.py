"""What a model is trained with."""

from dataclasses import fields, replace
from typing import Any

import pytest
from sentimodel.hyperparameters import Hyperparameters
from sentimodel.training import Recipe, TrainingError


def test_the_defaults_can_be_trained_with() -> None:
    Hyperparameters().check()


@pytest.mark.parametrize(
    "values", [{"seed": 0}, {"dropout": 0.0}, {"lstm_vocabulary_size": 2}, {"epochs": 1}, {"mixed_precision": False}]
)
def test_the_least_values_can_be_trained_with(values: dict[str, Any]) -> None:
    replace(Hyperparameters(), **values).check()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, 0) for name in ("epochs", "ngram_epochs", "patience", "batch_size", "accumulation", "ngrams")],
        *[(name, -1) for name in ("learning_rate", "embedding_dim", "hidden_dim", "max_tokens", "seed", "dropout")],
        ("dropout", 1.0),
        ("input_dropout", 1.5),
        ("learning_rate", float("nan")),
        ("lstm_vocabulary_size", 1),
    ],
)
def test_an_impossible_value_is_named(name: str, value: float) -> None:
    changes: dict[str, Any] = {name: value}
    with pytest.raises(TrainingError, match=f"hyperparameter {name} must .*{value}"):
        replace(Hyperparameters(), **changes).check()


def test_the_recipe_is_a_part_of_them() -> None:
    hyperparameters = Hyperparameters(epochs=7, batch_size=3, seed=9)
    for field in fields(Recipe):
        assert getattr(hyperparameters.recipe, field.name) == getattr(hyperparameters, field.name)
