"""The LSTM of the well-known SageMaker tutorial, as `accuracy.py` compares with it.

Its network and training are kept: 5,000 words, the first 500 tokens, padded to that length, vectors of 32, 100 units,
the state after the last word into a linear layer and a sigmoid, Adam, binary cross-entropy, 50 reviews a batch, 10
epochs. So is what it makes of a text: no tags, no stop words (negations are some of its own), Porter's stems. That is
done with our tokenizer, as its own takes minutes for the same (`prepare.py` measures that).
"""

import sys
from collections import Counter
from collections.abc import Sequence

import nltk.stem  # noqa: F401  (used by Vocabulary, which would import it while it is being timed)
import numpy as np
import torch
from numpy.typing import NDArray
from sentimodel.text import TextSettings, tokenize
from sentimodel.vocabulary import PAD, Vocabulary
from torch import Tensor, nn

WORDS = 5_000
LENGTH = 500
EMBEDDING = 32
HIDDEN = 100
BATCH = 50
EPOCHS = 10
TEXT = TextSettings(remove_stop_words=True, keep_negations=False, stem=True)


def vocabulary_of(texts: Sequence[str]) -> Vocabulary:
    """The most frequent stems of these reviews."""
    counts = Counter(token for text in texts for token in tokenize(text, TEXT))
    return Vocabulary.build(counts, WORDS, TEXT)


def encoded(texts: Sequence[str], vocabulary: Vocabulary) -> Tensor:
    """Reviews as rows of ids, cut or filled to one length; int64 `[reviews, LENGTH]`."""
    rows = np.full((len(texts), LENGTH), PAD)
    for row, text in zip(rows, texts, strict=True):
        ids = vocabulary.encode(tokenize(text, TEXT)[:LENGTH])
        row[: len(ids)] = ids
    return torch.from_numpy(rows)


class Classifier(nn.Module):
    """The tutorial's network."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, EMBEDDING, padding_idx=PAD)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.output = nn.Linear(HIDDEN, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """The probabilities of "positive", float32 `[batch]`, from ids, int64 `[batch, time]`."""
        states, _ = self.lstm(self.embedding(ids))
        last = (ids != PAD).sum(dim=1).clamp(min=1) - 1
        probabilities: Tensor = torch.sigmoid(self.output(states[torch.arange(len(ids)), last])).squeeze(1)
        return probabilities


def fitted(ids: Tensor, labels: NDArray[np.bool_], epochs: int) -> Classifier:
    """The network after so many epochs on these reviews. Nothing chooses among the epochs: the last one counts."""
    torch.manual_seed(1)
    network, loss_of = Classifier(), nn.BCELoss()
    optimizer = torch.optim.Adam(network.parameters())
    targets = torch.from_numpy(labels).float()
    for epoch in range(1, epochs + 1):
        losses = []
        for rows in torch.split(torch.randperm(len(ids)), BATCH):
            optimizer.zero_grad()
            loss = loss_of(network(ids[rows]), targets[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"tutorial epoch={epoch} epochs={epochs} train_loss={np.mean(losses):.4f}", file=sys.stderr, flush=True)
    return network


def called(network: Classifier, ids: Tensor) -> NDArray[np.bool_]:
    """Which reviews the network calls positive, bool `[reviews]`."""
    network.eval()
    with torch.inference_mode():
        return np.concatenate([network(batch).numpy() >= 0.5 for batch in torch.split(ids, BATCH)])
