"""A DataFrame as the reviews of a project, on the twin."""

from pathlib import Path

import pytest

from sentictl import Project
from tests.chain.shell import begin


def test_a_frame_becomes_the_projects_reviews(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    texts = [f"A {('dull', 'lovely')[number % 2]} film, number {number}" for number in range(100)]
    frame = pandas.DataFrame({"text": [*texts, "So so"], "stars": [*(1 + 4 * (n % 2) for n in range(100)), 3]})
    project = Project(begin(tmp_path / "toy").folder, tell=lambda _: None)
    names = {"data.review_column": "text", "data.label_column": "stars", "data.positive": "5", "data.negative": "1"}
    try:
        prepared = project.data(names | {"data.ignore": "3"}, frame=frame)
        document = prepared.document()
        assert (document["reviews"], prepared.arn) == (100, document["uri"])
        assert document["counted"] == [
            {
                "what": "review with an ignored label skipped",
                "count": 1,
                "example": f"line 101 of {prepared.manifest.source}: 3",
            }
        ]
        assert (project.folder / project.settings.data.source).is_file()
        assert project.data() == prepared
    finally:
        project.down()
