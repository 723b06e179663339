"""The job: from a source's files to a dataset, by Spark; `main` is what the script on the machines calls."""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentictl.errors import DataError
from sentictl.reviews.prepare.corpus import NO_TOKENS
from sentictl.reviews.prepare.making import Origin, dataset_digest, make, rows_by_part, text_settings
from sentictl.reviews.prepare.manifest import Manifest
from sentictl.reviews.read.source import without_labels
from sentictl.reviews.read.tables.folder import NO_TABLE, folder_fingerprint
from sentictl.reviews.read.tables.table import TableSource
from sentictl.reviews.spark import order as order_module
from sentictl.reviews.spark.corpus import SparkCorpus
from sentictl.reviews.spark.order import Order
from sentictl.reviews.spark.reading import NOTE, OUTCOME, REVIEW, FileOutcome, read_files

if TYPE_CHECKING:
    from pyspark import RDD, SparkConf
    from pyspark.sql import SparkSession

SKIPPED = "skipped.jsonl"
OUTCOME_FILE = "outcome.json"
MESSAGE_BYTES = 1_024  # of a processing job's ExitMessage, by botocore's DescribeProcessingJob
PIECE_BYTES = 16 * 1024 * 1024  # of a source, that one task tokenizes: some 12,000 reviews
FOR_JVM = 0.4  # of a machine's memory; the rest is Python's, which does the work
Tell = Callable[[str], None]


def prepare(spark: "SparkSession", order: Order, datasets: Path, result: Path, tell: Tell) -> Manifest:
    """Prepare a dataset.

    Args:
        spark: what runs the tasks.
        order: what is to be prepared.
        datasets: the folder, on each machine, in which the files of the dataset are written under its digest.
        result: the folder for the manifest, and for what was not used as it stands: a file with a JSON object a line.
        tell: told of each stage.

    Returns:
        The manifest, which is the one of a dataset that is prepared on one machine.

    Raises:
        DataError: as for one machine.
    """
    reading = _read(spark, order, tell)
    partitions = order.partitions or _partitions(spark, order, reading.names)
    tell(f"stage=tokenizing reviews={reading.starts[-1]} pieces={partitions}")
    reviews = reading.read.filter(lambda each: each[0] == REVIEW).map(lambda each: each[1:])
    corpus = SparkCorpus(reviews, reading.starts, text_settings(order.settings), partitions)
    _count(corpus, reading)
    result.mkdir(parents=True, exist_ok=True)
    _write_skipped(result / SKIPPED, reading, corpus)
    rows = rows_by_part(corpus.members, order.settings, order.name)
    origin = Origin(order.name, _fingerprint(order, reading), order.created_by)
    digest = dataset_digest(origin.fingerprint, order.settings)
    tell(f"stage=encoding reviews={len(corpus.members)} dataset={digest}")
    manifest = make(corpus, rows, origin, order.settings, datasets / digest)
    manifest.write(result)
    for kept in (reading.read, corpus.chunks):
        kept.unpersist()
    tell(f"stage=done dataset={digest}")
    return manifest


