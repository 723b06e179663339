"""Predictions from an artifact, with ONNX Runtime (quick to start, no torch) or with torch (at the endpoint)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sentimodel import artifact
from sentimodel.artifact import ArtifactError, Metadata
from sentimodel.dataset import Split, shorten
from sentimodel.text import TextSettings, tokenize
from sentimodel.vocabulary import UNK, Vocabulary, VocabularyError

Runtime = Literal["onnx", "torch"]
Logits = Callable[[NDArray[np.int64]], NDArray[np.float32]]  # ids [batch, time] -> logits [batch]

_BATCH = 64  # reviews at a time: bounds the memory that long reviews take


@dataclass(frozen=True)
class Prediction:
    """What the model says about one review.

    Attributes:
        label: "positive" or "negative".
        sentiment: the same as 1 or 0.
        probability: of "positive", between 0 and 1.
        model: the name of the model that says so.
    """

    label: str
    sentiment: int
    probability: float
    model: str


class Predictor:
    """A model that is ready to predict.

    A review without a single word that the model knows tells it nothing, so its probability is 0.5, whatever the
    network would make of unknown words.
    """

    def __init__(self, metadata: Metadata, vocabulary: Vocabulary, network: Logits) -> None:
        self.metadata = metadata
        self._vocabulary = vocabulary
        self._network = network
        self._text = TextSettings.from_dict(metadata.text)
        self._max_tokens = int(metadata.hyperparameters["max_tokens"])

    @classmethod
    def load(cls, folder: Path | str, runtime: Runtime = "onnx") -> "Predictor":
        """Load an artifact folder. Raises ArtifactError, saying which file is wrong, why, and what to do."""
        folder = Path(folder)
        metadata = artifact.read_metadata(folder)
        weights = artifact.ONNX if runtime == "onnx" else artifact.WEIGHTS
        artifact.verify(folder, metadata, (weights, artifact.VOCABULARY))
        start = _start_onnx if runtime == "onnx" else _start_torch
        try:
            vocabulary = Vocabulary.load(folder / artifact.VOCABULARY)
            return cls(metadata, vocabulary, start(folder / weights, metadata))
        except (VocabularyError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ArtifactError(f"{folder} holds no usable model: {error!r}. Train the model again.") from error

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """What the model says about each raw review, in the order given."""
        encoded = [self._vocabulary.encode(tokenize(text, self._text)) for text in texts]
        return [self._prediction(float(probability)) for probability in self.probabilities(encoded)]

    def probabilities(self, reviews: Split | Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """The probability of "positive" for each encoded review, float64 `[reviews]`, in the order given."""
        split = reviews if isinstance(reviews, Split) else Split.from_reviews(reviews, [0] * len(reviews))
        logits = np.zeros(len(split), dtype=np.float64)
        for batch in split.batches(_BATCH, self._max_tokens):
            logits[batch.rows] = self._logits(batch.ids)
        return _sigmoid(logits)

    def explain(self, text: str) -> list[tuple[str, float]]:
        """How much each token of a review speaks for "positive", by occlusion.

        Returns:
            The tokens in order, each with the review's logit minus its logit with that token made unknown. Tokens that
            the model does not know, or that lie beyond its `max_tokens`, have 0.
        """
        tokens = tokenize(text, self._text)
        encoded = np.array(self._vocabulary.encode(tokens), dtype=np.int64)
        ids = shorten(encoded, self._max_tokens)
        contributions = np.zeros(len(tokens), dtype=np.float64)
        known = np.flatnonzero(ids != UNK)
        if known.size:
            first = len(tokens) - len(ids)
            contributions[first + known] = self._logits(ids[np.newaxis])[0] - self._occluded(ids, known)
        return list(zip(tokens, contributions.tolist(), strict=True))

    def _occluded(self, ids: NDArray[np.int64], positions: NDArray[np.int64]) -> NDArray[np.float64]:
        logits = []
        for start in range(0, len(positions), _BATCH):
            hidden = positions[start : start + _BATCH]
            copies = np.tile(ids, (len(hidden), 1))
            copies[np.arange(len(hidden)), hidden] = UNK
            logits.append(self._logits(copies))
        return np.concatenate(logits)

    def _logits(self, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        known = (ids > UNK).any(axis=1)
        return np.where(known, self._network(ids).astype(np.float64), 0.0)

    def _prediction(self, probability: float) -> Prediction:
        sentiment = int(probability >= 0.5)
        return Prediction("positive" if sentiment else "negative", sentiment, probability, self.metadata.model)


def _start_onnx(path: Path, metadata: Metadata) -> Logits:  # noqa: ARG001 (the file says all; same shape as the other)
    import onnxruntime

    try:
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leave the processor to others
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base class below Exception
        raise ValueError(f"{path.name}: {error}") from error

    def logits(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        answer: NDArray[np.float32] = session.run(["logit"], {"ids": ids})[0]
        return answer

    return logits


def _start_torch(path: Path, metadata: Metadata) -> Logits:
    import torch

    from sentimodel.network import LstmClassifier, NetworkConfig

    network = LstmClassifier(NetworkConfig.from_hyperparameters(metadata.hyperparameters))
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network.eval()

    def logits(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        with torch.inference_mode():
            answer: NDArray[Any] = network(torch.from_numpy(ids)).numpy()
        return answer

    return logits


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(-np.logaddexp(0.0, -logits))  # neither tail overflows or is rounded to 0
