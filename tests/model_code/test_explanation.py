"""Explanations put together from the parts of a model."""

import numpy as np
from sentimodel.explanation import MOST_PHRASES, Explanation, Phrase, Word
from sentimodel.text import Located

TOKENS = [Located("waste", 10, 15), Located("of", 16, 18)]


def test_a_word_contributes_what_the_parts_attribute_to_it() -> None:
    explanation = Explanation.of(TOKENS, {"ngram": np.array([-1.0, 0.5]), "lstm": np.array([-0.5, 0.25])}, ())
    assert explanation.words == (Word("waste", 10, 15, -1.5), Word("of", 16, 18, 0.75))
    assert explanation.phrases == ()


def test_without_a_part_nothing_contributes() -> None:
    assert [word.contribution for word in Explanation.of(TOKENS, {}, ()).words] == [0, 0]


def test_the_strongest_phrases_come_first_and_the_weak_are_left_out() -> None:
    phrases = [Phrase(f"p{number}", (-1) ** number * number / 10) for number in range(30)]
    strongest = Explanation.of(TOKENS, {}, phrases).phrases
    assert [phrase.phrase for phrase in strongest] == [f"p{number}" for number in range(29, 29 - MOST_PHRASES, -1)]
