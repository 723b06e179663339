"""Runs side by side, and the drawing of them."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from sentictl.errors import FileError, MissingStepError
from sentictl.services.evaluate.runs import Run, Runs
from sentictl.services.evaluate.runs_plot import draw, render

SVG = "{http://www.w3.org/2000/svg}"


def run(name: str, accuracy: float | None, **settings: Any) -> Run:
    return Run(
        name=name,
        number=None,
        tuning_job="films-local-12345678",
        status="Completed",
        settings={"epochs": 3, **settings},
        validation_accuracy=accuracy,
        interval=None if accuracy is None else (accuracy - 0.02, accuracy + 0.02),
        seconds=None if accuracy is None else 100 * accuracy,
        price=0.1,
        started=f"2026-11-30T06:00:0{name}",
        live=False,
        pruned="",
    )


FOUND = Runs(
    [
        run("1", 0.90, learning_rate=0.0005, architecture="lstm"),
        run("2", 0.92, learning_rate=0.02, architecture="wide-lstm"),
        run("3", None, learning_rate=0.004, architecture="lstm"),
        run("4", 0.91, learning_rate=0.001, architecture="lstm"),
    ],
    "a table",
    billed=False,
)


def texts(svg: bytes) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_runs_are_told_apart_by_the_hyperparameters_that_differ() -> None:
    assert FOUND.differing == ["architecture", "learning_rate"]


@pytest.mark.parametrize(
    ("sort", "order"), [("started", "1234"), ("accuracy", "2413"), ("seconds", "1423"), ("price", "1234")]
)
def test_they_are_sorted_and_those_without_a_figure_come_last(sort: str, order: str) -> None:
    assert "".join(each.name for each in FOUND.by(sort).runs) == order


def test_the_drawing_has_a_panel_for_their_order_and_for_each_hyperparameter_that_differs() -> None:
    svg = render(FOUND)
    assert svg == render(FOUND.by("accuracy"))
    assert [text for text in texts(svg) if text in ("in order", "architecture", "learning_rate", "epochs")] == [
        "in order",
        "architecture",
        "learning_rate",
    ]
    circles = list(ElementTree.fromstring(svg).iter(f"{SVG}circle"))
    assert len(circles) == 3 * 3
    assert [circle.get("class") for circle in circles].count("best") == 3
    assert {"lstm", "wide-lstm", "0.0005", "0.02"} <= set(texts(svg))


def test_a_larger_accuracy_is_higher_and_a_logarithmic_scale_is_even() -> None:
    circles = list(ElementTree.fromstring(render(FOUND)).iter(f"{SVG}circle"))
    heights = [float(circle.get("cy", "")) for circle in circles[:3]]
    assert heights[1] < heights[2] < heights[0]
    across = [float(circle.get("cx", "")) for circle in circles[6:]]
    assert across[2] - across[0] < across[1] - across[2]


def test_one_run_alone_can_be_drawn() -> None:
    svg = render(Runs([run("1", 1.0)], "a table", billed=False))
    assert len(list(ElementTree.fromstring(svg).iter(f"{SVG}circle"))) == 1


def test_where_there_is_nothing_to_draw_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingStepError, match="no run with a validation accuracy"):
        draw(Runs([run("1", None)], "a table", billed=False), tmp_path / "runs.svg")
    with pytest.raises(FileError, match="cannot be written"):
        draw(FOUND, tmp_path)  # a folder
