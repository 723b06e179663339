"""How the parts of a network are fitted: the linear part, the LSTM, and at last how much each counts in their sum."""

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, embedding_bag

from sentimodel.checkpoint import CheckpointFolder, state_of
from sentimodel.examples import LstmExamples, NgramExamples
from sentimodel.network import LstmClassifier, NgramScores
from sentimodel.ngrams import Rows
from sentimodel.process_group import ALONE, ProcessGroup
from sentimodel.training import SECONDS_BETWEEN_REPORTS, Recipe, Say, epoch_line, fit

# Chosen by cross-validation over the training reviews, with the films of each fold apart. The weights start small and
# equal, which is naive Bayes with a temperature, and the prior keeps them near that: without it they would fit the
# training reviews too closely. Precisions from 3 to 30 differ by 0.14 points.
FIRST_WEIGHT = 0.4 / 20
PRECISION = 10.0
# Of L-BFGS (Liu and Nocedal, 1989, "On the Limited Memory BFGS Method for Large Scale Optimization"). It ends where a
# step makes the objective less by no more than this, after about 20 of them.
LEAST_GAIN = 1e-5
ITERATIONS = 40
HISTORY = 6  # steps that the curvature is known from
# How finely the sums over all reviews are counted: to 2^-32 of a review, which is far below what the 24 bits of a score
# can tell, and leaves room for two billion reviews.
UNITS = 2.0**32
LARGEST_NORM = 1.0  # of the LSTM's gradient
TEMPERATURES = torch.linspace(0.5, 5.0, 451)  # at most twice as sure as the network was
SHARES = torch.linspace(0.0, 1.0, 21)  # of the second part beside the first, both in their standard deviations


def fit_ngrams(
    scores: NgramScores,
    train: NgramExamples,
    validation: NgramExamples,
    group: ProcessGroup,
    say: Say,
    stage: str,
    checkpoints: CheckpointFolder | None,
) -> dict[str, Any]:
    """Train the linear part until it fits, as one epoch. Random numbers have no part in it.

    Naive Bayes says what each n-gram means, and training how much that counts.

    Args:
        scores: what is trained, on the group's device.
        train: what this process learns from.
        validation: what the figures are of; a target of 0.5 or more counts as positive. It chooses nothing.
        group: the processes that learn from the other examples.
        say: told of the progress.
        stage: names the checkpoint, and the stage in what is said.
        checkpoints: where the fitted part is kept, and found again.

    Returns:
        What `training.fit` returns, of one epoch.

    Raises:
        ProcessGroupError: another process has ended.
    """
    started = time.monotonic()
    content = group.share(checkpoints.content(stage) if checkpoints and group.is_first else None)
    if content is not None:
        state = state_of(content)
        scores.load_state_dict(state["network"])
        say("checkpoint=found, going on after epoch 1 of 1")
        return _metrics(state["figures"])
    loss = _minimize(scores, train, group, say, stage)
    accuracy, validation_loss = _measured(ngram_logits(scores, validation), validation)
    figures = {
        "epoch": 1,
        "train_loss": loss,
        "validation_loss": validation_loss,
        "validation_accuracy": accuracy,
        "seconds": round(time.monotonic() - started, 1),
    }
    if checkpoints and group.is_first:
        checkpoints.write(stage, {"network": scores.state_dict(), "figures": figures})
    say(epoch_line(figures, 1, stage))
    return _metrics(figures)


