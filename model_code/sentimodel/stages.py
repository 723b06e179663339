"""The stages of a training: for each architecture all that is trained, in order.

A linear model of n-grams comes first; it is the linear part, and what the LSTM takes its evidence from. About a review
that shaped it a linear model is too sure. So the training reviews are dealt into folds, those of one film into one, and
the LSTM gets the evidence about each from a model of the other folds (stacking; Wolpert, 1992, "Stacked
Generalization").

With unlabelled reviews, what the linear model says of them is learned besides the labels: by a second linear model,
which is self-training and then takes the first one's place, and after that by the LSTM, which is distillation.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from sentimodel.checkpoint import CheckpointFolder
from sentimodel.counting import TOKENS_AT_ONCE, most_frequent
from sentimodel.dataset import Reviews
from sentimodel.examples import Evidence, LstmExamples, NgramExamples, StoredRows
from sentimodel.fit import calibration_factors, fit_lstm, fit_ngrams, ngram_logits, probabilities
from sentimodel.network import LstmClassifier, NetworkConfig, NgramScores, SentimentNetwork
from sentimodel.ngrams import LONGEST
from sentimodel.process_group import ProcessGroup
from sentimodel.scratch import Scratch
from sentimodel.shares import Share
from sentimodel.training import Say, predict
from sentimodel.training_inputs import Data, Hyperparameters
from sentimodel.word_vectors import word_vectors

LEAST_OCCURRENCES = 2  # of an n-gram in the reviews that are learned from
# How much an unlabelled review counts beside a labelled one, and by what the teacher's logits are multiplied before a
# linear model learns from them: as they are they hold nothing new for it. Chosen on validation reviews.
UNLABELLED_WEIGHT = 0.5
SHARPENING = 2.0
FOLDS = 5
EVIDENCE_SCALE = 15.0  # brings the scores of n-grams to the size that an LSTM's inputs have


class Trainer:
    """The stages of one training.

    Args:
        data: the reviews.
        hyperparameters: what to train with.
        group: the processes that train together.
        say: told of the progress.
        checkpoints: where each epoch is kept, if anywhere.
    """

    def __init__(
        self,
        data: Data,
        hyperparameters: Hyperparameters,
        group: ProcessGroup,
        say: Say,
        checkpoints: CheckpointFolder | None,
    ) -> None:
        self._data = data
        self._hyperparameters = hyperparameters
        self._group = group
        self._say = say
        self._checkpoints = checkpoints
        self._stages: dict[str, Any] = {}
        self.ngrams = most_frequent(data.texts, hyperparameters.ngrams, LEAST_OCCURRENCES, group)
        words = min(hyperparameters.lstm_vocabulary_size, data.vocabulary_size)
        sizes = asdict(hyperparameters) | {"ngrams": len(self.ngrams), "lstm_vocabulary_size": words}
        self.network = SentimentNetwork(NetworkConfig.from_hyperparameters(sizes)).to(group.device)
        self._rows, self._ends = self._stored(data.texts)
        self._labels = data.train.reviews.labels.astype(np.float32)
        rows, self._validation_ends = self._stored([data.validation])
        self._validation = NgramExamples(rows, data.validation.labels.astype(np.float32))

    def run(self) -> dict[str, Any]:
        """Train the parts of the network and calibrate their sum. Returns the metrics."""
        first = self._fit_ngrams(NgramExamples(self._rows.part(0, len(self._labels)), self._labels), "ngram")
        linear, guesses = first, torch.zeros(0)
        if self._data.unlabelled is not None:
            targets = self._targets(SHARPENING * self._guesses(first))
            linear = self._fit_ngrams(NgramExamples(self._rows, *targets), "self-training")
            guesses = self._guesses(linear)
        said = {}
        if self.network.ngram is not None:
            self.network.ngram.load_state_dict(linear.state_dict())
            said["ngram"] = ngram_logits(linear, self._validation)
        if self.network.lstm is not None:
            said["lstm"] = self._train_lstm(self.network.lstm, first, guesses)
        return self._calibrate(said)

    def _stored(self, texts: Sequence[Reviews]) -> tuple[StoredRows, Scratch]:
        """Keep in files which n-grams the reviews hold, and, for an LSTM, which end with each token."""
        rows, ends, counts = Scratch(np.int32), Scratch(np.int32), [np.zeros(1, dtype=np.int64)]
        for part in (part for reviews in texts for part in reviews.parts(TOKENS_AT_ONCE)):
            held, ending = self.ngrams.read(part)
            rows.append(held.rows)
            counts.append(held.lengths)
            if self.network.lstm is not None:
                ends.append(ending)
        return StoredRows(rows, np.cumsum(np.concatenate(counts))), ends

    def _fit_ngrams(self, examples: NgramExamples, stage: str) -> NgramScores:
        scores = NgramScores(self.network.config).to(self._group.device)
        self._stages[stage] = fit_ngrams(
            scores, examples, self._validation, self._group, self._say, stage, self._checkpoints
        )
        return scores

    def _targets(self, guesses: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For each review here to learn from the probability of "positive", and how much it counts; both float32.

        Args:
            guesses: a teacher's logits of the unlabelled reviews here; none where there are none.
        """
        weights = np.full(len(guesses), UNLABELLED_WEIGHT, dtype=np.float32)
        targets = np.concatenate([self._labels, probabilities(guesses.numpy()).astype(np.float32)])
        return targets, np.concatenate([np.ones_like(self._labels), weights])

    def _guesses(self, scores: NgramScores) -> Tensor:
        """The calibrated logits of the unlabelled reviews that are here."""
        rows = self._rows.part(len(self._labels), len(self._rows))
        unlabelled = NgramExamples(rows, np.zeros(len(rows), dtype=np.float32))
        said = ngram_logits(scores, self._validation)
        factor = calibration_factors({"ngram": said}, torch.from_numpy(self._validation.targets))["ngram"]
        return factor * ngram_logits(scores, unlabelled)

    def _train_lstm(self, lstm: LstmClassifier, linear: NgramScores, guesses: Tensor) -> Tensor:
        """Train the LSTM, on the labels and on a teacher's logits of the unlabelled reviews. Returns what it says of
        the validation reviews."""
        data, hyper, checkpoints = self._data, self._hyperparameters, self._checkpoints
        share = Share(Reviews.joined(data.texts), data.rows, data.lengths)
        tables, models = self._stacked(linear, len(share.reviews))
        own = np.full(len(data.validation), len(tables) - 1)
        vectors = lstm.embedding
        means = word_vectors(data.texts, vectors.num_embeddings, vectors.embedding_dim, hyper.seed, self._group)
        lstm.start_from(means, tables[-1])
        evidence = Evidence(_by_token(self._ends), tables, models)
        train = LstmExamples(share, evidence, hyper.max_tokens, *self._targets(guesses), lstm.noise)
        evidence = Evidence(_by_token(self._validation_ends), tables, own)
        validation = LstmExamples(Share.whole(data.validation), evidence, hyper.max_tokens, self._validation.targets)
        self._stages["lstm"] = fit_lstm(
            lstm, train, validation, hyper.learning_rate, hyper.recipe, self._group, self._say, checkpoints
        )
        return predict(lstm, validation, self._group.device)

    def _stacked(self, linear: NgramScores, reviews: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Train a linear model on each choice of all folds but one, for scores of n-grams that no review shaped itself.

        Args:
            linear: the model of all training reviews; the last of the tables.
            reviews: how many are here to learn from.

        Returns:
            Each model's scores, float32 `[models, n-grams + 1]`, and for each review here the model that has not
            learned from it, int64 `[reviews here]`.
        """
        labelled, train = len(self._labels), self._data.train
        # One film cannot be dealt: then its reviews are.
        groups, count = (
            (train.reviews.groups, self._data.groups) if self._data.groups > 1 else (train.rows, len(train.lengths))
        )
        rng = np.random.default_rng(self._hyperparameters.seed)
        folds = (rng.permutation(count) % FOLDS)[groups]
        tables: list[NDArray[np.float32]] = []
        for fold in range(FOLDS):
            others = NgramExamples(self._rows.part(0, labelled), self._labels, (folds != fold).astype(np.float32))
            tables.append(self._fit_ngrams(others, f"fold-{fold + 1}").table())
        models = np.full(reviews, FOLDS, dtype=np.int64)
        models[:labelled] = folds
        return np.float32(EVIDENCE_SCALE) * np.stack([*tables, linear.table()]), models

    def _calibrate(self, said: dict[str, Tensor]) -> dict[str, Any]:
        """Make the sum of the parts an honest logit. Returns the metrics.

        Args:
            said: what each part says of the validation reviews.
        """
        labels = torch.from_numpy(self._validation.targets)
        scales = calibration_factors(said, labels)
        for part, scale in scales.items():
            self.network.parts[part].scale(scale)
        logits = torch.stack([scale * said[part] for part, scale in scales.items()]).sum(dim=0)
        last = list(self._stages.values())[-1]
        metrics = {
            "best_epoch": last["best_epoch"],
            "validation_accuracy": _accuracy(logits, labels),
            "validation_loss": binary_cross_entropy_with_logits(logits, labels).item(),
            "epochs": last["epochs"],
            "parts": {
                part: {"validation_accuracy": _accuracy(said[part], labels), "scale": scales[part]} for part in said
            },
            "stages": self._stages,
        }
        self._say(
            "calibrated validation_loss={validation_loss:.4f} validation_accuracy={validation_accuracy:.4f}".format(
                **metrics
            )
        )
        return metrics


def _by_token(ends: Scratch) -> NDArray[np.int32]:
    return ends.mapped().reshape(-1, LONGEST)


def _accuracy(logits: Tensor, labels: Tensor) -> float:
    return ((logits >= 0) == (labels == 1)).float().mean().item()
