"""Train the sentiment model: SageMaker's script-mode entry point, and a program to run by hand.

    python train.py --train DIR --validation DIR --vocabulary DIR --model-dir DIR [--epochs 5 …]

Reads encoded reviews (`reviews.npz`) and the vocabulary, trains with early stopping, and writes a complete artifact.
On SageMaker the folders come from the environment; hyperparameters have the names SageMaker passes them under.
"""

import os

# Threads that wait for each other by spinning are many times slower where other processes want the processor as well.
# OpenMP reads this once, when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import copy
import io
import json
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentimodel import artifact
from sentimodel.dataset import Batch, DatasetError, Split
from sentimodel.network import PAIR_ROWS, LstmClassifier, NetworkConfig, pair_rows, to_onnx
from sentimodel.text import TextSettings
from sentimodel.vocabulary import UNK, Vocabulary, VocabularyError
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

EVALUATION_BATCH = 256
WARM_UP_STEPS = 100
LARGEST_GRADIENT_NORM = 1.0
SECONDS_BETWEEN_REPORTS = 2.0
SCORE_WEIGHT = 0.4  # what the weights of words' and pairs' ratios start from,
SCORE_RATE = 10.0  # and their learning rate, in learning rates: chosen on validation reviews of films not trained on


@dataclass(frozen=True)
class Hyperparameters:
    """What the model is trained with. Each is an option of the same name, underscores included."""

    architecture: str = "lstm"
    epochs: int = 3  # at most
    patience: int = 2  # epochs without a better validation accuracy before training stops
    batch_size: int = 64  # reviews
    learning_rate: float = 0.002  # at its highest
    embedding_dim: int = 64
    hidden_dim: int = 64
    dropout: float = 0.5  # of the pooled features
    input_dropout: float = 0.3  # of the tokens, and of their embeddings' elements
    max_tokens: int = 256  # a longer review loses its beginning
    seed: int = 1


@dataclass(frozen=True)
class Data:
    """What the three channels hold."""

    train: Split
    validation: Split
    vocabulary: bytes
    vocabulary_size: int
    text: TextSettings


