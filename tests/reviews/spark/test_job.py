"""The same dataset by Spark as on this machine. One Spark is started for all of it."""

import csv
import gzip
import json
import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any

import psutil
import pyarrow
import pytest
from pyarrow import parquet

from sentictl import __version__
from sentictl.assets.archives import zip_stored
from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.prepare.preparation import PreparedDataset
from sentictl.reviews.prepare.preparation import prepare as prepare_here
from sentictl.reviews.read.resolve import open_source
from sentictl.reviews.spark.job import OUTCOME_FILE, SKIPPED, configured, main, prepare
from sentictl.reviews.spark.order import ARCHIVE, FILE, Order
from tests.peers import require_spark

require_spark()

YEAR_1 = -62_135_596_800_000_000  # microseconds from then to 1970
WORDS = (
    *("superb", "moving", "dreadful", "boring", "plot", "acting", "café", "İstanbul", "don't", "7/10"),
    *("!!!", "8.5/10", "naïve", "<br/>", "Fuß", "!", "🎬"),
)
ADDRESS = "s3://films/reviews"


def texts(seed: int, count: int) -> list[str]:
    """Reviews of words of all kinds, some twice."""
    rng = random.Random(seed)
    return [f"{' '.join(rng.choices(WORDS, k=rng.randint(1, 30)))} w{rng.randint(0, 200)}" for _ in range(count)]


