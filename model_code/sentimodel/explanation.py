"""Why a model says what it says of one review."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentimodel.text import Located

MOST_PHRASES = 10


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
    """What each word contributed, and the phrases that counted most.

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
        """The explanation that the parts of a model give together.

        Args:
            located: the review's tokens.
            attributions: by the part's name, what each token contributed to that part's logit, float64 `[tokens]`.
            phrases: all n-grams of the review that the linear part knows, each once, in any order.
        """
        total = np.sum([np.zeros(len(located)), *attributions.values()], axis=0)
        words = tuple(Word(*each, float(part)) for each, part in zip(located, total, strict=True))
        strongest = sorted(phrases, key=lambda phrase: -abs(phrase.contribution))[:MOST_PHRASES]
        return cls(words, tuple(strongest))
