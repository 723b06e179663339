"""The page about the Python API has all of it."""

import re
from pathlib import Path

import pytest

from sentictl import Project

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
CELLS = " ".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("|"))


@pytest.mark.parametrize("name", [name for name in vars(Project) if not name.startswith("_")])
def test_every_public_name_of_a_project_is_in_the_table(name: str) -> None:
    assert re.search(rf"\b{name}\b", CELLS)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"^(?:live = )?project\.(\w+)", PAGE, re.MULTILINE))))
def test_every_name_in_the_example_exists(name: str) -> None:
    assert hasattr(Project, name)
