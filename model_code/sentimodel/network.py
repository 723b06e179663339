"""The network: a review's token ids in, one logit out."""

import importlib.util
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from sentimodel.vocabulary import PAD, UNK

_EMBEDDING_DEVIATION = 0.1  # starts rare words near zero, where they say little until they have been learned
# A prime, which spreads the pairs evenly: 2 MB of scores for some 1.3 million pairs in 22,500 reviews.
PAIR_ROWS = 2**19 - 1
_PAIR_FACTOR = 1_000_003
_OPSET = 17  # old enough for every ONNX Runtime of the last years


@dataclass(frozen=True)
class NetworkConfig:
    """The sizes of the network.

    Attributes:
        vocabulary_size: number of ids, the two reserved ones included.
        embedding_dim: length of a word's vector.
        hidden_dim: units of the LSTM.
        dropout: share of the pooled features set to zero in training.
        input_dropout: share of the tokens replaced by `UNK` in training, and of the embeddings' elements set to zero.
    """

    vocabulary_size: int
    embedding_dim: int
    hidden_dim: int
    dropout: float
    input_dropout: float

    @classmethod
    def from_hyperparameters(cls, values: Mapping[str, Any]) -> "NetworkConfig":
        """The sizes among a training's hyperparameters, which hold more. Raises KeyError if one is missing."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})


class LstmClassifier(nn.Module):
    """An LSTM plus linear scores of words and word pairs, one logit in all.

    The LSTM: embedding, LSTM, pooling over time (maximum and mean), and a linear layer. `NgramScores` gives the rest
    of the logit. Both learn together, from the error of their sum. In training each is kept from seeing other words:
    what is hidden from the scores is for the LSTM to say, which would learn little beside scores that see everything.

    Padding has no influence: the LSTM runs forward only, so what follows a review cannot reach it, and pooling and
    scores leave padded steps out.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_dim, padding_idx=PAD)
        nn.init.normal_(self.embedding.weight, std=_EMBEDDING_DEVIATION)
        self.lstm = nn.LSTM(config.embedding_dim, config.hidden_dim, batch_first=True)
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(2 * config.hidden_dim, 1)
        self.scores = NgramScores(config.vocabulary_size)

    def forward(self, ids: Tensor) -> Tensor:
        """The logit of "positive" for each review, float32 `[batch]`, from ids int64 `[batch, time]`."""
        logits: Tensor = self.lstm_logits(self._drop_words(ids)) + self.scores(self._drop_words(ids))
        return logits

    def lstm_logits(self, ids: Tensor) -> Tensor:
        """The LSTM's part of the logits, float32 `[batch]`, from ids int64 `[batch, time]`."""
        states, _ = self.lstm(self.input_dropout(self.embedding(ids)))  # [batch, time, hidden]
        steps = (ids != PAD).unsqueeze(2)  # [batch, time, 1]
        highest = states.masked_fill(~steps, -1.0).amax(dim=1)  # an LSTM's states lie within (-1, 1)
        mean = (states * steps).sum(dim=1) / steps.sum(dim=1).clamp(min=1)
        logits: Tensor = self.output(self.dropout(torch.cat([highest, mean], dim=1))).squeeze(1)
        return logits

    @torch.no_grad()
    def scale_logits(self, factor: float) -> None:
        """Multiply every logit of the network by a factor."""
        for weights in (*self.output.parameters(), *self.scores.parameters()):
            weights.mul_(factor)

    def _drop_words(self, ids: Tensor) -> Tensor:
        if not self.training:
            return ids
        dropped = torch.rand(ids.shape, device=ids.device) < self.config.input_dropout
        return ids.masked_fill(dropped & (ids != PAD), UNK)


