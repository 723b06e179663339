"""How the LSTM is trained."""

from typing import Any

import torch

from sentimodel.checkpoint import Checkpoints
from sentimodel.distributed import Group
from sentimodel.examples import LstmExamples
from sentimodel.network import LstmClassifier
from sentimodel.training import Recipe, Say, fit

LARGEST_NORM = 1.0  # of the gradient


def fit_lstm(
    lstm: LstmClassifier,
    train: LstmExamples,
    validation: LstmExamples,
    learning_rate: float,
    recipe: Recipe,
    group: Group,
    say: Say,
    checkpoints: Checkpoints | None,
) -> dict[str, Any]:
    """Train the LSTM, in one stage; see `training.fit`.

    Args:
        learning_rate: at its highest.
    """
    learned = [weights for weights in lstm.parameters() if weights.requires_grad]
    optimizer = torch.optim.Adam([{"params": learned, "largest_norm": LARGEST_NORM}], lr=learning_rate)
    return fit(lstm, optimizer, train, validation, recipe, group, say, stage="lstm", checkpoints=checkpoints)
