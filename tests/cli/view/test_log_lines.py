"""Events of logs in a terminal and elsewhere."""

import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sentictl.api.log_events import LogEvent
from sentictl.cli.view.log_lines import show_event
from sentictl.cli.view.output import Output

EVENT = LogEvent("endpoint", datetime(2026, 11, 30, 12, tzinfo=UTC), "red \x1b[31mand\ttitle \x1b]0;x\x07")


@pytest.mark.parametrize("labelled", [True, False])
def test_a_terminal_gets_no_control_characters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, labelled: bool
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    show_event(Output(), EVENT, labelled=labelled)
    shown = capsys.readouterr().out
    assert "red  [31mand title  ]0;x" in shown
    assert shown.rstrip("\n").isprintable()


@pytest.mark.parametrize("part", ["api", "lambda", "endpoint", "train", "batch", "data"])
def test_every_part_has_a_color(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show_event(Output(), replace(EVENT, part=part), labelled=True)
    assert part in capsys.readouterr().out


@pytest.mark.parametrize("labelled", [True, False])
def test_a_file_gets_them_as_they_were_written(capsys: pytest.CaptureFixture[str], *, labelled: bool) -> None:
    show_event(Output(), EVENT, labelled=labelled)
    assert EVENT.message in capsys.readouterr().out
