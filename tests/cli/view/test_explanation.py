"""An explanation in a terminal, with and without colors."""

from typing import Any

import pytest

from sentictl.cli.view.explanation import colored_review, show

TEXT = "A superb plot,\nbut \x1bdull and a waste of time"
EXPLANATION: dict[str, Any] = {
    "words": [
        {"word": "superb", "start": 2, "end": 8, "contribution": 2.0},
        {"word": "plot", "start": 9, "end": 13, "contribution": 0.05},
        {"word": "dull", "start": 20, "end": 24, "contribution": -1.0},
    ],
    "phrases": [{"phrase": "waste of time", "contribution": -1.31}, {"phrase": "and a", "contribution": 0.001}],
}


def test_a_words_shade_says_which_way_and_how_strongly_it_counts() -> None:
    shown = colored_review(TEXT, EXPLANATION["words"])
    styled = {shown.plain[span.start : span.end]: str(span.style) for span in shown.spans}
    assert styled.keys() == {"superb", "dull"}  # what hardly counts stays plain
    assert styled["superb"] != styled["dull"]
    assert len(shown.plain) == len(TEXT)
    assert "\x1b" not in shown.plain


def test_a_review_without_words_stays_plain() -> None:
    assert not colored_review("?", []).spans


@pytest.mark.parametrize(
    ("variables", "color"), [({"FORCE_COLOR": "1"}, True), ({"NO_COLOR": "1"}, False), ({}, False)]
)
def test_what_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variables: dict[str, str], *, color: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    show("negative  60.0 %", TEXT, EXPLANATION)
    shown = capsys.readouterr().out
    assert ("\x1b[" in shown) is color
    assert ("+2.00  superb" in shown) is not color  # in colors the review itself shows it
    assert "-1.31  waste of time" in shown
    assert "and a\n" not in shown


def test_in_colors_words_stand_in_for_phrases_where_there_are_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    show("positive  60.0 %", TEXT, EXPLANATION | {"phrases": []})
    assert "+2.00  superb" in capsys.readouterr().out
