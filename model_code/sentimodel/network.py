"""The network family: an architecture is a choice of parts, and a review's logit is the sum of what its parts say."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sentimodel.artifact import INPUTS, PARTS
from sentimodel.ngrams import LONGEST
from sentimodel.vocabulary import PAD, UNK

_EMBEDDING_DEVIATION = 0.1  # starts rare words near zero, where they say little until they have been learned


@dataclass(frozen=True)
class NetworkConfig:
    """The sizes of the network.

    Attributes:
        architecture: which parts there are; one of `PARTS`.
        ngrams: how many n-grams have a score.
        lstm_vocabulary_size: ids that the LSTM has a vector for; the rarer ones are unknown to it.
        embedding_dim: length of a word's vector.
        hidden_dim: units of the LSTM.
        dropout: share of the pooled features set to zero in training.
        input_dropout: share of the tokens replaced by `UNK` in training, and of the embeddings' elements set to zero.
    """

    architecture: str
    ngrams: int
    lstm_vocabulary_size: int
    embedding_dim: int
    hidden_dim: int
    dropout: float
    input_dropout: float

    @classmethod
    def from_hyperparameters(cls, values: Mapping[str, Any]) -> "NetworkConfig":
        """Take the sizes from a model's hyperparameters, which hold more. Raises KeyError if one is missing."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})


class SentimentNetwork(nn.Module):
    """The parts of an architecture, by their names. Each can be trained and measured by itself."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        parts = PARTS[config.architecture]
        self.ngram = NgramScores(config) if "ngram" in parts else None
        self.lstm = LstmClassifier(config) if "lstm" in parts else None

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Compute each part's share of the logit of "positive", float32 `[batch]`.

        Args:
            inputs: those of the parts, in order; see `INPUTS`.
        """
        left = iter(inputs)
        return tuple(module(*[next(left) for _ in INPUTS[part]]) for part, module in self.parts.items())

    @property
    def parts(self) -> dict[str, "NgramScores | LstmClassifier"]:
        """The parts that there are, by their names, in order."""
        every = {"ngram": self.ngram, "lstm": self.lstm}
        return {part: module for part, module in every.items() if module is not None}

    @property
    def inputs(self) -> list[str]:
        """The names of the inputs, in order."""
        return [name for part in self.parts for name in INPUTS[part]]


class NgramScores(nn.Module):
    """A linear part: a score for each n-gram, added up."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.scores = nn.Embedding(config.ngrams + 1, 1)
        self.bias = nn.Parameter(torch.zeros(1))
        nn.init.zeros_(self.scores.weight)

    def forward(self, rows: Tensor) -> Tensor:
        """Compute the logits, float32 `[batch]`, from n-grams' numbers, int64 `[batch, n-grams]`; 0 stands for none."""
        logits: Tensor = self.scores(rows).squeeze(2).sum(dim=1) + self.bias
        return logits

    def table(self) -> NDArray[np.float32]:
        """Return the scores, float32 `[n-grams + 1]`; the first stands for none."""
        scores: NDArray[np.float32] = self.scores.weight.detach().squeeze(1).cpu().numpy()
        return scores

    @torch.no_grad()
    def scale(self, factor: float) -> None:
        """Multiply every logit by a factor."""
        self.scores.weight.mul_(factor)
        self.bias.mul_(factor)


