"""How the linear part is trained: naive Bayes says what each n-gram means, and training how much that counts."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sentimodel.checkpoint import Checkpoints
from sentimodel.distributed import Group
from sentimodel.examples import NgramExamples
from sentimodel.network import NgramScores
from sentimodel.training import Recipe, Say, fit

# Chosen by cross-validation over the training reviews, with the films of each fold apart. The weights start small and
# equal, which is naive Bayes with a temperature; a longer or faster training fits the training reviews too closely.
FIRST_WEIGHT = 0.4 / 20
LEARNING_RATE = 0.02 / 20


def fit_ngrams(
    scores: NgramScores,
    train: NgramExamples,
    validation: NgramExamples,
    recipe: Recipe,
    group: Group,
    say: Say,
    stage: str,
    checkpoints: Checkpoints | None,
) -> dict[str, Any]:
    """Train the linear part, in one stage; see `training.fit`."""
    ratios = log_count_ratios(train, scores.scores.num_embeddings)
    scores.start_from(ratios.to(group.device), FIRST_WEIGHT)
    optimizer = torch.optim.Adam(scores.parameters(), lr=LEARNING_RATE)
    metrics = fit(scores, optimizer, train, validation, recipe, group, say, stage=stage, checkpoints=checkpoints)
    scores.settle()
    return metrics


def log_count_ratios(examples: NgramExamples, size: int) -> Tensor:
    """How much more often each n-gram occurs in positive reviews than in negative ones, float32 `[size]`.

    The naive-Bayes log-count ratio of Wang and Manning (2012, "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification"), each review counted once and one more added to each count. A review whose target is a probability
    counts for both labels, with its share of each. The first, which stands for no n-gram, is 0.
    """
    reviews = examples.rows.reviews
    share = (examples.targets * examples.weights)[reviews]
    praise = np.bincount(examples.rows.rows, weights=share, minlength=size) + 1.0
    blame = np.bincount(examples.rows.rows, weights=examples.weights[reviews] - share, minlength=size) + 1.0
    ratios = np.log(praise / praise.sum()) - np.log(blame / blame.sum())
    ratios[0] = 0.0
    return torch.from_numpy(ratios).float()
