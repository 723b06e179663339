"""The page of the benchmarks: made of what they found, and of nothing else."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def document() -> Any:
    return importlib.import_module("benchmarks.document")


def run(document: Any, monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> None:
    monkeypatch.setattr(sys, "argv", ["document.py", *map(str, arguments)])
    document.main()


FOUND = {
    "machine": "2 cores",
    "version": "0.0.0",
    "day": "2026-01-01",
    "sections": {
        "growth": {
            "title": "Growth",
            "command": "python benchmarks/growth.py",
            "about": "How it grows.",
            "tables": [{"head": ["reviews", "s"], "rows": [["1,000", "0.2"], ["10,000", "2.0"]]}],
            "plots": [
                {
                    "name": "growth",
                    "title": "Time",
                    "x": "reviews",
                    "y": "s",
                    "lines": {"data": [[1e3, 0.2], [1e4, 2.0]]},
                }
            ],
        }
    },
}


def test_the_page_shows_what_was_found_with_its_plots(
    document: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "benchmarks.json").write_text(json.dumps(FOUND))
    run(document, monkeypatch, "--only", "", "--docs", tmp_path)
    page = (tmp_path / "benchmarks.md").read_text()
    assert "2 cores, sentictl 0.0.0, 2026-01-01" in page
    assert "## Growth\n\nHow it grows.\n\n| reviews | s |\n| :-- | --: |\n| 1,000 | 0.2 |\n| 10,000 | 2.0 |" in page
    assert "![Time](images/benchmarks/growth.svg)" in page
    assert "`python benchmarks/growth.py`" in page
    picture = tmp_path / "images" / "benchmarks" / "growth.svg"
    drawn = picture.read_bytes()
    run(document, monkeypatch, "--only", "", "--docs", tmp_path)
    assert picture.read_bytes() == drawn


def test_an_unknown_benchmark_is_refused_with_those_there_are(
    document: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(document, monkeypatch, "--only", "prediction")
    assert "there is no benchmark 'prediction'; there are predict" in capsys.readouterr().err


def test_the_page_is_the_one_that_its_figures_make(
    document: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    docs = ROOT / "docs"
    (tmp_path / "benchmarks.json").write_bytes((docs / "benchmarks.json").read_bytes())
    run(document, monkeypatch, "--only", "", "--docs", tmp_path)
    assert (docs / "benchmarks.md").read_text() == (tmp_path / "benchmarks.md").read_text()
    pictures = {path.name for path in (tmp_path / "images" / "benchmarks").iterdir()}
    assert {path.name for path in (docs / "images" / "benchmarks").iterdir()} == pictures
