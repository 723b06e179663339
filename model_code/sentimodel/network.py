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

from sentimodel.vocabulary import PAD, UNK

_EMBEDDING_DEVIATION = 0.1  # starts rare words near zero, where they say little until they have been learned
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
    """Embedding, LSTM, pooling over time (maximum and mean), and a linear layer that gives one logit.

    Each word also has a score of its own, and their sum, divided by the square root of the review's length, is added to
    the logit. It spares the LSTM from learning by heart which words praise, and leaves it what their order says.

    Padding has no influence: the LSTM runs forward only, so what follows a review cannot reach it, and pooling leaves
    padded steps out.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_dim, padding_idx=PAD)
        nn.init.normal_(self.embedding.weight, std=_EMBEDDING_DEVIATION)
        self.scores = nn.Embedding(config.vocabulary_size, 1, padding_idx=PAD)
        nn.init.zeros_(self.scores.weight)
        self.lstm = nn.LSTM(config.embedding_dim, config.hidden_dim, batch_first=True)
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(2 * config.hidden_dim, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """The logit of "positive" for each review, float32 `[batch]`, from ids int64 `[batch, time]`."""
        real = ids != PAD  # [batch, time]
        ids = self._drop_words(ids, real)
        states, _ = self.lstm(self.input_dropout(self.embedding(ids)))  # [batch, time, hidden]
        steps = real.unsqueeze(2)
        highest = states.masked_fill(~steps, -1.0).amax(dim=1)  # an LSTM's states lie within (-1, 1)
        length = steps.sum(dim=1).clamp(min=1)  # [batch, 1]
        mean = (states * steps).sum(dim=1) / length
        score = (self.scores(ids) * steps).sum(dim=1) / length.sqrt()  # [batch, 1]
        logits: Tensor = (self.output(self.dropout(torch.cat([highest, mean], dim=1))) + score).squeeze(1)
        return logits

    @torch.no_grad()
    def scale_logits(self, factor: float) -> None:
        """Multiply every logit of the network by a factor."""
        for weights in (*self.output.parameters(), *self.scores.parameters()):
            weights.mul_(factor)

    def _drop_words(self, ids: Tensor, real: Tensor) -> Tensor:
        if not self.training:
            return ids
        dropped = torch.rand(ids.shape, device=ids.device) < self.config.input_dropout
        return ids.masked_fill(dropped & real, UNK)


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
