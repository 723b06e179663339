"""Networks and encoded reviews made for tests."""

import torch
from sentimodel.network import NetworkConfig, SentimentNetwork
from sentimodel.ngrams import LONGEST
from sentimodel.vocabulary import PAD, UNK
from torch import Tensor

CONFIG = NetworkConfig(
    architecture="wide-lstm",
    ngrams=30,
    lstm_vocabulary_size=50,
    embedding_dim=6,
    hidden_dim=5,
    dropout=0.5,
    input_dropout=0.3,
)
LENGTHS = (1, 3, 12, 40)


def random_network(config: NetworkConfig = CONFIG) -> SentimentNetwork:
    """A network with random weights, large enough that each word matters."""
    torch.manual_seed(1)
    network = SentimentNetwork(config)
    with torch.no_grad():
        for weights in network.parameters():
            weights.normal_()
    return network.eval()


def padded_reviews(lengths: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Reviews of these lengths, the same for the same length: their ids, and the n-grams that end at each token."""
    ids = torch.full((len(lengths), max(lengths)), PAD)
    ends = torch.zeros((*ids.shape, LONGEST), dtype=torch.int64)
    for row, length in enumerate(lengths):
        generator = torch.Generator().manual_seed(length)
        ids[row, :length] = torch.randint(UNK, CONFIG.lstm_vocabulary_size, (length,), generator=generator)
        ends[row, :length] = torch.randint(0, CONFIG.ngrams + 1, (length, LONGEST), generator=generator)
    return ids, ends
