"""The training loop: any network that gives a logit for each example, targets that may be soft, weights of examples.

It knows neither what the inputs of the network are nor where its examples come from. It can be run several times in
one training, as stages: a teacher, then its student.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sentimodel.checkpoint import CheckpointFolder, state_of
from sentimodel.examples import Batch, Examples
from sentimodel.process_group import ProcessGroup

EVALUATION_BATCH = 256
WARM_UP_STEPS = 100
LOWEST_RATE = 0.02
SECONDS_BETWEEN_REPORTS = 2.0

Say = Callable[[str], None]


class DivergenceError(Exception):
    """Training has led away from any solution. The message says when and what to do."""


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        epochs: passes over the examples, at most.
        patience: epochs without a better validation accuracy before training stops.
        batch_size: examples that go through the network at once, in all processes together.
        accumulation: batches whose gradients are added up for one step.
        mixed_precision: whether a GPU may calculate with 16 bits where that is safe. A CPU never does: there it is
            slower, and an LSTM fails.
        seed: what all random numbers follow from.
    """

    epochs: int
    patience: int
    batch_size: int
    accumulation: int = 1
    mixed_precision: bool = True
    seed: int = 1


def fit(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    train: Examples,
    validation: Examples,
    recipe: Recipe,
    group: ProcessGroup,
    say: Say,
    *,
    stage: str = "",
    checkpoints: CheckpointFolder | None = None,
) -> dict[str, Any]:
    """Train the network, and leave it with the weights of its best epoch.

    The best epoch is the one with the highest validation accuracy. Loss would stop too early: it rises as soon as the
    network grows over-confident, which calibration mends afterwards, while its decisions still get better.

    Random numbers outside are the same before and after, and those of an epoch follow from seed, stage and epoch. So
    training that goes on from a checkpoint ends with the very weights it would have had in one go.

    Args:
        network: on the group's device, the same in all processes.
        optimizer: of the network. The gradient of a parameter group with the entry `largest_norm` is clipped to it.
        train: what to learn.
        validation: what the best epoch is chosen by; a target of 0.5 or more counts as positive.
        recipe: how.
        group: the processes that train together. Each step is taken on `batch_size · accumulation` examples, of which
            each process puts those through the network that it has. The result is that of one process, up to rounding.
        say: told of each epoch, and of the progress within one.
        stage: names the checkpoint, and the stage in what is said.
        checkpoints: where to go on from, and where to keep each epoch.

    Returns:
        `best_epoch`, its `validation_accuracy` and `validation_loss`, and the figures of all `epochs`.

    Raises:
        DivergenceError: the loss is no number any more.
        ProcessGroupError: another process has ended.
    """
    with torch.random.fork_rng([group.device] if group.device.type == "cuda" else []):
        loop = _Loop(network, optimizer, train, validation, recipe, group, say, stage)
        content = group.share(checkpoints.content(stage) if checkpoints and group.is_first else None)
        if content is not None:
            loop.restore(state_of(content))
        while not loop.finished:
            figures = loop.run_epoch()
            if checkpoints and group.is_first:
                checkpoints.write(stage, loop.state())
            say(epoch_line(figures, recipe.epochs, stage))  # an epoch that was told of is never trained again
    network.load_state_dict(loop.best_weights)
    return loop.metrics()


def predict(network: nn.Module, examples: Examples, device: torch.device) -> Tensor:
    """Compute the logits of all examples, in their order, float32 `[examples]` on the CPU."""
    network.eval()
    logits = torch.zeros(len(examples))
    with torch.inference_mode():
        for rows in examples.groups(EVALUATION_BATCH):
            logits[torch.from_numpy(rows)] = _logits(network, examples.batch(rows), device).cpu()
    return logits


def rate(step: int, steps: int) -> float:
    """Return the learning rate at a step, as a share of its highest: a short rise, then a straight fall towards 0."""
    return min(1.0, (step + 1) / WARM_UP_STEPS) * max(LOWEST_RATE, 1.0 - step / steps)