class NgramScores(nn.Module):
    """A linear part: a score for each word and each pair of neighbors, added up and divided by the root of the length.

    Pairs share `PAIR_ROWS` scores by hashing (Weinberger et al., 2009, "Feature Hashing for Large Scale Multitask
    Learning"). Padding and unknown words have no score, and neither have pairs with them.
    """

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary_size, 1)
        self.pairs = nn.Embedding(PAIR_ROWS, 1)
        nn.init.zeros_(self.words.weight)
        nn.init.zeros_(self.pairs.weight)

    def forward(self, ids: Tensor) -> Tensor:
        """The sum of a review's scores over the root of its length, float32 `[batch]`, from ids `[batch, time]`."""
        known = ids > UNK
        words = (self.words(ids).squeeze(2) * known).sum(dim=1)
        left, right = ids[:, :-1], ids[:, 1:]  # [batch, time - 1]
        pairs = (self.pairs(pair_rows(left, right)).squeeze(2) * (known[:, :-1] & known[:, 1:])).sum(dim=1)
        scores: Tensor = (words + pairs) / (ids != PAD).sum(dim=1).clamp(min=1).sqrt()
        return scores

    @torch.no_grad()
    def start_from(self, words: Tensor, pairs: Tensor, weight: float) -> None:
        """Learn, from now on, a weight for each of these ratios; a score is weight times ratio.

        That is the linear model of Wang and Manning (2012, "Baselines and Bigrams"). Learning the weights rather than
        the scores takes large steps for what says much, and none for what says nothing.

        Args:
            words: a ratio for each word, float32 `[vocabulary]`.
            pairs: a ratio for each row of pairs, float32 `[PAIR_ROWS]`.
            weight: what all weights start from.
        """
        for table, ratios in ((self.words, words), (self.pairs, pairs)):
            table.weight.fill_(weight)
            parametrize.register_parametrization(table, "weight", _Product(ratios.unsqueeze(1)), unsafe=True)

    def settle(self) -> None:
        """End what `start_from` began: the products become the scores."""
        for table in (self.words, self.pairs):
            parametrize.remove_parametrizations(table, "weight")


class _Product(nn.Module):
    def __init__(self, ratios: Tensor) -> None:
        super().__init__()
        self.register_buffer("ratios", ratios)

    def forward(self, weights: Tensor) -> Tensor:
        return weights * self.get_buffer("ratios")


def pair_rows(left: Tensor, right: Tensor) -> Tensor:
    """Which row of the pairs' scores each two neighbors have, int64 of the shape of the ids, also int64."""
    return (left * _PAIR_FACTOR + right) % PAIR_ROWS


def to_onnx(network: LstmClassifier) -> bytes:
    """The network as an ONNX model: input `ids` int64 `[batch, time]`, output `logit` float32 `[batch]`."""
    with TemporaryDirectory() as folder, warnings.catch_warnings(), _onnx_package():
        path = Path(folder, "model.onnx")
        warnings.simplefilter("ignore")  # the exporter announces its successor, which needs two more packages
        torch.onnx.export(
            network.eval(),
            (torch.ones(2, 8, dtype=torch.int64),),
            path,
            input_names=["ids"],
            output_names=["logit"],
            dynamic_axes={"ids": {0: "batch", 1: "time"}, "logit": {0: "batch"}},
            opset_version=_OPSET,
            dynamo=False,
        )
        return path.read_bytes()


@contextmanager
def _onnx_package() -> Iterator[None]:
    """Let the exporter do without the package `onnx`, which training containers may lack.

    The exporter writes the model itself. It imports `onnx` for one thing: to list the finished model's nodes and look
    for functions that a program registered. There are none here, so an empty list is the right answer.
    """
    if importlib.util.find_spec("onnx") is not None:
        yield
        return
    package = ModuleType("onnx")
    nodeless = SimpleNamespace(graph=SimpleNamespace(node=[]))
    vars(package)["load_model_from_string"] = lambda content: nodeless  # noqa: ARG005 (called with the model)
    sys.modules["onnx"] = package
    try:
        yield
    finally:
        del sys.modules["onnx"]
