"""docs/dependencies.md has a reason for every dependency."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `([\w.-]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
FIGURE = re.compile(r"[\d,]+(\.\d)?")


def test_every_dependency_has_its_reason_and_its_figures() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {Requirement(each).name for each in project["dependencies"]}
    asked |= {Requirement(each).name for extra in project["optional-dependencies"].values() for each in extra}
    rows = {
        name: cells for name, *cells in ROW.findall((ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8"))
    }
    assert rows.keys() == asked
    for name, (_, own, all_of_it, took, _) in rows.items():
        assert FIGURE.fullmatch(own), name
        assert FIGURE.fullmatch(all_of_it), name
        assert took == "-" or FIGURE.fullmatch(took), name
