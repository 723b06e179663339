"""The benchmark of the start: what it measures, and what it says of tools that it cannot measure."""

import importlib
import re
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SENTICTL

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def environments(tmp_path: Path) -> Path:
    """A folder with environments in which sentictl and something that is quick to help are installed already."""
    program(tmp_path, "sentictl").symlink_to(SENTICTL)
    other = program(tmp_path, "chalice")
    other.write_text('#!/bin/sh\ntest "$*" = --help\n')
    other.chmod(0o755)
    return tmp_path


def program(folder: Path, name: str) -> Path:
    path = folder / name / "bin" / name
    path.parent.mkdir(parents=True)
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["start.py", *arguments])
    importlib.import_module("benchmarks.start").main()


def test_each_tool_is_a_row_with_its_ratio_to_ours(
    environments: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--only", "sentictl,chalice", "--runs", "3", "--environments", str(environments))
    _, _, bare, ours, other = capsys.readouterr().out.splitlines()
    figures = [[float(figure) for figure in re.findall(r"[\d.]+", row)] for row in (bare, ours, other)]
    assert [row.split("`")[1] for row in (bare, ours, other)] == ["python -c pass", "sentictl --help", "chalice --help"]
    assert figures[1][-2:] == [1, 1]
    for seconds, best, _, ratio, _ in figures:
        assert 0 < best <= seconds
        assert ratio == pytest.approx(seconds / figures[1][0], abs=0.02)


def test_a_tool_without_help_is_said_and_left_out(
    environments: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (environments / "chalice" / "bin" / "chalice").write_text("#!/bin/sh\nexit 3\n")
    run(monkeypatch, "--only", "sentictl,chalice", "--runs", "1", "--environments", str(environments))
    told = capsys.readouterr()
    assert "chalice shows no help" in told.err
    assert "chalice" not in told.out


def test_a_tool_that_cannot_be_installed_is_said_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    run(monkeypatch, "--only", "chalice", "--runs", "1", "--environments", str(tmp_path / "new"))
    told = capsys.readouterr()
    assert "chalice cannot be installed: ERROR: No matching distribution found for chalice" in told.err
    assert "python -c pass" in told.out
    assert "chalice" not in told.out


def test_an_unknown_tool_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, "--only", "zappa")
    assert end.value.code == 2
    assert "there is no tool 'zappa'" in capsys.readouterr().err
