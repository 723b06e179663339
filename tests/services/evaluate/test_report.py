"""The report: one file, nothing from elsewhere, and strangers' words stay words."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.services.evaluate.comparison import Comparison, compare
from sentictl.services.evaluate.evaluation import Answers, Evaluation, Mistake, evaluate
from sentictl.services.evaluate.report import Axis, render
from tests.services.evaluate.test_evaluation import Given

TEMPLATES = Path(__file__).parents[3] / "templates"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7 * 7 }} \x1b[31m \u202eevil"


def made() -> tuple[Evaluation, Comparison]:
    """An evaluation of a model of two parts on 300 reviews, and its comparison with one part."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 2, 300)
    logits = rng.normal(size=300) + 4 * labels - 2
    tokens = rng.integers(0, 1000, 300)
    whole = Answers("whole", tokens, {"ngram": logits, "lstm": rng.normal(size=300)})
    part = Answers("part", tokens, {"ngram": logits})
    sample = Given(labels.tolist())
    return evaluate(whole, sample), compare(whole, part, sample.labels)


class Parts(HTMLParser):
    """The elements of a page with their attributes, its text, and whether every element is closed."""

    VOID = ("meta", "link")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(evaluation: Evaluation, comparison: Comparison | None = None) -> Parts:
    parts = Parts(render(evaluation, comparison, TEMPLATES).decode())
    assert parts.open == []
    return parts


def test_the_page_needs_nothing_else() -> None:
    content = render(*made(), TEMPLATES).decode()
    assert {tag for tag, _ in Parts(content).elements}.isdisjoint({"script", "img", "iframe", "object"})
    assert not re.search(r"https?://|url\(|@import", content)
    assert "default-src 'none'" in content


def test_the_page_says_the_figures() -> None:
    evaluation, comparison = made()
    text = page(evaluation, comparison).text.replace("\u00a0", " ")
    for value in (evaluation.accuracy, *evaluation.interval, *(group.accuracy for group in evaluation.lengths)):
        assert f"{100 * value:.1f} %" in text
    for figure in (evaluation.f1, evaluation.roc_auc, evaluation.calibration_error):
        assert f"{figure:.3f}" in text
    assert comparison.p_text in text
    assert comparison.verdict in text
    assert "ngram alone" in text
    assert "lstm alone" in text


def test_the_charts_are_drawn_from_the_data() -> None:
    evaluation, _ = made()
    elements = page(evaluation).elements
    dots = [values for tag, values in elements if tag == "circle"]
    rows = len(evaluation.lengths) + len(evaluation.parts) + 1
    assert len(dots) == len(evaluation.calibration) + rows
    curves = [values["points"] or "" for tag, values in elements if tag == "polyline"]
    assert [len(points.split()) for points in curves] == [len(evaluation.calibration), len(evaluation.roc_curve)]


def test_a_review_cannot_become_markup() -> None:
    evaluation = replace(made()[0], mistakes=[Mistake(HOSTILE * 9, "negative", 0.99)], model=HOSTILE, data=HOSTILE)
    plain, hostile = page(replace(made()[0], mistakes=[Mistake("x " * 900, "negative", 0.99)])), page(evaluation)
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in plain.elements]
    assert "<script>alert(1)</script>" in hostile.text
    assert "{{ 7 * 7 }}" in hostile.text


def test_what_an_evaluation_lacks_is_left_out() -> None:
    one_label = evaluate(Answers("m", np.array([3, 4]), {"lstm": np.array([1.0, 2.0])}), Given([1, 1]))
    text = page(one_label).text
    for heading in ("ROC curve", "Against", "The parts of the model", "The surest mistakes"):
        assert heading not in text
    assert "Short and long reviews" in text


def test_the_same_evaluation_gives_the_same_bytes() -> None:
    assert render(*made(), TEMPLATES) == render(*made(), TEMPLATES)


@given(st.sampled_from([0.0, 0.3, 0.5, 0.9]), st.floats(0, 1))
def test_an_axis_keeps_values_in_their_order_and_in_the_drawing(low: float, value: float) -> None:
    axis = Axis(low, 1.0, 252.0, 12.0)  # upside down, as SVG counts
    assert 12 <= axis.at(value) <= 252
    if value >= low:
        assert axis.at(value) == pytest.approx(252 - 240 * (value - low) / (1 - low), abs=0.01)
    assert axis.ticks[0] == 1
    assert all(low - 1e-9 <= tick <= 1 for tick in axis.ticks)