class LstmClassifier(nn.Module):
    """Embedding, LSTM, pooling over time (maximum and mean), and a linear layer.

    Beside a token's vector the LSTM reads evidence: what a linear model says of the n-grams that end with this token.
    The sentiment of phrases is thus given, and what is left to learn from few reviews is how they go together.

    Padding has no influence: the LSTM runs forward only, so what follows a review cannot reach it, and pooling leaves
    padded steps out.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.words = config.lstm_vocabulary_size
        self.embedding = nn.Embedding(self.words, config.embedding_dim, padding_idx=PAD)
        nn.init.normal_(self.embedding.weight, std=_EMBEDDING_DEVIATION)
        self.evidence = nn.Embedding(config.ngrams + 1, 1)
        self.evidence.weight.requires_grad_(False)
        self.lstm = nn.LSTM(config.embedding_dim + LONGEST, config.hidden_dim, batch_first=True)
        self.input_dropout = config.input_dropout
        self.dropout = config.dropout
        self.output = nn.Linear(2 * config.hidden_dim, 1)

    def forward(
        self,
        ids: Tensor,
        ends: Tensor,
        kept: Tensor | None = None,
        elements: Tensor | None = None,
        features: Tensor | None = None,
    ) -> Tensor:
        """Compute the logits, float32 `[batch]`.

        Args:
            ids: token ids, int64 `[batch, time]`.
            ends: the numbers of the n-grams that end at each token, int64 `[batch, time, LONGEST]`; or, in training,
                the evidence itself, float32 of that shape, where a token's review is not to have shaped it.
            kept: as `noise` draws it, in training, for reviews of this many tokens or more; as are `elements` and
                `features`.
        """
        evidence = ends if ends.is_floating_point() else self.evidence(ends).squeeze(3)
        ids = ids.masked_fill(ids >= self.words, UNK)
        if kept is not None:
            ids = ids.masked_fill(~kept[:, : ids.shape[1]] & (ids != PAD), UNK)
        words = self.embedding(ids)
        if elements is not None:
            words = words * elements[:, : ids.shape[1]]
        states, _ = self.lstm(torch.cat([words, evidence], dim=2))  # [batch, time, hidden]
        pooled = self._pooled(states, (ids != PAD).unsqueeze(2))
        if features is not None:
            pooled = pooled * features
        logits: Tensor = self.output(pooled).squeeze(1)
        return logits

    def noise(self, here: NDArray[np.bool_], time: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw what a batch is disturbed by in training (dropout), for all of its reviews; return it for some.

        Args:
            here: for which, bool `[reviews]`.
            time: how many tokens the longest of all has.

        Returns:
            Which tokens stay what they are, bool `[reviews here, time]`; by what the elements of their vectors are
            multiplied, float32 `[reviews here, time, embedding_dim]`; and the pooled features, float32
            `[reviews here, 2 · hidden_dim]`.
        """
        device, size = self.output.weight.device, len(here)
        drawn = (
            torch.rand((size, time), device=device) >= self.input_dropout,
            _multipliers((size, time, self.embedding.embedding_dim), self.input_dropout, device),
            _multipliers((size, self.output.in_features), self.dropout, device),
        )
        if here.all():
            return drawn
        rows = torch.from_numpy(np.flatnonzero(here)).to(device)
        kept, elements, features = (each[rows] for each in drawn)
        return kept, elements, features

    @torch.no_grad()
    def start_from(self, vectors: Tensor, evidence: NDArray[np.float32]) -> None:
        """Set what training does not begin from nothing.

        Args:
            vectors: the words' vectors, which training changes; float32 `[words, embedding_dim]`.
            evidence: what each n-gram says, which stays; float32 `[n-grams + 1]`.
        """
        self.embedding.weight.copy_(vectors)
        self.evidence.weight.copy_(torch.from_numpy(evidence).unsqueeze(1))

    @torch.no_grad()
    def scale(self, factor: float) -> None:
        """Multiply every logit by a factor."""
        for weights in self.output.parameters():
            weights.mul_(factor)

    def _pooled(self, states: Tensor, steps: Tensor) -> Tensor:
        """The states as one row, `[batch, 2 · hidden]`, of the steps that are no padding, bool `[batch, time, 1]`."""
        highest = states.masked_fill(~steps, -1.0).amax(dim=1)  # an LSTM's states lie within (-1, 1)
        mean = (states * steps).sum(dim=1) / steps.sum(dim=1).clamp(min=1)
        return torch.cat([highest, mean], dim=1)


def _multipliers(shape: tuple[int, ...], dropout: float, device: torch.device) -> Tensor:
    """0 for the share of a tensor that is dropped, and what keeps its mean for the rest."""
    if not dropout:
        return torch.ones(shape, device=device)
    return torch.empty(shape, device=device).bernoulli_(1 - dropout).div_(1 - dropout)
