"""Log streams by themselves: what a group keeps of very many lines."""

import time
from pathlib import Path

import pytest

from sentictl.twin.cloudwatch import logs
from sentictl.twin.cloudwatch.logs import LogStreams
from sentictl.twin.cloudwatch.metrics import Metrics
from sentictl.twin.control_plane.control_plane import ControlPlane
from sentictl.twin.control_plane.journal import Journal
from sentictl.twin.control_plane.weather import Weather

NOW = int(time.time() * 1000)
REGION = "eu-north-1"  # in which no other test writes


def test_a_group_keeps_its_newest_lines_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_EVENTS", 10)
    control = ControlPlane(Journal(tmp_path), Weather(tmp_path / "weather"))
    streams = LogStreams(control, Metrics(control))

    def put(group: str, stream: str, *numbers: int) -> None:
        streams.put(REGION, group, stream, [{"timestamp": NOW + number, "message": str(number)} for number in numbers])

    def kept(group: str, stream: str) -> list[str]:
        return [event["message"] for event in streams.events(REGION, group, stream)]

    put("films", "first", *range(1, 7))
    put("others", "first", *range(1, 7))
    put("films", "second", *range(7, 13))
    assert kept("films", "first") == ["3", "4", "5", "6"]
    put("films", "second", *range(13, 23))
    assert kept("films", "first") == []
    assert kept("films", "second") == [str(number) for number in range(13, 23)]
    assert kept("others", "first") == [str(number) for number in range(1, 7)]
