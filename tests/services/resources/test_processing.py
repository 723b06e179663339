"""The processing job as commands see it, against moto, whose jobs are over at once; what they leave is put there."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sentictl.config.state import Record
from sentictl.errors import DataError, MissingStepError
from sentictl.lifecycle.reconcile import TO_COME
from sentictl.lifecycle.resource import Context
from sentictl.reviews.prepare.manifest import FileFacts, Manifest, SplitFacts
from sentictl.services.resources import processing
from sentictl.services.resources.dataset import Dataset
from sentictl.services.resources.processing import ProcessingJob, skipped_rows
from sentictl.services.resources.processing_code import ProcessingCode
from tests.services.conftest import ContextOf

SETTINGS = '[project]\nname = "films"\nid = "0123456789ab"\n[data]\nsource = "s3://raw/2026/"\non = "aws"\n'
DIGEST = "0123456789abcdef"
REFUSED = {"message": "line 2 of a.csv: 2 is a third label.", "hint": "Leave it out."}
IN_EUROPE = {"LocationConstraint": "eu-west-1"}


class Aws:
    """A project in moto whose source is there."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.client = context.environment.client("s3")
        for bucket in ("raw", context.naming.bucket):
            self.client.create_bucket(Bucket=bucket, CreateBucketConfiguration=IN_EUROPE)
        self.client.put_object(Bucket="raw", Key="2026/a.csv", Body=b"review,label\nGood,1\n")

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.context.naming.bucket, Key=key, Body=content)

    def keys(self, prefix: str) -> list[str]:
        answer = self.client.list_objects_v2(Bucket=self.context.naming.bucket, Prefix=prefix)
        return [entry["Key"] for entry in answer.get("Contents", [])]

    def begin(self) -> ProcessingJob:
        """A job that was asked for."""
        job = ProcessingJob(self.context)
        job.find()
        job.create()
        return job

    def leave(self, job: ProcessingJob, outcome: dict[str, str], manifest: Manifest | None = None) -> None:
        """What a job leaves when it is over."""
        prefix = f"{ProcessingCode(self.context).name}{job.name}/"
        self.put(f"{prefix}outcome.json", json.dumps(outcome).encode())
        if manifest is not None:
            folder = self.context.config.folder.root
            manifest.write(folder)
            self.put(f"{prefix}manifest.json", (folder / "manifest.json").read_bytes())


@pytest.fixture
def aws(moto_context_of: ContextOf) -> Aws:
    return Aws(moto_context_of(SETTINGS))


@pytest.fixture
def manifest() -> Manifest:
    split = SplitFacts(reviews=20, tokens=60, unknown_rate=0.0, positive=10, negative=10)
    return Manifest(
        format=3,
        digest=DIGEST,
        source="2026",
        fingerprint="f",
        created_by="sentictl 1",
        settings={},
        splits={"train": split, "validation": split, "test": split},
        unlabelled=None,
        vocabulary_ids=9,
        vocabulary_words=7,
        validation_by_film=False,
        warnings={"empty review skipped": 1},
        files={"train/reviews-00000.npz": FileFacts(3, "a"), "vocabulary/vocabulary.txt": FileFacts(2, "b")},
    )


def ready(job: ProcessingJob) -> Any:
    """What comes of waiting for a job."""
    live = job.find()
    assert live is not None
    return job.wait_ready(live)


def test_a_job_that_has_made_a_dataset_is_found_again(aws: Aws, manifest: Manifest) -> None:
    job = aws.begin()
    aws.leave(job, {"dataset": DIGEST}, manifest)
    assert ready(job).attributes == {"dataset": DIGEST}
    assert ProcessingJob(aws.context).find() is not None
    assert Dataset(aws.context).prepared.manifest == manifest
    assert Dataset(aws.context).name == f"datasets/{DIGEST}/"
    assert skipped_rows(aws.context).endswith(f"/{job.name}/skipped.jsonl")


def test_a_source_that_cannot_be_used_is_the_jobs_error_each_time(aws: Aws) -> None:
    job = aws.begin()
    aws.leave(job, REFUSED)
    for each in (job, ProcessingJob(aws.context)):
        with pytest.raises(DataError) as caught:
            ready(each)
        assert {"message": caught.value.message, "hint": caught.value.hint} == REFUSED


def test_a_job_that_left_nothing_is_followed_by_another(aws: Aws) -> None:
    first = aws.begin()
    again = ProcessingJob(aws.context)
    assert again.find() is None
    assert again.name == f"{first.name}-2"


def test_before_it_is_prepared_a_dataset_has_no_name_yet(aws: Aws) -> None:
    assert Dataset(aws.context).name == f"datasets/{TO_COME}/"
    with pytest.raises(MissingStepError, match="not prepared yet"):
        _ = Dataset(aws.context).prepared


def test_the_manifest_goes_to_the_dataset_once_all_of_it_is_there(aws: Aws, manifest: Manifest) -> None:
    aws.leave(aws.begin(), {"dataset": DIGEST}, manifest)
    prefix = f"datasets/{DIGEST}/"
    aws.put(f"{prefix}train/reviews-00000.npz", b"abc")
    aws.put(f"{prefix}train/.reviews-00000.npz.7.partial", b"ab")
    aws.context.state.keep(Record("processing-job", "films-local-a", "arn"))
    with pytest.raises(DataError, match=r"vocabulary/vocabulary\.txt is not there whole"):
        Dataset(aws.context).create()
    assert f"{prefix}manifest.json" not in aws.keys(prefix)
    aws.put(f"{prefix}vocabulary/vocabulary.txt", b"ab")
    Dataset(aws.context).create()
    assert aws.keys(prefix) == sorted(f"{prefix}{name}" for name in ("manifest.json", *manifest.files))


def over(status: str, **more: Any) -> dict[str, Any]:
    """What AWS tells of a job that is over."""
    began = datetime(2026, 11, 30, tzinfo=UTC)
    times = {"ProcessingStartTime": began, "ProcessingEndTime": began + timedelta(minutes=more.pop("minutes", 5))}
    return {
        "ProcessingJobArn": "arn",
        "ProcessingJobStatus": status,
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        **times,
        **more,
    }


@pytest.mark.parametrize(
    ("job", "message", "hint"),
    [
        (over("Failed", FailureReason="Error:\n exit code: 1"), "ended as Failed: Error: exit code: 1", "logs data"),
        (over("Stopped"), "ended as Stopped.", "sentictl logs data"),
        (over("Stopped", minutes=61), "ran out of time", "sentictl data --max-minutes 120"),
        (over("Failed", FailureReason="ClientError: … needs PySpark: pip …"), "needs PySpark", "[spark]"),
        (None, "it was deleted", "sentictl data"),
    ],
)
def test_a_job_that_ends_badly_says_why_and_what_to_do(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, job: dict[str, Any] | None, message: str, hint: str
) -> None:
    begun = aws.begin()
    aws.leave(begun, {"dataset": DIGEST})
    live = begun.find()
    assert live is not None
    monkeypatch.setattr(processing, "describe_processing_job", lambda _context, _name: job)
    with pytest.raises(DataError) as caught:
        begun.wait_ready(live)
    assert message in caught.value.message
    assert hint in caught.value.hint
