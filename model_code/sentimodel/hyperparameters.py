"""What a model is trained with."""

from dataclasses import asdict, dataclass, fields

from sentimodel.training import Recipe, TrainingError
from sentimodel.vocabulary import UNK

_LEAST = {"seed": 0, "lstm_vocabulary_size": UNK + 1}


@dataclass(frozen=True)
class Hyperparameters:
    """What the model is trained with. Each is an option of the same name, underscores included."""

    architecture: str = "wide-lstm"
    ngram_epochs: int = 3  # of each linear model, at most
    epochs: int = 3  # of the LSTM, at most
    patience: int = 2  # epochs without a better validation accuracy before training stops
    batch_size: int = 64  # reviews that each process puts through the network at once
    accumulation: int = 1  # batches that each process adds up for one step
    learning_rate: float = 0.002  # at its highest
    ngrams: int = 500_000  # at most, the most frequent ones
    lstm_vocabulary_size: int = 20_000  # ids that the LSTM tells apart, the most frequent ones
    embedding_dim: int = 32
    hidden_dim: int = 32
    dropout: float = 0.5  # of the pooled features
    input_dropout: float = 0.3  # of the tokens, and of their embeddings' elements
    max_tokens: int = 256  # a longer review loses its beginning
    mixed_precision: bool = True  # on GPUs
    seed: int = 1

    @property
    def recipe(self) -> Recipe:
        """Those of the training loop."""
        return Recipe(**{field.name: getattr(self, field.name) for field in fields(Recipe)})

    def check(self) -> None:
        """Raise TrainingError for values that no training can be done with."""
        for name, value in asdict(self).items():
            if name in ("dropout", "input_dropout"):
                if not 0 <= value < 1:
                    raise TrainingError(f"hyperparameter {name} must lie between 0 and 1 (1 excluded), not {value}")
            elif name in _LEAST:
                if value < _LEAST[name]:
                    raise TrainingError(f"hyperparameter {name} must be at least {_LEAST[name]}, not {value}")
            elif not isinstance(value, str | bool) and not value > 0:
                raise TrainingError(f"hyperparameter {name} must be above 0, not {value}")