class TrainingError(Exception):
    """Training cannot start or go on. The message says why and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say. Returns the exit code: 0, or 1 after one line on stderr that says what is wrong."""
    options = parse(arguments)
    try:
        train(options)
    except (TrainingError, DatasetError, VocabularyError, OSError) as error:
        report_failure(str(error))
        return 1
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options: one for each hyperparameter, the folders, and what goes into the artifact's metadata."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for field in fields(Hyperparameters):
        kind = type(field.default)
        choices = ("lstm",) if field.name == "architecture" else None
        parser.add_argument(f"--{field.name}", type=kind, default=field.default, choices=choices)
    for channel in ("train", "validation", "vocabulary"):
        default = os.environ.get(f"SM_CHANNEL_{channel.upper()}")
        parser.add_argument(f"--{channel}", metavar="DIR", default=default)
    parser.add_argument("--model-dir", metavar="DIR", default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--model-name", metavar="NAME", default=job_name(), help="default: the training job's name")
    parser.add_argument("--dataset", metavar="DIGEST", default="", help="recorded in the artifact")
    return parser.parse_args(arguments)


def job_name() -> str:
    """The training job's name, if this is one."""
    environment = json.loads(os.environ.get("SM_TRAINING_ENV", "{}"))
    return os.environ.get("TRAINING_JOB_NAME") or environment.get("job_name") or "unnamed"


def train(options: argparse.Namespace) -> None:
    """Load the data, fit the network to it, calibrate it, and write the artifact."""
    hyperparameters = Hyperparameters(**{field.name: getattr(options, field.name) for field in fields(Hyperparameters)})
    check(hyperparameters)
    if options.model_dir is None:
        raise TrainingError("the model folder is missing: give --model-dir DIR, or set SM_MODEL_DIR")
    data = load(options)
    make_deterministic(hyperparameters.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(f"reviews={len(data.train)} vocabulary={data.vocabulary_size} device={device.type}", flush=True)

    network = LstmClassifier(network_config(hyperparameters, data.vocabulary_size)).to(device)
    metrics = fit(network, data, hyperparameters, device)
    metrics["temperature"] = calibrate(network, data.validation, hyperparameters.max_tokens, device)
    save(network.cpu(), data, hyperparameters, metrics, options)


def check(hyperparameters: Hyperparameters) -> None:
    """Raise TrainingError for values that no training can be done with."""
    for name, value in asdict(hyperparameters).items():
        if name in ("dropout", "input_dropout"):
            if not 0 <= value < 1:
                raise TrainingError(f"hyperparameter {name} must lie between 0 and 1 (1 excluded), not {value}")
        elif name == "seed":
            if value < 0:
                raise TrainingError(f"hyperparameter seed must not be negative: {value}")
        elif not isinstance(value, str) and not value > 0:
            raise TrainingError(f"hyperparameter {name} must be above 0, not {value}")


def load(options: argparse.Namespace) -> Data:
    """Read the three channels, and check that they fit together."""
    vocabulary_file = channel_file(options, "vocabulary", artifact.VOCABULARY)
    vocabulary_size = len(Vocabulary.load(vocabulary_file))
    text_file = channel_file(options, "vocabulary", "text.json")
    try:
        text = TextSettings.from_dict(json.loads(text_file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise TrainingError(f"{text_file} holds no text settings: {error}. Prepare the data again.") from error
    splits = {}
    for name in ("train", "validation"):
        path = channel_file(options, name, "reviews.npz")
        splits[name] = split = Split.load(path)
        if not 0 < split.labels.sum() < len(split):
            raise TrainingError(f"{path} needs reviews of both labels. Prepare the data again, with more reviews.")
        if split.ids.size and split.ids.max() >= vocabulary_size:
            raise TrainingError(f"{path} was encoded with another vocabulary. Prepare the data again.")
    return Data(splits["train"], splits["validation"], vocabulary_file.read_bytes(), vocabulary_size, text)


def channel_file(options: argparse.Namespace, channel: str, name: str) -> Path:
    """The path of a channel's file, which must exist."""
    folder = getattr(options, channel)
    if folder is None:
        raise TrainingError(f"channel {channel} is missing: give --{channel} DIR, or set SM_CHANNEL_{channel.upper()}")
    path = Path(folder) / name
    if not path.is_file():
        raise TrainingError(f"channel {channel} lacks {name}: {path} does not exist. Prepare the data again.")
    return path


def make_deterministic(seed: int) -> None:
    """The same seed, data and machine give the same weights."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs for it
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)


def network_config(hyperparameters: Hyperparameters, vocabulary_size: int) -> NetworkConfig:
    """The network that the hyperparameters describe."""
    return NetworkConfig.from_hyperparameters({**asdict(hyperparameters), "vocabulary_size": vocabulary_size})


def fit(network: LstmClassifier, data: Data, hyperparameters: Hyperparameters, device: torch.device) -> dict[str, Any]:
    """Train the network, and leave it with the weights of its best epoch.

    The best epoch is the one with the highest validation accuracy. Loss would stop too early: it rises as soon as the
    network grows over-confident, which `calibrate` mends afterwards, while its decisions still get better.

    Returns:
        The metrics for the artifact.
    """
    rng = np.random.default_rng(hyperparameters.seed)
    words, pairs = score_ratios(data.train, data.vocabulary_size)
    network.scores.start_from(words.to(device), pairs.to(device), SCORE_WEIGHT)
    optimizer = make_optimizer(network, hyperparameters.learning_rate)
    steps = hyperparameters.epochs * -(-len(data.train) // hyperparameters.batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps))
    history: list[dict[str, Any]] = []
    best: dict[str, Any] = {"validation_accuracy": -1.0}
    best_weights: dict[str, Tensor] = {}
    for epoch in range(1, hyperparameters.epochs + 1):
        started = time.monotonic()
        train_loss = train_epoch(network, data.train, epoch, hyperparameters, rng, optimizer, schedule, device)
        accuracy, loss = evaluate(network, data.validation, hyperparameters.max_tokens, device)
        figures = {
            "epoch": epoch,
            "train_loss": train_loss,
            "validation_loss": loss,
            "validation_accuracy": accuracy,
            "seconds": round(time.monotonic() - started, 1),
        }
        history.append(figures)
        print(epoch_line(figures, hyperparameters.epochs), flush=True)
        if accuracy > best["validation_accuracy"]:
            best, best_weights = figures, copy.deepcopy(network.state_dict())
        elif epoch - best["epoch"] >= hyperparameters.patience:
            break
    network.load_state_dict(best_weights)
    network.scores.settle()
    return {
        "best_epoch": best["epoch"],
        "validation_accuracy": best["validation_accuracy"],
        "validation_loss": best["validation_loss"],
        "epochs": history,
    }


def score_ratios(split: Split, vocabulary_size: int) -> tuple[Tensor, Tensor]:
    """What each word and each pair of neighbors says by itself, float32 `[vocabulary]` and `[PAIR_ROWS]`."""
    ids = split.ids.astype(np.int64)
    reviews = np.repeat(np.arange(len(split)), split.lengths)
    known = ids > UNK
    both = known[:-1] & known[1:] & (reviews[:-1] == reviews[1:])
    rows = pair_rows(torch.from_numpy(ids[:-1][both]), torch.from_numpy(ids[1:][both])).numpy()
    words = log_count_ratios(ids[known], split.labels, reviews[known], vocabulary_size)
    return words, log_count_ratios(rows, split.labels, reviews[1:][both], PAIR_ROWS)


def log_count_ratios(
    features: NDArray[np.int64], labels: NDArray[np.uint8], reviews: NDArray[np.int64], size: int
) -> Tensor:
    """How much more often each feature occurs in positive reviews than in negative ones, float32 `[size]`.

    The naive-Bayes log-count ratio of Wang and Manning (2012, "Baselines and Bigrams"), each review counted once, and
    one more added to each count. Features that do not occur have 0.

    Args:
        features: which features occur, `[occurrences]`, each below `size`.
        labels: of all reviews, `[reviews]`.
        reviews: the review that each occurrence is in, `[occurrences]`.
        size: how many features there are.
    """
    once = np.unique(reviews * size + features)
    found, positive = once % size, labels[once // size] == 1
    praise = np.bincount(found[positive], minlength=size) + 1.0
    blame = np.bincount(found[~positive], minlength=size) + 1.0
    ratios = np.log(praise / praise.sum()) - np.log(blame / blame.sum())
    ratios[praise + blame == 2] = 0.0
    return torch.from_numpy(ratios).float()


def make_optimizer(network: LstmClassifier, learning_rate: float) -> torch.optim.Optimizer:
    """Adam: the LSTM's parameters in its first group; in its second the scores', which take larger steps."""
    scores = list(network.scores.parameters())
    others = [weights for name, weights in network.named_parameters() if not name.startswith("scores.")]
    groups: list[dict[str, Any]] = [{"params": others}, {"params": scores, "lr": SCORE_RATE * learning_rate}]
    return torch.optim.Adam(groups, lr=learning_rate)


def rate(step: int, steps: int) -> float:
    """The learning rate at a step, as a share of its highest: a short rise, then a straight fall towards 0."""
    return min(1.0, (step + 1) / WARM_UP_STEPS) * max(0.02, 1.0 - step / steps)


def train_epoch(
    network: nn.Module,
    split: Split,
    epoch: int,
    hyperparameters: Hyperparameters,
    rng: np.random.Generator,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    device: torch.device,
) -> float:
    """Go through the training reviews once. Returns the mean loss of a review."""
    network.train()
    batches = -(-len(split) // hyperparameters.batch_size)
    total, seen, reported = 0.0, 0, time.monotonic()
    for number, batch in enumerate(split.batches(hyperparameters.batch_size, hyperparameters.max_tokens, rng), start=1):
        loss = binary_cross_entropy_with_logits(*forward(network, split, batch, device))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], LARGEST_GRADIENT_NORM)
        optimizer.step()
        schedule.step()
        total, seen = total + loss.item() * len(batch.rows), seen + len(batch.rows)
        if not np.isfinite(total):
            raise TrainingError(f"the loss is no number any more in epoch {epoch}: lower the learning_rate")
        if time.monotonic() - reported >= SECONDS_BETWEEN_REPORTS:
            reported = time.monotonic()
            of = f"epoch={epoch} epochs={hyperparameters.epochs} batch={number} batches={batches}"
            print(f"progress {of} train_loss={total / seen:.4f}", flush=True)
    return total / seen


def forward(network: nn.Module, split: Split, batch: Batch, device: torch.device) -> tuple[Tensor, Tensor]:
    """The logits of a batch and its labels as numbers, each float32 `[batch]`."""
    labels = torch.from_numpy(split.labels[batch.rows]).to(device, torch.float32)
    logits: Tensor = network(torch.from_numpy(batch.ids).to(device))
    return logits, labels


def predict(network: nn.Module, split: Split, max_tokens: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """The logits of a whole split and its labels, each float32 `[reviews]`."""
    network.eval()
    with torch.inference_mode():
        pairs = [forward(network, split, batch, device) for batch in split.batches(EVALUATION_BATCH, max_tokens)]
    return torch.cat([logits for logits, _ in pairs]), torch.cat([labels for _, labels in pairs])


def evaluate(network: nn.Module, split: Split, max_tokens: int, device: torch.device) -> tuple[float, float]:
    """The accuracy, between 0 and 1, and the mean loss on a split."""
    logits, labels = predict(network, split, max_tokens, device)
    accuracy = ((logits >= 0) == (labels == 1)).float().mean().item()
    return accuracy, binary_cross_entropy_with_logits(logits, labels).item()


def calibrate(network: LstmClassifier, split: Split, max_tokens: int, device: torch.device) -> float:
    """Make the probabilities honest: divide the logits by the temperature that fits the validation labels best.

    Temperature scaling (Guo et al., 2017, "On Calibration of Modern Neural Networks"), written into the weights.
    No decision changes. Returns the temperature.
    """
    logits, labels = predict(network, split, max_tokens, device)
    temperatures = torch.linspace(0.5, 5.0, 451, device=device)  # at most twice as sure as it was
    losses = torch.stack([binary_cross_entropy_with_logits(logits / value, labels) for value in temperatures])
    temperature = temperatures[losses.argmin()].item()
    network.scale_logits(1 / temperature)
    return temperature


def save(
    network: LstmClassifier,
    data: Data,
    hyperparameters: Hyperparameters,
    metrics: dict[str, Any],
    options: argparse.Namespace,
) -> None:
    """Write the artifact into the model folder."""
    weights = io.BytesIO()
    torch.save(network.state_dict(), weights)
    files = {
        artifact.WEIGHTS: weights.getvalue(),
        artifact.ONNX: to_onnx(network),
        artifact.VOCABULARY: data.vocabulary,
    }
    metadata = artifact.Metadata(
        model=options.model_name,
        architecture=hyperparameters.architecture,
        hyperparameters={**asdict(hyperparameters), "vocabulary_size": data.vocabulary_size},
        text=data.text.to_dict(),
        dataset=options.dataset,
        metrics=metrics,
        files={},
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    )
    artifact.write(Path(options.model_dir), files, Path(__file__).parent, metadata)
    print(f"artifact={options.model_dir} best_epoch={metrics['best_epoch']}", flush=True)


def epoch_line(figures: dict[str, Any], epochs: int) -> str:
    """The line about an epoch that the metric definitions of the training job look for."""
    return (
        f"epoch={figures['epoch']} epochs={epochs} train_loss={figures['train_loss']:.4f}"
        f" validation_loss={figures['validation_loss']:.4f}"
        f" validation_accuracy={figures['validation_accuracy']:.4f} seconds={figures['seconds']:.1f}"
    )


def report_failure(message: str) -> None:
    """Say on stderr why training failed, and in the file that SageMaker takes the job's FailureReason from."""
    print(f"training failed: {message}", file=sys.stderr, flush=True)
    output = os.environ.get("SM_OUTPUT_DATA_DIR")
    if output:
        folder = Path(output).parent
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "failure").write_text(message, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
