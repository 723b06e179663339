"""Transform jobs as the services ask for them, on moto, where a test says what becomes of each."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.sagemaker.models import sagemaker_backends

from sentictl.config.state import Record
from sentictl.errors import BatchError, DataError, UsageError
from sentictl.lifecycle.resource import Context
from sentictl.services.batch.answers import AnswerTarget, joined, predictions
from sentictl.services.batch.job import BatchRequest, TransformJob, folder_of
from sentictl.services.batch.model import BatchModel, record_form
from sentictl.services.batch.price import START_MINUTES, batch_price
from sentictl.services.batch.records import MB, BatchRecords, Section, write_records
from sentictl.services.operations.unused import survey
from sentictl.services.predict.rows import InputRow
from tests.services.conftest import MOTO_ACCOUNT, ContextOf

REGION = "eu-west-1"
ROWS = [InputRow(f"film {number}", {"id": number}, where=f"row {number}") for number in range(10)]


@pytest.fixture
def records(tmp_path: Path) -> BatchRecords:
    return write_records(ROWS, tmp_path / "records", MB)


def job_of(context: Context, records: BatchRecords, instances: int = 2) -> TransformJob:
    job = TransformJob(context, BatchRequest(records, instances))
    job.find()
    return job


def begin(context: Context, records: BatchRecords) -> TransformJob:
    """Begin the batch's next job, which is not over."""
    BatchModel(context).create() if BatchModel(context).read(BatchModel(context).name) is None else None
    job = job_of(context, records)
    job.create()
    as_moto_has_it(job).transform_job_status = "InProgress"
    context.state.keep(Record(job.kind, job.name, "arn"))
    return job


def as_moto_has_it(job: TransformJob) -> Any:
    return sagemaker_backends[MOTO_ACCOUNT][REGION].transform_jobs[job.name]


def keys(context: Context, prefix: str) -> list[str]:
    found = context.environment.client("s3").list_objects_v2(Bucket=context.naming.bucket, Prefix=prefix)
    return [entry["Key"] for entry in found.get("Contents", [])]


def answer(context: Context, job: TransformJob, section: Section, **changes: Any) -> None:
    """Put answers to a section where AWS puts them."""
    said = {"label": "positive", "sentiment": 1, "probability": 0.9, "model": "m", "undecided": False} | changes
    body = b"".join(
        json.dumps(said | {"number": number}).encode() + b"\n" for number in range(section.first, section.end)
    )
    key = f"{job.folder}out/{section.name}.out"
    context.environment.client("s3").put_object(Bucket=context.naming.bucket, Key=key, Body=body)


def finish(job: TransformJob, status: str) -> None:
    as_moto_has_it(job).transform_job_status = status


def test_a_job_asks_by_lines_in_objects_of_which_each_machine_has_one(context: Context, records: BatchRecords) -> None:
    job = begin(context, records)
    asked = context.environment.client("sagemaker").describe_transform_job(TransformJobName=job.name)
    assert asked["TransformResources"] == {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2}
    assert (asked["BatchStrategy"], asked["MaxConcurrentTransforms"], asked["MaxPayloadInMB"]) == ("MultiRecord", 4, 1)
    source = asked["TransformInput"]
    assert (source["ContentType"], source["SplitType"]) == ("application/jsonlines", "Line")
    assert source["DataSource"]["S3DataSource"]["S3Uri"] == f"s3://{context.naming.bucket}/{job.folder}in/"
    assert len(keys(context, f"{job.folder}in/")) == 2
    assert asked["TransformOutput"]["AssembleWith"] == "Line"


def test_a_job_that_failed_is_followed_by_one_that_asks_about_the_rest(context: Context, records: BatchRecords) -> None:
    first = begin(context, records)
    one, other = (Section.named(key) for key in keys(context, f"{first.folder}in/"))
    assert one is not None
    assert other is not None
    answer(context, first, one)
    finish(first, "Failed")
    second = begin(context, records)
    assert second.name == f"{first.name}-2"
    covered = [Section.named(key) for key in keys(context, f"{first.folder}in/")]
    assert sorted(number for section in covered if section for number in range(section.first, section.end)) == list(
        range(other.first, other.end)
    )
    finish(second, "Completed")
    with pytest.raises(BatchError, match="ended as Completed"):  # but not all of it is there
        second.wait_ready(second.read(second.name) or pytest.fail("it is gone"))


def test_a_job_that_runs_or_is_done_is_found_again(context: Context, records: BatchRecords) -> None:
    first = begin(context, records)
    assert job_of(context, records).name == first.name
    for key in keys(context, f"{first.folder}in/"):
        answer(context, first, Section.named(key) or Section(0, 0))
    finish(first, "Completed")
    again = job_of(context, records, instances=5)
    assert again.name == first.name
    assert again.wait_ready(again.read(again.name) or pytest.fail("it is gone")).status == "Completed"
    assert len(list(predictions(context, again))) == len(records)


def test_another_model_or_another_order_is_another_batch(
    context: Context, records: BatchRecords, tmp_path: Path
) -> None:
    turned = write_records(reversed(ROWS), tmp_path / "turned", MB)
    names = {job_of(context, each).name for each in (records, turned)}
    context.state.keep(Record("training-job", "films-local-b", "arn", {"artifact": "s3://films/b/model.tar.gz"}))
    assert len(names | {job_of(context, records).name}) == 3