def main(code: Path, arguments: Sequence[str] | None = None) -> None:
    """Run the job on the machines that Spark was started on, and leave what came of it.

    A source that cannot be used is an outcome as well, and no failure of the job: where the script fails, AWS's image
    writes a message of its own in the place of ours.

    Args:
        code: the folder of the order and of the archive with this code.
        arguments: the folders that the container has.
    """
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

    parser = argparse.ArgumentParser()
    for name in ("data", "datasets", "result", "message"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    folders = parser.parse_args(arguments)
    spark = SparkSession.builder.config(conf=configured(SparkConf())).getOrCreate()
    spark.sparkContext.addPyFile(str(code / order_module.ARCHIVE))
    order = Order.read(code / order_module.FILE, folders.data)
    try:
        outcome = {"dataset": prepare(spark, order, folders.datasets, folders.result, _print).digest}
    except DataError as error:
        shown = [text.replace(str(folders.data), order.address) for text in (error.message, error.hint)]
        outcome = dict(zip(("message", "hint"), shown, strict=True))
    finally:
        spark.stop()
    folders.result.mkdir(parents=True, exist_ok=True)
    text = json.dumps(outcome, ensure_ascii=False)
    (folders.result / OUTCOME_FILE).write_text(text, encoding="utf-8")
    folders.message.parent.mkdir(parents=True, exist_ok=True)
    folders.message.write_bytes(text.encode()[:MESSAGE_BYTES])


def configured(conf: "SparkConf") -> "SparkConf":
    """Return Spark's configuration for tasks that are Python: AWS's image gives nearly all memory to the JVM."""
    given, beside = (conf.get(f"spark.executor.{name}", "") for name in ("memory", "memoryOverhead"))
    if given.endswith("m") and beside.rstrip("m").isdigit():
        whole = int(given[:-1]) + int(beside.rstrip("m"))
        conf.set("spark.executor.memory", f"{int(whole * FOR_JVM)}m")
        conf.set("spark.executor.memoryOverhead", f"{whole - int(whole * FOR_JVM)}m")
    conf.set("spark.driver.maxResultSize", "0")
    conf.set("spark.ui.showConsoleProgress", "false")
    conf.set("spark.rdd.compress", "true")
    conf.set("spark.sql.caseSensitive", "true")
    conf.set("spark.sql.legacy.parquet.nanosAsLong", "true")  # times as pandas writes them, which Spark refuses else
    for form in ("datetime", "int96"):  # dates of before 1582, which are as they stand
        conf.set(f"spark.sql.parquet.{form}RebaseModeInRead", "CORRECTED")
    return conf.set("spark.sql.session.timeZone", "UTC")


class _Reading(NamedTuple):
    """What was read: the paths of tables and of other files, what became of each table, and all that they gave.

    `starts` has the number of each table's first review, and at last how many there are.
    """

    names: Sequence[str]
    others: Sequence[str]
    outcomes: Sequence[FileOutcome]
    starts: NDArray[np.int64]
    read: "RDD[tuple[Any, ...]]"


def _read(spark: "SparkSession", order: Order, tell: Tell) -> _Reading:
    from pyspark import StorageLevel

    names, others = order.files()
    tell(f"stage=reading files={len(names)}")
    read = read_files(spark, order, names).persist(StorageLevel.DISK_ONLY)
    outcomes = sorted(each[1] for each in read.filter(lambda each: each[0] == OUTCOME).collect())
    problem = next((outcome.problem for outcome in outcomes if outcome.problem), None)
    if problem:
        raise DataError(*problem)
    if not any(outcome.labelled for outcome in outcomes):
        raise without_labels(order.name)
    return _Reading(names, others, outcomes, np.cumsum([0, *(outcome.reviews for outcome in outcomes)]), read)


def _partitions(spark: "SparkSession", order: Order, names: Iterable[str]) -> int:
    size = sum(order.path(name).stat().st_size for name in names)
    processors: int = spark.sparkContext.defaultParallelism
    return max(2 * processors, -(-size // PIECE_BYTES))


def _fingerprint(order: Order, reading: _Reading) -> str:
    tables = [TableSource(order.path(name), *order.reading) for name in reading.names]
    prints = [table.fingerprint_with(each.sha256) for table, each in zip(tables, reading.outcomes, strict=True)]
    return folder_fingerprint(zip(reading.names, prints, strict=True)) if order.is_folder else prints[0]


def _count(corpus: SparkCorpus, reading: _Reading) -> None:
    """Count what the files hold that is not used as it stands; of each kind the example is the first in their order."""
    if reading.others:
        corpus.warnings[NO_TABLE] = len(reading.others)
        corpus.examples[NO_TABLE] = reading.others[0]
    for outcome in reading.outcomes:
        corpus.warnings += Counter(outcome.warnings)
        corpus.examples = outcome.examples | corpus.examples


def _write_skipped(path: Path, reading: _Reading, corpus: SparkCorpus) -> None:
    """Write where each thing is that was counted: a JSON object a line, with the file, the row in it and the reason."""
    entries = [(name, "", NO_TABLE) for name in reading.others]
    notes = [each[1:] for each in reading.read.filter(lambda each: each[0] == NOTE).collect()]
    entries += [(reading.names[file], place, kind) for file, place, kind in sorted(notes, key=itemgetter(0))]
    for number in corpus.empty:
        file = int(np.searchsorted(reading.starts, number, side="right")) - 1
        entries.append((reading.names[file], f"review {number - int(reading.starts[file]) + 1}", NO_TOKENS))
    named = (dict(zip(("file", "row", "reason"), entry, strict=True)) for entry in entries)
    lines = (json.dumps(entry, ensure_ascii=False) + "\n" for entry in named)
    path.write_text("".join(lines), encoding="utf-8")


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201  (the job's log)