def ngram_logits(scores: NgramScores, examples: NgramExamples) -> Tensor:
    """Compute the linear part's logits of all examples, in their order, float32 `[examples]` on the CPU."""
    with torch.no_grad():
        table, bias = scores.scores.weight.squeeze(1), scores.bias
        logits = [_sums(rows, table) + bias for _, rows in examples.rows.chunks()]
    return torch.cat([torch.zeros(0), *[each.cpu() for each in logits]])


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
    changes no decision; for two it also chooses the second part's share. All values in reach are tried. The labels
    are taken for a little less than sure, as by Platt (1999, "Probabilistic Outputs for Support Vector Machines"):
    where a few reviews are told apart without a mistake, the part that is surest of all of them would count for all.

    Args:
        logits: by the part's name, float32 `[reviews]`; one part or two.
        labels: 0 or 1, float32 `[reviews]`; of reviews that trained none of the parts.

    Returns:
        The factors, by the part's name.
    """
    positive = int(labels.sum())
    targets = torch.where(labels > 0.5, (positive + 1) / (positive + 2), 1 / (len(labels) - positive + 2))
    parts = list(logits)
    first, last = logits[parts[0]], logits[parts[-1]]
    spread = (first.std() / last.std().clamp(min=1e-6)).item()
    tried = []
    for share in SHARES.tolist() if len(parts) > 1 else [0.0]:
        mixed = first + share * spread * last
        losses = [binary_cross_entropy_with_logits(mixed / value, targets).item() for value in TEMPERATURES]
        tried.append((min(losses), share, TEMPERATURES[losses.index(min(losses))].item()))
    _, share, temperature = min(tried)
    return dict(zip(parts, (1 / temperature, share * spread / temperature), strict=False))


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute what logits stand for, each between 0 and 1.

    By NumPy: there a value's result does not depend on where among others it stands, as it may in torch. So it is the
    same whichever process has the review.
    """
    faint = np.exp(-np.abs(logits.astype(np.float64)))
    return np.where(logits >= 0, 1.0, faint) / (1.0 + faint)


def log_count_ratios(examples: NgramExamples, size: int, group: ProcessGroup = ALONE) -> Tensor:
    """Compare how often each n-gram occurs in positive reviews and in negative ones, of all processes.

    The naive-Bayes log-count ratio of Wang and Manning (2012, "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification"), each review counted once and one more added to each count. A review whose target is a probability
    counts for both labels, with its share of each.

    Args:
        examples: this process's reviews.
        size: how many n-grams there are, and one for the first row, which stands for none.
        group: the processes that have the others.

    Returns:
        float32 `[size]` on the CPU, above 0 for what is more often in positive reviews; the first is 0.
    """
    shares = examples.targets.astype(np.float64) * examples.weights
    counts = torch.zeros(2, size, dtype=torch.int64, device=group.device)
    for which, rows in examples.rows.chunks():
        _add(counts[0], rows, _units(shares[which]))
        _add(counts[1], rows, _units(examples.weights[which] - shares[which]))
    group.add_up(counts)
    praise, blame = 1.0 + counts.cpu().double() / UNITS
    ratios: Tensor = (praise / praise.sum()).log() - (blame / blame.sum()).log()
    ratios[0] = 0.0
    return ratios.float()


def _minimize(scores: NgramScores, train: NgramExamples, group: ProcessGroup, say: Say, stage: str) -> float:
    """Find the scores of the least loss by L-BFGS. Returns the mean loss of an example, by weight."""
    objective = _Objective(train, scores.scores.num_embeddings, group)
    weights = torch.full_like(objective.ratios, FIRST_WEIGHT).requires_grad_()
    bias = torch.zeros(1, device=group.device).requires_grad_()
    optimizer = torch.optim.LBFGS(
        [weights, bias],
        max_iter=ITERATIONS,
        history_size=HISTORY,
        tolerance_grad=0.0,
        tolerance_change=LEAST_GAIN,
        line_search_fn="strong_wolfe",
    )
    reported = time.monotonic()

    def loss() -> float:
        nonlocal reported
        value, weights.grad, bias.grad = objective(weights, bias)
        if time.monotonic() - reported >= SECONDS_BETWEEN_REPORTS:
            reported = time.monotonic()
            done = f"batch={min(optimizer.state[weights].get('n_iter', 0), ITERATIONS)} batches={ITERATIONS}"
            say(f"progress epoch=1 epochs=1 {done} train_loss={objective.train_loss:.4f} stage={stage}")
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        objective(weights, bias)
        scores.scores.weight.copy_((weights * objective.ratios).unsqueeze(1))
        scores.bias.copy_(bias)
    return objective.train_loss