def test_what_is_over_and_left_nothing_counts_as_gone(context: Context, records: BatchRecords) -> None:
    job = begin(context, records)
    finish(job, "Stopped")
    assert [name for name, _ in job.found()] == [job.name]
    job.delete(Record(job.kind, job.name))
    assert (job.read(job.name), list(job.found())) == (None, [])
    assert job.is_gone(as_moto_has_it(job).arn)


@pytest.mark.parametrize("name", ["films-local-batch-0123456789ab", "films-local-batch-0123456789ab-12"])
def test_the_jobs_of_a_batch_share_its_folder(name: str) -> None:
    assert folder_of(name) == "batch/0123456789ab/"


def test_answers_are_joined_in_order_and_odd_ones_refused(context: Context, records: BatchRecords) -> None:
    job = begin(context, records)
    sections = sorted(section for key in keys(context, f"{job.folder}in/") if (section := Section.named(key)))
    for section in reversed(sections):
        answer(context, job, section)
    found = list(joined(ROWS, records, predictions(context, job), MB))
    assert [each.row.fields["id"] for each in found] == [each.prediction["number"] for each in found] == list(range(10))
    with pytest.raises(DataError, match="was changed"):
        list(joined([*ROWS[:-1], ROWS[0]], records, predictions(context, job), MB))
    with pytest.raises(DataError, match="was changed"):
        list(joined(ROWS[:-1], records, predictions(context, job), MB))
    key = f"{job.folder}out/{sections[0].name}.out"
    for odd in (b"no json\n" * len(sections[0]), b'{"label": "positive"}\n'):
        context.environment.client("s3").put_object(Bucket=context.naming.bucket, Key=key, Body=odd)
        with pytest.raises(BatchError, match="something else"):
            list(predictions(context, job))


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("s3://none-of-ours/answers.csv", "no bucket none-of-ours"),
        ("s3:///answers.csv", "names no object"),
        ("s3://No_Bucket/answers.csv", "names no object"),
        ("s3://answers.csv", "names no object"),
    ],
)
def test_answers_that_could_go_nowhere_are_refused_before_anybody_is_asked(
    context: Context, output: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        AnswerTarget(output).check(context)


def test_answers_go_where_there_is_a_bucket_and_no_such_object(context: Context) -> None:
    output = f"s3://{context.naming.bucket}/answers.csv"
    AnswerTarget(output).check(context)
    context.environment.client("s3").put_object(Bucket=context.naming.bucket, Key="answers.csv", Body=b"")
    with pytest.raises(UsageError, match="not overwritten"):
        AnswerTarget(output).check(context)


def test_an_artifact_of_before_is_asked_about_each_review_by_itself(context: Context) -> None:
    assert record_form(context) == ("application/jsonlines", "MultiRecord")
    (context.config.folder.models / "films-local-a" / "code" / "inference.py").write_text("")
    assert record_form(context) == ("application/json", "SingleRecord")


@pytest.mark.parametrize(
    ("settings", "image"),
    [
        ("", "pytorch-inference:2.6.0-cpu"),
        ('[deploy]\nserving = "lambda"\n', "pytorch-inference:2.6.0-cpu"),
        ('[deploy]\nserving = "serverless"\n', "pytorch-inference:2.6.0-cpu"),
        ('[batch]\ninstance_type = "ml.g5.xlarge"\n', "pytorch-inference:2.6.0-gpu"),
        ('[deploy]\nimage = "ray-serve"\n', "ray:serve-ml"),
        ('[deploy]\nimage = "ray-serve"\nserving = "lambda"\n', "pytorch-inference:2.6.0-cpu"),
    ],
)
def test_the_image_is_the_endpoints_for_the_machines_of_batches(
    context_of: ContextOf, settings: str, image: str
) -> None:
    context = context_of(f'[project]\nname = "films"\n{settings}')
    context.state.keep(Record("training-job", "films-local-a", "arn", {"artifact": "s3://films/a/model.tar.gz"}))
    container = BatchModel(context).container()
    assert image in container["Image"]
    assert ("SAGEMAKER_PROGRAM" in container["Environment"]) == ("pytorch" in image)


def test_the_price_is_that_of_the_machines_and_their_start(context: Context, records: BatchRecords) -> None:
    few = batch_price(context, BatchRequest(records, 2))
    assert few.minutes == pytest.approx(START_MINUTES, abs=0.1)
    assert few.price == pytest.approx(2 * 0.23 * few.minutes / 60)
    many = replace(records, ends=[1_310 * number for number in range(1, 1_000_001)])
    alone, together = (batch_price(context, BatchRequest(many, count)) for count in (1, 10))
    assert alone.minutes - START_MINUTES == pytest.approx(10 * (together.minutes - START_MINUTES))
    assert "1,000,000 reviews in about" in str(alone)


def test_what_nobody_fetched_is_pruned_a_day_after_its_end(context: Context, records: BatchRecords) -> None:
    job = begin(context, records)
    moto = as_moto_has_it(job)
    moto.transform_end_time = None
    assert [each.kind for each in survey(context).unused] == []
    finish(job, "Completed")
    moto.transform_end_time = datetime.now(UTC) - timedelta(hours=1)
    assert [each.kind for each in survey(context).unused] == []
    moto.transform_end_time = datetime.now(UTC) - timedelta(hours=25)
    (unused,) = survey(context).unused
    assert (unused.kind, unused.prefix, unused.bytes_on_s3) == ("batch", job.folder, records.size)
