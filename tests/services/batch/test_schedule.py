"""Reviews that are answered again and again: what is put into the schedule, and what its roles may do."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.sagemaker.models import sagemaker_backends

from sentictl.api import stack
from sentictl.aws.names import TRANSFORM_GROUP
from sentictl.config.state import Record
from sentictl.errors import SettingsError
from sentictl.lifecycle.reconcile import Step, apply
from sentictl.lifecycle.resource import Context, Resource
from sentictl.services.batch.price import START_MINUTES, run_price
from sentictl.services.batch.rule import BatchRule
from sentictl.services.batch.schedule import (
    BatchSchedule,
    ScheduledAccess,
    ScheduledModel,
    check_folders,
    schedule_note,
)
from sentictl.services.iam.permissions import policy
from sentictl.services.iam.roles import ExecutionRole
from sentictl.services.kept import KEPT, SCHEDULED
from sentictl.services.monitoring.texts import text_of
from sentictl.services.operations.logs import read_logs
from sentictl.services.operations.unused import survey
from sentictl.services.serving.image import ImageAccess
from tests.services.conftest import MOTO_ACCOUNT

REGION = "eu-west-1"

FOLDERS = {"input": "s3://given/reviews/", "output": "s3://written/answers/"}


class Silent:
    """An observer that keeps the steps."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str]] = []

    def started(self, step: Step) -> None:
        self.steps.append((str(step.action), step.kind))

    def finished(self, step: Step, summary: str) -> None:
        """Nothing is told."""


def schedule(context: Context, every: str) -> list[tuple[str, str]]:
    """Bring the schedule to what the settings then ask for. Returns what was done, without what was kept."""
    values = {"every": every, **FOLDERS}
    context.config.change({f"batch.schedule.{name}": value for name, value in values.items()})
    kinds: tuple[type[Resource], ...] = (ExecutionRole, *SCHEDULED)
    observer = Silent()
    apply([kind(context) for kind in kinds], context, observer)
    return [step for step in observer.steps if step[0] != "keep"]


def target(context: Context) -> dict[str, Any]:
    found: dict[str, Any] = context.environment.client("scheduler").get_schedule(Name="films-local-batch")
    return found


