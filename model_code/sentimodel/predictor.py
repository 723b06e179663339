"""Predictions from an artifact and why they are so, with ONNX Runtime (quick to start, no torch) or with torch."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sentimodel.artifact import INPUTS, PARTS, ArtifactError, Metadata, read_metadata, verify
from sentimodel.dataset import Reviews, batches, pick
from sentimodel.files import NGRAMS, ONNX, VOCABULARY, WEIGHTS
from sentimodel.ngrams import LONGEST, NgramError, Ngrams
from sentimodel.text import Located, TextSettings, locate, tokenize
from sentimodel.vocabulary import PAD, UNK, Vocabulary, VocabularyError

Runtime = Literal["onnx", "torch"]
# By the names of the inputs, arrays of a batch; to, by the names of the parts, their logits, float32 `[batch]`.
Network = Callable[[Mapping[str, NDArray[np.int64]]], Mapping[str, NDArray[np.float32]]]

MOST_PHRASES = 10  # in an explanation
# Of a request. Each is a pass of the LSTM, of which one core does some thousands a second, and the function in front of
# the endpoint waits for 24 seconds. A review of 50,000 characters has up to 10,500.
MOST_EXPLAINED_WORDS = 12_000
_BATCH = 64  # reviews at a time: bounds the memory that long reviews take


@dataclass(frozen=True)
class Prediction:
    """The answer about one review.

    Attributes:
        label: "positive" or "negative".
        sentiment: the same as 1 or 0.
        probability: of "positive", between 0 and 1.
        model: the name of the model that says so.
        undecided: whether the model knows no word of the review, so that its answer means nothing.
    """

    label: str
    sentiment: int
    probability: float
    model: str
    undecided: bool


@dataclass(frozen=True)
class Word:
    """A token of the review.

    Attributes:
        word: the token as the model reads it: in small letters, entities replaced.
        start: where it begins in the review as it was given, in Unicode code points.
        end: where it ends, excluded.
        contribution: how much it speaks for "positive", in units of the logit.
    """

    word: str
    start: int
    end: int
    contribution: float


@dataclass(frozen=True)
class Phrase:
    """An n-gram of the review that the linear part of a model knows.

    Attributes:
        phrase: its tokens, joined by spaces.
        contribution: how much all its occurrences together speak for "positive", in units of the logit.
    """

    phrase: str
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """The contribution of each word, and the phrases that counted most.

    Attributes:
        words: every token, in reading order.
        phrases: at most `MOST_PHRASES`, the strongest first; none for a model without a linear part.
    """

    words: tuple[Word, ...]
    phrases: tuple[Phrase, ...]

    @classmethod
    def of(
        cls, located: Sequence[Located], attributions: Mapping[str, NDArray[np.float64]], phrases: Iterable[Phrase]
    ) -> "Explanation":
        """Put together what the parts of a model explain.

        Args:
            located: the review's tokens.
            attributions: by the part's name, what each token contributed to that part's logit, float64 `[tokens]`.
            phrases: all n-grams of the review that the linear part knows, each once, in any order.
        """
        total = np.sum([np.zeros(len(located)), *attributions.values()], axis=0)
        words = tuple(Word(*each, float(part)) for each, part in zip(located, total, strict=True))
        strongest = sorted(phrases, key=lambda phrase: -abs(phrase.contribution))[:MOST_PHRASES]
        return cls(words, tuple(strongest))


class Predictor:
    """A model that is ready to predict.

    A review without a single word that the model knows tells it nothing, so its probability is 0.5, whatever the
    network would make of unknown words.
    """

    def __init__(self, metadata: Metadata, vocabulary: Vocabulary, ngrams: Ngrams, network: Network) -> None:
        self.metadata = metadata
        self._parts = PARTS[metadata.architecture]
        self._vocabulary = vocabulary
        self._ngrams = ngrams
        self._network = network
        self._text = TextSettings.from_dict(metadata.text)
        self._max_tokens = int(metadata.hyperparameters["max_tokens"])

    @classmethod
    def load(cls, folder: Path | str, runtime: Runtime = "onnx", threads: int = 0) -> "Predictor":
        """Load an artifact folder. Several threads may ask what it gives at the same time.

        Args:
            folder: the artifact.
            runtime: what runs the network.
            threads: how many ONNX Runtime takes for one batch; 0 for one a core.

        Raises:
            ArtifactError: a file is missing or wrong; says which, why, and what to do.
        """
        folder = Path(folder)
        metadata = read_metadata(folder)
        weights = ONNX if runtime == "onnx" else WEIGHTS
        verify(folder, metadata, (weights, NGRAMS, VOCABULARY))
        path = folder / weights
        try:
            vocabulary = Vocabulary.load(folder / VOCABULARY)
            parts = PARTS[metadata.architecture]
            network = _start_onnx(path, parts, threads) if runtime == "onnx" else _start_torch(path, metadata)
            return cls(metadata, vocabulary, Ngrams.load(folder / NGRAMS), network)
        except (VocabularyError, NgramError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ArtifactError(f"{folder} holds no usable model: {error!r}. Train the model again.") from error

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """Predict the sentiment of each raw review, in the order given."""
        reviews = self.encode(texts)
        told = zip(self.probabilities(reviews).tolist(), _any_known(reviews).tolist(), strict=True)
        return [self._prediction(probability, known) for probability, known in told]

    def encode(self, texts: Iterable[str]) -> Reviews:
        """Encode raw reviews in the ids of this model's vocabulary, in the order given."""
        return Reviews.from_reviews(self._vocabulary.encode(tokenize(text, self._text)) for text in texts)

    def probabilities(self, reviews: Reviews | Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Compute the probability of "positive" for each encoded review, float64 `[reviews]`, in the order given."""
        encoded = reviews if isinstance(reviews, Reviews) else Reviews.from_reviews(reviews)
        return sigmoid(np.sum(list(self.part_logits(encoded).values()), axis=0))

    def part_logits(self, reviews: Reviews) -> dict[str, NDArray[np.float64]]:
        """Compute the share of each part of the architecture in the logit of each encoded review, in the order given.

        Returns:
            By the part's name, its share of the logit, float64 `[reviews]`; the sum of all parts is the logit.
        """
        logits = {part: np.zeros(len(reviews), dtype=np.float64) for part in self._parts}
        for rows, inputs in self._batches(reviews):
            for part, values in self._network(inputs).items():
                logits[part][rows] = values
        known = _any_known(reviews)
        return {part: np.where(known, values, 0.0) for part, values in logits.items()}

    def explain(self, text: str) -> Explanation:
        """Tell how much each token of a review speaks for "positive", and which phrases do so most.

        A token's contribution is the sum of what the parts of the architecture attribute to it: the linear part the
        scores of the n-grams that it is in, in equal shares, which is exact; the LSTM what it says less without it.
        """
        located = locate(text, self._text)
        review = Reviews.from_reviews([self._vocabulary.encode(each.token for each in located)])
        attributions: dict[str, NDArray[np.float64]] = {}
        phrases: dict[str, float] = {}
        if "ngram" in self._parts:
            attributions["ngram"], phrases = self._scored(review, [each.token for each in located])
        if "lstm" in self._parts:
            attributions["lstm"] = self._occlusion(review)
        return Explanation.of(located, attributions, [Phrase(*each) for each in phrases.items()])

    def _scored(self, review: Reviews, tokens: Sequence[str]) -> tuple[NDArray[np.float64], dict[str, float]]:
        """Share out the linear part's logit of one review: to each token, float64 `[tokens]`, and to each n-gram."""
        found = list(self._ngrams.places(review))
        rows = np.unique(np.concatenate([places.rows for places in found]))
        scores = dict(zip(rows.tolist(), self._scores(rows), strict=True))
        occurrences = Counter(np.concatenate([places.rows for places in found]).tolist())
        attributions, phrases = np.zeros(len(tokens), dtype=np.float64), defaultdict[str, float](float)
        for places in found:
            for row, start in zip(places.rows.tolist(), places.starts.tolist(), strict=True):
                span, score = slice(start, start + places.tokens), scores[row] / occurrences[row]
                attributions[span] += score / places.tokens
                phrases[" ".join(tokens[span])] += score
        return attributions, phrases

    def _scores(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The scores of n-grams, float64: what the linear part says of each alone, less what it says of none."""
        alone = np.concatenate([[0], rows])[:, np.newaxis]
        inputs = {"rows": alone, "ids": np.full_like(alone, PAD), "ends": np.zeros((*alone.shape, LONGEST), np.int64)}
        needed = {name for part in self._parts for name in INPUTS[part]}
        said = self._network({name: inputs[name] for name in needed})["ngram"]
        scores: NDArray[np.float64] = said[1:].astype(np.float64) - said[0]
        return scores

    def _occlusion(self, review: Reviews) -> NDArray[np.float64]:
        """Compute for each token the LSTM's logit of one review less its logit with that token made unknown.

        Occlusion (Zeiler and Fergus, 2014, "Visualizing and Understanding Convolutional Networks"), float64 `[tokens]`.

        Tokens that the model does not know, or that lie outside the `max_tokens` the LSTM reads, have 0.
        """
        contributions = np.zeros(len(review.ids), dtype=np.float64)
        first = max(0, len(review.ids) - self._max_tokens)
        ids, ends = review.ids[first:].astype(np.int64), self._ngrams.read(review)[1][first:].astype(np.int64)
        known = np.flatnonzero(ids > UNK)
        if not len(known):
            return contributions
        occluded = np.append(known, -1)
        said = [self._without(ids, ends, occluded[at : at + _BATCH]) for at in range(0, len(occluded), _BATCH)]
        *without, whole = np.concatenate(said).astype(np.float64)
        if np.count_nonzero(review.ids > UNK) == 1:  # without it the model knows no word
            without = [np.float64(0)]
        contributions[first + known] = whole - without
        return contributions

    def _without(
        self, ids: NDArray[np.int64], ends: NDArray[np.int64], positions: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """The LSTM's logits of one review's tokens with the one at each position made unknown; none where it is -1."""
        copies = {"ids": np.tile(ids, (len(positions), 1)), "ends": np.tile(ends, (len(positions), 1, 1))}
        (rows,) = np.nonzero(positions >= 0)
        copies["ids"][rows, positions[rows]] = UNK
        for step in range(LONGEST):  # n-grams of more than so many tokens that end so far behind a token hold it
            rows = rows[positions[rows] + step < len(ids)]
            copies["ends"][rows, positions[rows] + step, step:] = 0
        if "ngram" in self._parts:
            copies["rows"] = np.zeros((len(positions), 1), dtype=np.int64)
        return self._network(copies)["lstm"]

    def _batches(self, reviews: Reviews) -> Iterator[tuple[NDArray[np.int64], dict[str, NDArray[np.int64]]]]:
        """The rows of some reviews of similar length, and what the network reads of them."""
        needed = {name for part in self._parts for name in INPUTS[part]}
        found, ends = self._ngrams.read(reviews)
        for rows in batches(np.minimum(reviews.lengths, self._max_tokens), _BATCH):
            positions = reviews.positions(rows, self._max_tokens)
            inputs = {"rows": found.padded(rows)} if "rows" in needed else {}
            if "ids" in needed:
                inputs |= {"ids": pick(reviews.ids, positions), "ends": pick(ends, positions)}
            yield rows, inputs

    def _prediction(self, probability: float, known: bool) -> Prediction:
        sentiment = int(probability >= 0.5)
        label = "positive" if sentiment else "negative"
        return Prediction(label, sentiment, probability, self.metadata.model, undecided=not known)


def _any_known(reviews: Reviews) -> NDArray[np.bool_]:
    """Whether each review has a word that the model knows, `[reviews]`."""
    known: NDArray[np.bool_] = np.bincount(reviews.owners, weights=reviews.ids > UNK, minlength=len(reviews)) > 0
    return known


def _start_onnx(path: Path, parts: Sequence[str], threads: int) -> Network:
    # Versions from 1.29 on tell Microsoft of each start and keep an ID of the machine, unless this is said before.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    try:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leave the processor to others
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base class below Exception
        raise ValueError(f"{path.name}: {error}") from error
    found = [output.name for output in session.get_outputs()]
    if found != list(parts):
        raise ValueError(f"{path.name}: it has the parts {found}, not {list(parts)}")

    def network(inputs: Mapping[str, NDArray[np.int64]]) -> Mapping[str, NDArray[np.float32]]:
        return dict(zip(parts, session.run(parts, dict(inputs)), strict=True))

    return network


def _start_torch(path: Path, metadata: Metadata) -> Network:
    import torch

    from sentimodel.network import NetworkConfig, SentimentNetwork

    module = SentimentNetwork(NetworkConfig.from_hyperparameters(metadata.hyperparameters))
    module.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    module.eval()

    def network(inputs: Mapping[str, NDArray[np.int64]]) -> Mapping[str, NDArray[np.float32]]:
        with torch.inference_mode():
            said = module(*[torch.from_numpy(inputs[name]) for name in module.inputs])
        return {part: logits.numpy() for part, logits in zip(module.parts, said, strict=True)}

    return network


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of "positive" that logits stand for, float64 of the same shape."""
    return np.exp(-np.logaddexp(0.0, -logits))  # neither tail overflows or is rounded to 0
