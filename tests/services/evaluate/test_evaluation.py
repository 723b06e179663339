"""What an evaluation holds, from a model's answers."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentimodel.dataset import Reviews
from sentimodel.predictor import Predictor

from sentictl.services.evaluate.evaluation import CUT, EXCERPT, Answers, Mistake, evaluate
from sentictl.services.evaluate.samples import Sample

reviews_and_logits = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-300, 300).map(lambda tenths: tenths / 10)), min_size=1, max_size=40
)


class Given(Sample):
    """Reviews that have a number for a text."""

    def __init__(self, labels: list[int]) -> None:
        super().__init__("given reviews", np.array(labels, dtype=np.uint8))

    def encoded(self, predictor: Predictor) -> Reviews:
        return Reviews.from_reviews([[2]] * len(self.labels))

    def text(self, row: int) -> str:
        return f"review {row}"


def answers(*parts: list[float]) -> Answers:
    named = {f"part{number}": np.array(part) for number, part in enumerate(parts)}
    return Answers("m", np.arange(len(parts[0])), named)


@given(reviews_and_logits)
def test_the_figures_agree_with_one_another(reviews: list[tuple[int, float]]) -> None:
    labels, logits = [label for label, _ in reviews], [logit for _, logit in reviews]
    result = evaluate(answers(logits), Given(labels))
    right = sum((logit >= 0) == bool(label) for label, logit in reviews)
    assert result.accuracy == pytest.approx(right / len(reviews))
    assert result.confusion["positive"]["positive"] + result.confusion["negative"]["negative"] == right
    assert result.interval[0] - 1e-9 <= result.accuracy <= result.interval[1] + 1e-9
    if result.precision + result.recall:
        harmonic = 2 * result.precision * result.recall / (result.precision + result.recall)
        assert result.f1 == pytest.approx(harmonic)
    else:
        assert result.f1 == 0
    for groups in (result.calibration, result.lengths):
        assert sum(group.reviews * group.accuracy for group in groups) == pytest.approx(right)
    assert len(result.mistakes) == min(5, len(reviews) - right)


def test_the_surest_mistakes_come_first() -> None:
    result = evaluate(answers([4.0, -3.0, 2.0, -6.0, 9.0]), Given([0, 1, 0, 1, 1]), mistakes=3)
    assert [(mistake.text, mistake.label) for mistake in result.mistakes] == [
        ("review 3", "positive"),
        ("review 0", "negative"),
        ("review 1", "positive"),
    ]
    assert result.mistakes[0].probability == pytest.approx(0.00247, abs=1e-5)
    assert result.mistakes[0].confidence == pytest.approx(0.99753, abs=1e-5)


def test_parts_add_up_to_the_answer() -> None:
    blend = answers([2.0, -1.0, 0.5], [-1.0, 3.0, 0.1])
    result = evaluate(blend, Given([1, 1, 0]))
    assert blend.probabilities == pytest.approx([0.7311, 0.8808, 0.6457], abs=1e-4)
    assert result.accuracy == pytest.approx(2 / 3)
    assert {part.name: part.accuracy for part in result.parts} == pytest.approx({"part0": 1 / 3, "part1": 1 / 3})


def test_reviews_of_one_label_have_no_roc_curve() -> None:
    result = evaluate(answers([1.0, -1.0]), Given([1, 1]))
    assert result.roc_auc is None
    assert result.roc_curve == []


def test_all_of_it_is_json_and_the_figures_are_the_plain_part() -> None:
    result = evaluate(answers([1.0, -1.0, 2.0]), Given([1, 0, 0]))
    document = json.loads(json.dumps(result.document()))
    assert document["calibration"][0].keys() == {"low", "high", "reviews", "confidence", "accuracy", "interval"}
    assert document["lengths"][0].keys() == {"shortest", "longest", "reviews", "accuracy", "interval"}
    assert document["mistakes"] == [
        {"text": "review 2", "label": "negative", "probability": pytest.approx(0.8808, abs=1e-4)}
    ]
    assert set(document) - set(result.figures()) == {
        "roc_curve",
        "calibration",
        "lengths",
        "parts",
        "mistakes",
        "counted",
    }


@given(st.text(max_size=3 * EXCERPT))
def test_an_excerpt_is_one_line_that_a_terminal_can_show(text: str) -> None:
    mistake = Mistake(text, "positive", 0.1)
    assert mistake.excerpt.isprintable()
    assert len(mistake.excerpt) <= EXCERPT + len(CUT) + 2
    assert mistake.is_cut == (f" {CUT} " in mistake.excerpt and CUT not in text)


def test_an_excerpt_keeps_the_beginning_and_the_end() -> None:
    text = "It began well. " + "And on it went. " * 100 + "A\x1b[31m masterpiece!"
    excerpt = Mistake(text, "negative", 0.9).excerpt
    assert excerpt.startswith("It began well. And")
    assert excerpt.endswith("it went. A [31m masterpiece!")
    assert f" {CUT} " in excerpt