def write_sources(folder: Path) -> None:
    """Tables of three forms, with rows of every kind that people have."""
    (folder / "more").mkdir(parents=True)
    with (folder / "b.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [(text, number % 2) for number, text in enumerate(texts(1, 150))]
        csv.writer(file).writerows([("review", "label"), *rows, ("", 1), ("...", 0), ("no label", ""), rows[0]])
        file.write('A "quoted" thing,1\n"a quote that is none" here,0\n')
    windows = "".join(f"{text};{number % 2}\n" for number, text in enumerate(texts(2, 60)))
    (folder / "c.csv").write_bytes(f"review;label\n{windows}".encode("cp1252", "ignore"))
    with gzip.open(folder / "more" / "a.jsonl.gz", "wt", encoding="utf-8") as file:
        for number, text in enumerate(texts(3, 90)):
            split = ("train", "test", None)[number % 3]
            file.write(json.dumps({"review": text, "label": ("pos", "neg")[number % 2], "split": split}) + "\n")
    columns: dict[str, Any] = {"review": [*texts(4, 120), None, "two\nlines"], "label": [*[0.0, 1.0] * 60, 1.0, None]}
    columns["seen"] = pyarrow.array(range(122), pyarrow.timestamp("ns"))  # as pandas writes it
    columns["of `a.b`"] = pyarrow.array([YEAR_1] * 122, pyarrow.timestamp("us"))
    parquet.write_table(pyarrow.table(columns), folder / "d [1].parquet", row_group_size=25)
    (folder / "_SUCCESS").touch()
    (folder / "notes.txt").write_text("no table")


def order_of(source: Path, settings: DataSettings, partitions: int = 0) -> Order:
    """What the job is asked for, of a source that is here."""
    again = {"start": "sentictl data", "options": ["source", "positive", "negative", "ignore"]}
    again["defaults"] = DataSettings().model_dump()  # type: ignore[assignment]
    folder = source if source.is_dir() else source.parent
    created_by = f"sentictl {__version__}"
    return Order(
        source.name, source.is_dir(), settings.model_dump(), again, created_by, ADDRESS, str(folder), partitions
    )


def content(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source") / "reviews"
    write_sources(folder)
    return folder


@pytest.fixture(scope="module")
def settings(source: Path) -> DataSettings:
    return DataSettings(source=str(source), vocabulary_size=100, shard_reviews=100)


@pytest.fixture(scope="module")
def here(source: Path, settings: DataSettings, tmp_path_factory: pytest.TempPathFactory) -> PreparedDataset:
    """The dataset that this machine prepares."""
    opened = open_source(settings, source, source, lambda *_: None)
    return prepare_here(opened, settings, tmp_path_factory.mktemp("here"), lambda *_: None)


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """Spark on two cores, which tries a task again that was killed."""
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    conf = configured(SparkConf()).set("spark.ui.enabled", "false").set("spark.driver.bindAddress", "127.0.0.1")
    session = SparkSession.builder.master("local[2,4]").config(conf=conf).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def made(spark: Any, source: Path, settings: DataSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what Spark makes of the sources in one piece: `data`, `result`, and the stages that were told."""
    folder = tmp_path_factory.mktemp("made")
    stages: list[str] = []
    prepare(spark, order_of(source, settings, 1), folder / "data", folder / "result", stages.append)
    (folder / "stages").write_text("\n".join(stages))
    return folder


def test_one_piece_gives_the_bytes_that_this_machine_gives(made: Path, here: PreparedDataset) -> None:
    files = content(made / "data" / here.digest)
    assert files | {"manifest.json": (made / "result" / "manifest.json").read_bytes()} == content(here.folder)
    assert len([name for name in files if name.startswith("train/")]) > 2
    stages = [line.split()[0] for line in (made / "stages").read_text().splitlines()]
    assert stages == ["stage=reading", "stage=tokenizing", "stage=encoding", "stage=done"]


def test_seven_pieces_and_killed_workers_give_them_too(
    spark: Any, source: Path, settings: DataSettings, here: PreparedDataset, tmp_path: Path
) -> None:
    killed: list[int] = []
    over = threading.Event()

    def kill(stage: str) -> None:
        if stage.startswith(("stage=tokenizing", "stage=encoding")):
            threading.Thread(target=_kill_a_worker, args=(killed, over, len(killed) + 1), daemon=True).start()

    manifest = prepare(spark, order_of(source, settings, 7), tmp_path / "data", tmp_path / "result", kill)
    over.set()
    assert killed
    made = content(tmp_path / "data" / manifest.digest)
    assert made | {"manifest.json": (tmp_path / "result" / "manifest.json").read_bytes()} == content(here.folder)


def _kill_a_worker(killed: list[int], over: threading.Event, until: int) -> None:
    """Kill one of the processes that run Python for Spark, as soon as there is one."""
    while len(killed) < until and not over.wait(0.01):
        for process in psutil.Process().children(recursive=True):
            try:
                if (
                    "pyspark.daemon" in process.cmdline()
                    and "pyspark.daemon" in (process.parent() or process).cmdline()
                ):
                    process.kill()
                    killed.append(process.pid)
                    return
            except psutil.NoSuchProcess:
                continue


def test_what_was_not_used_as_it_stands_is_listed_row_by_row(made: Path, here: PreparedDataset) -> None:
    lines = (made / "result" / SKIPPED).read_text(encoding="utf-8").splitlines()
    listed = [json.loads(line) for line in lines]
    of_texts = {"review with the same text as another", "text that stands in two splits", "text with both labels"}
    counted = {kind: count for kind, count in here.manifest.warnings.items() if kind not in of_texts}
    assert Counter(entry["reason"] for entry in listed) == counted
    rows = {(entry["file"], entry["row"]): entry["reason"] for entry in listed}
    assert rows["b.csv", "line 152"] == "empty review skipped"
    assert rows["b.csv", "review 151"] == "review without tokens skipped"
    assert rows["b.csv", "line 154"] == "review without a label skipped"
    assert rows["d [1].parquet", "row 121"] == "empty review skipped"
    assert rows["notes.txt", ""] == "file that is no table skipped"


def test_stems_share_ids_as_on_this_machine(spark: Any, source: Path, settings: DataSettings, tmp_path: Path) -> None:
    stemming = settings.model_copy(update={"stem": True, "source": str(source / "b.csv")})
    opened = open_source(stemming, source, source, lambda *_: None)
    here = prepare_here(opened, stemming, tmp_path / "here", lambda *_: None)
    manifest = prepare(spark, order_of(source / "b.csv", stemming), tmp_path / "d", tmp_path / "r", lambda _: None)
    assert manifest == here.manifest


@pytest.mark.parametrize(
    "rows",
    ["Good,1\nBad,0\nSo so,2\n", "Good,1\n" * 30, "Good,1\nBad,0\n", "Good,\nBad,\n", "...,1\n---,0\n"],
    ids=["third label", "one label", "too few", "no label", "no token"],
)
def test_what_cannot_be_used_has_the_error_of_this_machine(spark: Any, tmp_path: Path, rows: str) -> None:
    source = tmp_path / "a.csv"
    source.write_text(f"review,label\n{rows}")
    settings = DataSettings(source=str(source))
    with pytest.raises(DataError) as expected:
        prepare_here(open_source(settings, tmp_path, tmp_path, lambda *_: None), settings, tmp_path, lambda *_: None)
    with pytest.raises(DataError) as caught:
        prepare(spark, order_of(source, settings), tmp_path / "d", tmp_path / "r", lambda _: None)
    assert (caught.value.message, caught.value.hint) == (expected.value.message, expected.value.hint)


def test_a_damaged_parquet_file_is_named(spark: Any, tmp_path: Path) -> None:
    source = tmp_path / "a.parquet"
    source.write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"a\.parquet is not a Parquet file, or damaged"):
        prepare(spark, order_of(source, DataSettings()), tmp_path / "d", tmp_path / "r", lambda _: None)


def test_what_spark_alone_cannot_read_is_to_be_prepared_here(spark: Any, tmp_path: Path) -> None:
    source = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({"review": ["Good"], "label": [1], "seen": [time(12)]}), source)
    with pytest.raises(DataError, match=r"Spark cannot read a\.parquet: .*TIME") as caught:
        prepare(spark, order_of(source, DataSettings()), tmp_path / "d", tmp_path / "r", lambda _: None)
    assert "Prepare it here: sentictl data" in caught.value.hint


def test_the_script_leaves_what_came_of_it_also_where_the_source_cannot_be_used(spark: Any, tmp_path: Path) -> None:
    """The last test: the script ends the Spark that it was given."""
    source = tmp_path / "data" / "a.csv"
    source.parent.mkdir()
    source.touch()
    code = tmp_path / "code"
    code.mkdir()
    (code / ARCHIVE).write_bytes(zip_stored({"nothing.py": b""}))
    (code / FILE).write_text(order_of(source, DataSettings(source=f"{ADDRESS}/a.csv")).text())
    folders = {"data": source.parent, "datasets": tmp_path / "d", "result": tmp_path / "r", "message": tmp_path / "m"}
    main(code, [word for name, folder in folders.items() for word in (f"--{name}", str(folder))])
    outcome = json.loads((tmp_path / "r" / OUTCOME_FILE).read_text(encoding="utf-8"))
    assert outcome["message"] == f"{ADDRESS}/a.csv is empty."
    assert json.loads((tmp_path / "m").read_text(encoding="utf-8")) == outcome
    assert not (tmp_path / "r" / "manifest.json").exists()