def test_a_run_is_a_job_of_its_own_over_all_that_lies_there(context: Context) -> None:
    made = [kind for _, kind in schedule(context, "mon-fri 6:30")]
    assert made == [
        *("execution-role", "scheduled-access", "scheduled-model", "batch-schedule-role", "batch-schedule"),
    ]
    found = target(context)
    assert (found["ScheduleExpression"], found["Target"]["RoleArn"].rpartition("/")[2]) == (
        "cron(30 6 ? * MON,TUE,WED,THU,FRI *)",
        "films-local-batch",
    )
    asked = json.loads(found["Target"]["Input"])
    assert asked["TransformJobName"] == "films-local-run-<aws.scheduler.execution-id>"
    assert asked["TransformOutput"]["S3OutputPath"] == "s3://written/answers/<aws.scheduler.execution-id>"
    assert asked["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://given/reviews/"
    assert asked["DataProcessing"] == {"JoinSource": "Input"}
    assert schedule(context, "mon-fri 6:30") == []


def test_another_model_that_is_served_is_asked_from_then_on(context: Context) -> None:
    schedule(context, "day 3:00")
    before = json.loads(target(context)["Target"]["Input"])["ModelName"]
    attributes = {"artifact": "s3://films/b/model.tar.gz"}
    context.state.keep(Record("training-job", "films-local-b", "arn", attributes))
    script = context.config.folder.models / "films-local-b" / "code" / "inference.py"
    script.parent.mkdir(parents=True)
    script.write_text('JSON_LINES = "application/jsonlines"\n')
    assert schedule(context, "day 3:00") == [
        ("replace", "scheduled-model"),
        ("update", "batch-schedule"),
        ("delete", "scheduled-model"),
    ]
    after = json.loads(target(context)["Target"]["Input"])["ModelName"]
    assert before != after == ScheduledModel(context).name


def test_off_takes_all_of_it_away_but_the_chains_role(context: Context) -> None:
    schedule(context, "day 3:00")
    assert schedule(context, "off") == [
        ("delete", kind) for kind in ("batch-schedule", "batch-schedule-role", "scheduled-model", "scheduled-access")
    ]
    assert context.state.latest(ExecutionRole.kind)
    assert schedule_note(context) == ""


def test_the_execution_role_reads_the_one_folder_and_writes_to_the_other(context: Context) -> None:
    schedule(context, "day 3:00")
    find, read, write = ScheduledAccess(context).statements()
    assert (find["Resource"], find["Condition"]) == (
        "arn:aws:s3:::given",
        {"StringLike": {"s3:prefix": "reviews/*"}},
    )
    assert (read["Action"], read["Resource"]) == ("s3:GetObject", "arn:aws:s3:::given/reviews/*")
    assert write["Resource"] == "arn:aws:s3:::written/answers/*"
    assert "s3:GetObject" not in write["Action"]


def test_whoever_runs_the_commands_may_schedule_only_where_the_settings_ask_for_it(context: Context) -> None:
    assert "role/films-local-batch" not in json.dumps(policy(context, KEPT))
    schedule(context, "day 3:00")
    assert "role/films-local-batch" in json.dumps(policy(context, KEPT))


def run(context: Context, name: str, status: str) -> None:
    """Begin a job as the schedule does, and end it."""
    asked = json.loads(target(context)["Target"]["Input"]) | {"TransformJobName": name}
    context.environment.client("sagemaker").create_transform_job(**asked)
    job: Any = sagemaker_backends[MOTO_ACCOUNT][REGION].transform_jobs[name]
    job.transform_job_status, job.failure_reason = status, "ClientError: no objects" if status == "Failed" else None


def test_the_last_run_is_told_with_why_it_failed_and_its_log_is_found(context: Context) -> None:
    schedule(context, "day 3:00")
    run(context, "films-local-run-0a1b", "Failed")
    run(context, "my-films-local-run-0a1c", "Completed")  # another project's
    run(context, "films-local-run-run-0a1c", "Completed")  # another environment's
    assert "last run: Failed" in (note := schedule_note(context))
    assert "ClientError: no objects" in note
    assert note.endswith("sentictl logs batch")
    stream = "films-local-run-0a1b/i-1"
    logs = context.environment.client("logs")
    logs.create_log_group(logGroupName=TRANSFORM_GROUP)
    logs.create_log_stream(logGroupName=TRANSFORM_GROUP, logStreamName=stream)
    event = {"timestamp": int(time.time() * 1000), "message": "no objects there"}
    logs.put_log_events(logGroupName=TRANSFORM_GROUP, logStreamName=stream, logEvents=[event])
    assert [each.message for each in read_logs(context, ["batch"])] == ["no objects there"]


@pytest.mark.parametrize(("zone", "words"), [("UTC", "UTC"), ("Europe/Berlin", "Europe/Berlin")])
def test_the_next_run_is_told_in_its_time_zone(context: Context, zone: str, words: str) -> None:
    context.config.change({"batch.schedule.timezone": zone})
    schedule(context, "sunday 02:00")
    assert BatchSchedule(context).following() == f"Sun 02:00, {words}"
    assert f"answered next on Sun 02:00, {words}; last run: none yet." in schedule_note(context)


def test_a_run_costs_what_its_start_and_what_lies_there_take(context: Context) -> None:
    schedule(context, "day 3:00")
    assert run_price(context).reviews == 0  # nobody may look there, or nothing is there
    client = context.environment.client("s3")
    client.create_bucket(Bucket="given", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client.put_object(Bucket="given", Key="reviews/a.jsonl", Body=b"x" * 1_311_000)
    price = run_price(context)
    assert (price.reviews, price.instance_count) == (1_000, 1)
    assert price.minutes == pytest.approx(START_MINUTES, abs=0.1)


def test_a_job_that_fails_is_told_where_alerts_are(context: Context) -> None:
    rule = BatchRule(context)
    context.config.change({"alerts.email": ["ops@example.org"]})
    assert not rule.wanted
    schedule(context, "day 3:00")
    assert rule.wanted
    begun = json.loads(target(context)["Target"]["Input"])["TransformJobName"]
    (pattern,) = rule.pattern()["detail"]["TransformJobName"]
    assert begun.startswith(pattern["prefix"])
    assert "What it wrote: sentictl logs batch" in text_of(context, rule.text)


def test_a_bucket_that_others_may_see_is_there(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"every": "day 3:00", **FOLDERS}
    context.config.change({f"batch.schedule.{name}": value for name, value in values.items()})

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadBucket")

    with pytest.raises(SettingsError, match="There is no bucket given"):
        check_folders(context)
    monkeypatch.setattr(context.environment.client("s3"), "head_bucket", refuse)
    check_folders(context)


def test_the_image_may_be_pulled_where_no_endpoint_stands(context: Context) -> None:
    context.config.change({"deploy.image": "ray-serve"})
    assert any(isinstance(each, ImageAccess) for each in stack.scheduling(context))
    context.state.keep(
        Record(ImageAccess.kind, "films-local-image-0", "arn")
    )  # an endpoint's own, which stays as it is
    assert not any(isinstance(each, ImageAccess) for each in stack.scheduling(context))


def test_what_somebody_elses_job_answers_is_in_use(context: Context) -> None:
    """Its record is on the machine of whoever began it."""
    schedule(context, "day 3:00")
    bucket, name = context.naming.bucket, "films-local-batch-0123456789ab"
    s3 = context.environment.client("s3")
    for folder in ("0123456789ab", "ba9876543210"):
        s3.put_object(Bucket=bucket, Key=f"batch/{folder}/in/a.jsonl", Body=b"{}")
    run(context, name, "InProgress")
    unused = [each.name for each in survey(context).unused if each.kind == "batch"]
    assert unused == ["ba9876543210"]
