"""How the parts of a network are fitted: the linear part, the LSTM, and at last how much each counts in their sum."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from sentimodel.checkpoint import CheckpointFolder
from sentimodel.distributed import ProcessGroup
from sentimodel.examples import LstmExamples, NgramExamples
from sentimodel.network import LstmClassifier, NgramScores
from sentimodel.training import Recipe, Say, fit

# Chosen by cross-validation over the training reviews, with the films of each fold apart. The weights start small and
# equal, which is naive Bayes with a temperature; a longer or faster training fits the training reviews too closely.
FIRST_WEIGHT = 0.4 / 20
LEARNING_RATE = 0.02 / 20
LARGEST_NORM = 1.0  # of the LSTM's gradient
TEMPERATURES = torch.linspace(0.5, 5.0, 451)  # at most twice as sure as the network was
SHARES = torch.linspace(0.0, 1.0, 21)  # of the second part beside the first, both in their standard deviations


def fit_ngrams(
    scores: NgramScores,
    train: NgramExamples,
    validation: NgramExamples,
    recipe: Recipe,
    group: ProcessGroup,
    say: Say,
    stage: str,
    checkpoints: CheckpointFolder | None,
) -> dict[str, Any]:
    """Train the linear part, in one stage; see `training.fit`.

    Naive Bayes says what each n-gram means, and training how much that counts.
    """
    ratios = log_count_ratios(train, scores.scores.num_embeddings)
    scores.start_from(ratios.to(group.device), FIRST_WEIGHT)
    optimizer = torch.optim.Adam(scores.parameters(), lr=LEARNING_RATE)
    metrics = fit(scores, optimizer, train, validation, recipe, group, say, stage=stage, checkpoints=checkpoints)
    scores.settle()
    return metrics


def fit_lstm(
    lstm: LstmClassifier,
    train: LstmExamples,
    validation: LstmExamples,
    learning_rate: float,
    recipe: Recipe,
    group: ProcessGroup,
    say: Say,
    checkpoints: CheckpointFolder | None,
) -> dict[str, Any]:
    """Train the LSTM, in one stage; see `training.fit`.

    Args:
        learning_rate: at its highest.
    """
    learned = [weights for weights in lstm.parameters() if weights.requires_grad]
    optimizer = torch.optim.Adam([{"params": learned, "largest_norm": LARGEST_NORM}], lr=learning_rate)
    return fit(lstm, optimizer, train, validation, recipe, group, say, stage="lstm", checkpoints=checkpoints)


def calibration_factors(logits: dict[str, Tensor], labels: Tensor) -> dict[str, float]:
    """Find what to multiply each part's logits by, so that their sum fits the labels best.

    For one part that is temperature scaling (Guo et al., 2017, "On Calibration of Modern Neural Networks"), which
    changes no decision; for two it also chooses the second part's share. All values in reach are tried, which ends
    well for labels of any kind, such as those that the logits separate without a mistake.

    Args:
        logits: by the part's name, float32 `[reviews]`; one part or two.
        labels: 0 or 1, float32 `[reviews]`; of reviews that trained none of the parts.

    Returns:
        The factors, by the part's name.
    """
    parts = list(logits)
    first, last = logits[parts[0]], logits[parts[-1]]
    spread = (first.std() / last.std().clamp(min=1e-6)).item()
    tried = []
    for share in SHARES.tolist() if len(parts) > 1 else [0.0]:
        mixed = first + share * spread * last
        losses = [binary_cross_entropy_with_logits(mixed / value, labels).item() for value in TEMPERATURES]
        tried.append((min(losses), share, TEMPERATURES[losses.index(min(losses))].item()))
    _, share, temperature = min(tried)
    return dict(zip(parts, (1 / temperature, share * spread / temperature), strict=False))


def log_count_ratios(examples: NgramExamples, size: int) -> Tensor:
    """Compare how often each n-gram occurs in positive reviews and in negative ones.

    The naive-Bayes log-count ratio of Wang and Manning (2012, "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification"), each review counted once and one more added to each count. A review whose target is a probability
    counts for both labels, with its share of each.

    Args:
        examples: the reviews.
        size: how many n-grams there are, and one for the first row, which stands for none.

    Returns:
        float32 `[size]`, above 0 for what is more often in positive reviews; the first is 0.
    """
    reviews = examples.rows.reviews
    share = (examples.targets * examples.weights)[reviews]
    praise = np.bincount(examples.rows.rows, weights=share, minlength=size) + 1.0
    blame = np.bincount(examples.rows.rows, weights=examples.weights[reviews] - share, minlength=size) + 1.0
    ratios = np.log(praise / praise.sum()) - np.log(blame / blame.sum())
    ratios[0] = 0.0
    return torch.from_numpy(ratios).float()
