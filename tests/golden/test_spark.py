"""A dataset prepared on AWS: what is asked for it, and that it is the one of this machine. Spark really runs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sentictl.cli.app import app
from sentictl.twin import daemon
from tests.chain.shell import begin
from tests.golden.requests import Request, complaints, record
from tests.golden.test_requests import REWRITE, WRITING, _difference, _file
from tests.golden.writer import Writer
from tests.peers import require_spark

require_spark()

STORY = "spark"
SOURCE = "s3://raw-reviews/2026/"
ON_AWS = ("data", "--source", SOURCE, "--on", "aws", "--vocabulary-size", "150")


@dataclass
class Told:
    """What was asked of AWS, the answers of commands by what they are called here, and the job's own log."""

    requests: list[Request]
    answers: dict[str, Any]
    progress: str
    log: str


def sentictl(*arguments: str) -> Any:
    """The document that a command answers with, and what it said meanwhile."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A source of two files is prepared on AWS, again, and here; a model learns from it; all is taken down."""
    shell = begin(tmp_path_factory.mktemp("golden") / "toy")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(shell.folder)
        monkeypatch.setenv("XDG_CACHE_HOME", str(shell.folder / "cache"))  # what an earlier run fetched is not there
        daemon.start(shell.twin)
        _put_source(shell.client("s3"), shell.folder / "reviews.csv")
        requests = record(monkeypatch)
        answers: dict[str, Any] = {}
        try:
            answers["plan"] = sentictl(*ON_AWS, "--dry-run")
            requests.clear()
            shown = CliRunner().invoke(app, ON_AWS)
            assert shown.exit_code == 0, shown.output
            made = len(requests)
            answers["again"] = sentictl("data")
            again = requests[made:]
            del requests[made:]
            log = CliRunner().invoke(app, ["logs", "data"]).stdout
            answers["train"] = sentictl("train", "--architecture", "ngram")
            answers["measured"] = sentictl("evaluate")
            answers["objects"] = _objects(shell.client("s3"))
            before = len(requests)
            answers["here"] = sentictl("data", "--on", "here")
            asked = requests[:made] + requests[before:]
            answers["folder"] = _files(shell.folder / ".sentictl" / "datasets" / answers["here"]["name"].split("/")[1])
            answers["changes"] = [request.operation for request in again if not request.reads]
        finally:
            sentictl("down", "--yes")
        yield Told(asked, answers, shown.stderr, log)


def _put_source(s3: Any, table: Path) -> None:
    header, *rows = table.read_text().splitlines(keepends=True)
    s3.create_bucket(Bucket="raw-reviews")
    s3.put_object(Bucket="raw-reviews", Key="2026/a.csv", Body=(header + "".join(rows[:100])).encode())
    s3.put_object(Bucket="raw-reviews", Key="2026/more/b.csv", Body=(header + "".join(rows[100:])).encode())


def _objects(s3: Any) -> dict[str, bytes]:
    bucket = next(each["Name"] for each in s3.list_buckets()["Buckets"] if each["Name"].startswith("toy-local-"))
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_the_dataset_of_this_machine(told: Told) -> None:
    prefix = told.answers["again"]["name"]
    assert told.answers["here"]["name"] == prefix
    objects = told.answers["objects"]
    there = {key.removeprefix(prefix): content for key, content in objects.items() if key.startswith(prefix)}
    assert there == told.answers["folder"]


def test_every_request_is_one_that_the_service_model_allows(told: Told) -> None:
    refused = {f"{request.service} {request.operation}": complaints(request) for request in told.requests}
    assert {request: why for request, why in refused.items() if why} == {}


def test_the_requests_are_the_recorded_ones(told: Told) -> None:
    text = Writer().write(told.requests)
    if WRITING:
        _file(STORY).write_text(text, encoding="utf-8")
    difference = _difference(STORY, text)
    assert not difference, f"\n{difference}\nIf that is meant: {REWRITE}"


def test_the_price_is_told_before_it_is_spent(told: Told) -> None:
    price = told.answers["plan"]["preparation"]
    assert (price["minutes"], price["instance_type"], price["instance_count"]) == (60, "ml.m5.xlarge", 1)
    assert price["most"] == pytest.approx(0.23)
    assert "60 minutes of ml.m5.xlarge" in " ".join(told.progress.split())


def test_the_stages_are_shown_and_logged(told: Told) -> None:
    places = [told.progress.index(words) for words in ("reading 2 files", "tokenizing 240 reviews", "encoding 240")]
    assert places == sorted(places)
    assert "stage=reading files=2" in told.log.splitlines()


def test_the_same_again_changes_nothing(told: Told) -> None:
    assert told.answers["changes"] == []


def test_a_model_learns_from_what_is_on_s3_alone(told: Told) -> None:
    assert told.answers["train"]["metrics"]["validation_accuracy"] > 0.9
    assert told.answers["measured"]["accuracy"] > 0.9