def epoch_line(figures: dict[str, Any], epochs: int, stage: str = "") -> str:
    """Write the line about an epoch that the metric definitions of the training job look for."""
    return (
        f"epoch={figures['epoch']} epochs={epochs} train_loss={figures['train_loss']:.4f}"
        f" validation_loss={figures['validation_loss']:.4f}"
        f" validation_accuracy={figures['validation_accuracy']:.4f} seconds={figures['seconds']:.1f}"
        + (f" stage={stage}" if stage else "")
    )


@dataclass
class _Loop:
    """A training in progress."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    train: Examples
    validation: Examples
    recipe: Recipe
    group: ProcessGroup
    say: Say
    stage: str
    history: list[dict[str, Any]] = field(default_factory=list)
    best_weights: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.step_size = self.recipe.batch_size * self.recipe.accumulation
        steps = self.recipe.epochs * math.ceil(len(self.train) / self.step_size)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: rate(step, steps))
        self.on_gpu = self.group.device.type == "cuda"
        # Half precision in its wide form needs no scaling of the loss; not every GPU has it.
        self.half = torch.bfloat16 if self.on_gpu and torch.cuda.is_bf16_supported() else torch.float16
        scaled = self.on_gpu and self.recipe.mixed_precision and self.half is torch.float16
        self.scaler = torch.amp.GradScaler(self.group.device.type, enabled=scaled)

    @property
    def best(self) -> dict[str, Any]:
        """The figures of the first of the best epochs."""
        return max(self.history, key=lambda figures: float(figures["validation_accuracy"]))

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or the last ones brought nothing."""
        done = len(self.history)
        return done == self.recipe.epochs or (done > 0 and done - self.best["epoch"] >= self.recipe.patience)

    def metrics(self) -> dict[str, Any]:
        """The figures for the artifact."""
        best = self.best
        return {
            "best_epoch": best["epoch"],
            "validation_accuracy": best["validation_accuracy"],
            "validation_loss": best["validation_loss"],
            "epochs": self.history,
        }

    def state(self) -> dict[str, Any]:
        """All that the next epoch depends on."""
        parts = {name: getattr(self, name).state_dict() for name in ("network", "optimizer", "schedule", "scaler")}
        return {**parts, "best_weights": self.best_weights, "history": self.history}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        for name in ("network", "optimizer", "schedule", "scaler"):
            getattr(self, name).load_state_dict(state[name])
        self.best_weights, self.history = state["best_weights"], state["history"]
        self.say(f"checkpoint=found, going on after epoch {len(self.history)} of {self.recipe.epochs}")

    def run_epoch(self) -> dict[str, Any]:
        """Go through the training examples once. Returns the figures of what it brought."""
        started, epoch = time.monotonic(), len(self.history) + 1
        train_loss = self._learn(epoch, self._seed(epoch))
        accuracy, loss = self._measure()
        figures = {
            "epoch": epoch,
            "train_loss": train_loss,
            "validation_loss": loss,
            "validation_accuracy": accuracy,
            "seconds": round(time.monotonic() - started, 1),
        }
        self.history.append(figures)
        if self.best is figures:
            self.best_weights = copy.deepcopy(self.network.state_dict())
        return figures

    def _seed(self, epoch: int) -> np.random.Generator:
        """The generator of an epoch's order. It is the same in all processes, as are torch's numbers."""
        entropy = [self.recipe.seed, epoch, *self.stage.encode()]
        torch.manual_seed(int(np.random.SeedSequence([0, *entropy]).generate_state(1)[0]))
        return np.random.default_rng(entropy)

    def _learn(self, epoch: int, rng: np.random.Generator) -> float:
        """Take all steps of an epoch. Returns the mean loss of an example, by weight."""
        self.network.train()
        sums, reported = torch.zeros(2, dtype=torch.float64), time.monotonic()
        steps = self.train.groups(self.step_size, rng)
        for number, rows in enumerate(steps, start=1):
            sums += self._step(rows)
            if not sums[0].isfinite():
                raise DivergenceError(f"the loss is no number any more in epoch {epoch}: lower the learning_rate")
            if time.monotonic() - reported >= SECONDS_BETWEEN_REPORTS:
                reported = time.monotonic()
                loss = (sums[0] / sums[1]).item()
                of = f"epoch={epoch} epochs={self.recipe.epochs} batch={number} batches={len(steps)}"
                self.say(f"progress {of} train_loss={loss:.4f}" + (f" stage={self.stage}" if self.stage else ""))
        return self._mean(sums)

    def _step(self, rows: NDArray[np.int64]) -> Tensor:
        """One step on those of the rows that this process has. Returns its sums of loss and weight, float64 `[2]`."""
        batches = [batch for batch in self._batches(rows) if len(batch.targets)]
        weight = torch.stack([batch.weights.sum() for batch in batches]).sum() if batches else torch.zeros(())
        whole = weight.to(self.group.device, torch.float64, copy=True)
        self.group.add_up(whole)
        whole.clamp_(min=torch.finfo(torch.float32).tiny)  # a step on examples without any weight changes nothing
        self.optimizer.zero_grad()
        loss = 0.0
        for batch in batches:
            with torch.autocast(self.group.device.type, self.half, self.on_gpu and self.recipe.mixed_precision):
                logits = _logits(self.network, batch, self.group.device)
            total = _loss(logits, batch)
            torch.autograd.backward(self.scaler.scale(total / whole.float()))
            loss += total.item()
        self._update()
        return torch.tensor([loss, weight.item()], dtype=torch.float64)

    def _batches(self, rows: NDArray[np.int64]) -> Iterator[Batch]:
        """The batches of a step, each of rows from all over it: rows are sorted by length."""
        parts = self.recipe.accumulation
        return (self.train.batch(rows[part::parts]) for part in range(min(parts, len(rows))))

    def _update(self) -> None:
        """Move the weights by what all processes have found."""
        groups = self.optimizer.param_groups
        self.group.add_up_gradients([weights for group in groups for weights in group["params"]])
        self.scaler.unscale_(self.optimizer)
        for group in groups:
            if "largest_norm" in group:
                nn.utils.clip_grad_norm_(group["params"], group["largest_norm"])
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.schedule.step()

    def _measure(self) -> tuple[float, float]:
        """The accuracy, between 0 and 1, and the mean loss on the validation examples, each process measuring some."""
        self.network.eval()
        right, sums = torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
        groups = self.validation.groups(EVALUATION_BATCH)
        with torch.inference_mode():
            for rows in groups[self.group.rank :: self.group.size]:
                batch = self.validation.batch(rows)
                logits = _logits(self.network, batch, self.group.device)
                agree = (logits >= 0).cpu() == (batch.targets >= 0.5)
                right += torch.tensor([(agree * batch.weights).sum(), batch.weights.sum()])
                sums += torch.tensor([_loss(logits, batch), batch.weights.sum()])
        return self._mean(right), self._mean(sums)

    def _mean(self, sums: Tensor) -> float:
        """A sum of values over a sum of weights, each of all processes."""
        sums = sums.to(self.group.device)
        self.group.add_up(sums)
        return (sums[0] / sums[1]).item()


def _logits(network: nn.Module, batch: Batch, device: torch.device) -> Tensor:
    logits: Tensor = network(*[values.to(device) for values in batch.inputs])
    return logits.float()


def _loss(logits: Tensor, batch: Batch) -> Tensor:
    targets, weights = batch.targets.to(logits.device), batch.weights.to(logits.device)
    return binary_cross_entropy_with_logits(logits, targets, weights, reduction="sum")