class _Objective:
    """What the linear part's weights are to make small: the mean loss of an example, and how far they are from their
    start, as a normal prior of the precision `PRECISION` has it.

    It is the same to the last bit for any number of processes, whoever has which examples: what an example adds to the
    sums depends on nothing else, and they are sums of integers.

    Args:
        train: this process's examples.
        size: how many n-grams there are, and one for none.
        group: the processes that have the others.
    """

    def __init__(self, train: NgramExamples, size: int, group: ProcessGroup) -> None:
        self.ratios = log_count_ratios(train, size, group).to(group.device)
        self._train = train
        self._group = group
        weight = _units(train.weights).sum().to(group.device)
        group.add_up(weight)
        self._weight = weight.item() / UNITS or 1.0
        self.train_loss = 0.0

    @torch.no_grad()
    def __call__(self, weights: Tensor, bias: Tensor) -> tuple[float, Tensor, Tensor]:
        """Compute the objective, and its gradients by the weights and by the bias."""
        table = weights * self.ratios
        units = torch.zeros(len(weights) + 2, dtype=torch.int64, device=weights.device)
        for which, rows in self._train.rows.chunks():
            logits = (_sums(rows, table) + bias).cpu().numpy()
            found = _errors_and_losses(logits, self._train.targets[which])
            errors, losses = (_units(each * self._train.weights[which]) for each in found)
            _add(units[:-2], rows, errors)
            units[-2] += errors.sum()
            units[-1] += losses.sum()
        self._group.add_up(units)
        sums = units.double() / (UNITS * self._weight)
        by_score, by_bias = sums[:-2], sums[-2:-1]
        self.train_loss = sums[-1].item()
        step, precision = weights - FIRST_WEIGHT, PRECISION / self._weight
        gradient = by_score.float() * self.ratios + precision * step
        return self.train_loss + precision / 2 * step.dot(step).item(), gradient, by_bias.float()


def _sums(rows: Rows, table: Tensor) -> Tensor:
    """What each review's n-grams have in a table `[n-grams + 1]`, added up, float32 `[reviews]`."""
    numbers, offsets = (torch.from_numpy(values).to(table.device) for values in (rows.rows, rows.offsets))
    bags: Tensor = embedding_bag(numbers, table.unsqueeze(1), offsets.int(), mode="sum", include_last_offset=True)
    return bags.squeeze(1)


def _errors_and_losses(
    logits: NDArray[np.float32], targets: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By how much each probability is too high, and its cross entropy."""
    exact, wanted = logits.astype(np.float64), targets.astype(np.float64)
    losses = np.maximum(exact, 0.0) - exact * wanted + np.log1p(np.exp(-np.abs(exact)))
    return probabilities(logits) - wanted, losses


def _units(values: NDArray[np.floating[Any]]) -> Tensor:
    """Count values in units, int64: in any order they have the same sum."""
    return torch.from_numpy(np.rint(UNITS * values.astype(np.float64)).astype(np.int64))


def _add(totals: Tensor, rows: Rows, values: Tensor) -> None:
    """Add each review's value, int64 `[reviews]`, to the totals of its n-grams, int64 `[n-grams + 1]`."""
    numbers, lengths = (torch.from_numpy(each).to(totals.device) for each in (rows.rows, rows.lengths))
    totals.index_add_(0, numbers, values.to(totals.device).repeat_interleave(lengths, output_size=len(numbers)))


def _measured(logits: Tensor, examples: NgramExamples) -> tuple[float, float]:
    """The accuracy, between 0 and 1, and the mean loss of an example, by weight."""
    targets, weights = torch.from_numpy(examples.targets), torch.from_numpy(examples.weights)
    right = ((logits >= 0) == (targets >= 0.5)).float()
    total = weights.sum()
    loss = binary_cross_entropy_with_logits(logits, targets, weights, reduction="sum")
    return ((right * weights).sum() / total).item(), (loss / total).item()


def _metrics(figures: dict[str, Any]) -> dict[str, Any]:
    kept = {name: figures[name] for name in ("validation_accuracy", "validation_loss")}
    return {"best_epoch": figures["epoch"], **kept, "epochs": [figures]}
