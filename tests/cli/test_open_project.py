"""What commands begin with: the project that they are in, and paths in it."""

from pathlib import Path

import pytest

from sentictl.cli.open_project import in_project


def test_a_path_is_the_projects_and_a_link_stays_one(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that `data` reads what the link leads to by then."""
    (project / "exports").mkdir()
    (project / "exports" / "november.csv").write_text("review,label\n")
    (project / "latest.csv").symlink_to("exports/november.csv")
    monkeypatch.chdir(project / "exports")
    assert in_project("../latest.csv") == "latest.csv"
    assert in_project("november.csv") == "exports/november.csv"
    assert in_project("movie-reviews") == "movie-reviews"
