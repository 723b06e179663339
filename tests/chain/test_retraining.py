"""Training by a schedule: it fires, prepares by Spark, trains, serves what is not worse, and leaves nothing."""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sentictl.twin import daemon
from tests.chain.shell import Shell, copy
from tests.peers import require_spark
from tests.twin.conftest import wait_for

require_spark()

SOURCE = "s3://raw-reviews/2026/"
LIMIT_SECONDS = 180
ENDPOINT, SCHEDULE, MACHINE = "toy-local-endpoint", "toy-local-train", "toy-local-retrain"
# A model that learns nothing.
IDLE = {"train.architecture": "lstm", "train.epochs": "1", "train.learning_rate": "0.000000001"}


@dataclass(frozen=True)
class Trained:
    """A project whose schedule has fired twice: for a model that is as good, and for one that is worse."""

    shell: Shell
    planned: dict[str, Any]
    first: dict[str, Any]
    after_first: dict[str, Any]
    second: dict[str, Any]
    after_second: dict[str, Any]


def fire(shell: Shell) -> dict[str, Any]:
    """Let the schedule's time come. Returns the run that it began, when that is over."""
    scheduler, machines = shell.client("scheduler"), shell.client("stepfunctions")
    arn = machines.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    known = [each["executionArn"] for each in machines.list_executions(stateMachineArn=arn)["executions"]]
    found = scheduler.get_schedule(Name=SCHEDULE)
    kept = {name: found[name] for name in ("Name", "Description", "State", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**kept, ScheduleExpression="rate(1 day)")  # which begins at once

    def over() -> dict[str, Any] | None:
        runs = machines.list_executions(stateMachineArn=arn)["executions"]
        new = [each for each in runs if each["executionArn"] not in known and each["status"] != "RUNNING"]
        return machines.describe_execution(executionArn=new[0]["executionArn"]) if new else None

    run: dict[str, Any] = wait_for(over, LIMIT_SECONDS)
    asked = {key: found[key] for key in ("ScheduleExpression", "ScheduleExpressionTimezone")}
    scheduler.update_schedule(**kept, **asked)
    return run


def look(shell: Shell) -> dict[str, Any]:
    """What stands now: by the endpoint itself, and by what the commands say of it."""
    sagemaker = shell.client("sagemaker")
    status = shell.json("status")
    return {
        "config": sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"],
        "configs": [each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]],
        "models": [each["ModelName"] for each in sagemaker.list_models()["Models"]],
        "versions": shell.json("models")["models"],
        "note": next(each for each in status["warnings"] if "last runs" in each),
        "mend": [each["mend"] for each in status["resources"] if each["mend"]],
    }


@pytest.fixture(scope="module")
def trained(standing: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    shell = copy(standing, tmp_path_factory.mktemp("retraining") / "toy")
    daemon.start(shell.twin)
    s3 = shell.client("s3")
    s3.create_bucket(Bucket="raw-reviews")
    s3.put_object(Bucket="raw-reviews", Key="2026/a.csv", Body=(shell.folder / "reviews.csv").read_bytes())
    for key, value in {"data.source": SOURCE, "data.on": "aws"}.items():
        shell.run("config", "set", key, value)
    planned = shell.json("train", "--every", "sunday 02:00", "--dry-run")
    shell.run("train", "--every", "sunday 02:00")
    first = fire(shell)
    after_first = look(shell)
    for key, value in IDLE.items():
        shell.run("config", "set", key, value)
    shell.run("train", "--every", "sunday 02:00")
    second = fire(shell)
    yield Trained(shell, planned, first, after_first, second, look(shell))
    daemon.destroy(shell.twin)


def test_the_plan_says_what_a_run_costs_at_most(trained: Trained) -> None:
    made = {step["kind"]: step["action"] for step in trained.planned["steps"]}
    assert made["training-state-machine"] == made["train-schedule"] == "create"
    price = trained.planned["retraining"]
    assert (price["preparing"], price["training"]) == (60, 60)


def test_a_model_that_is_not_worse_is_served(trained: Trained) -> None:
    outcome = json.loads(trained.first["output"])
    assert outcome["outcome"] == "served", outcome
    after = trained.after_first
    assert after["config"].startswith("toy-local-retrain-")
    assert after["configs"] == after["models"] == [after["config"]]  # what it replaced is gone
    assert [version["live"] for version in after["versions"]] == [False, True]
    assert "the new model is served" in after["note"]
    assert after["mend"] == []


def test_a_worse_model_is_not_served(trained: Trained) -> None:
    outcome = json.loads(trained.second["output"])
    assert outcome["outcome"] == "worse", outcome
    assert outcome["new"] < outcome["served"]
    assert trained.after_second["config"] == trained.after_first["config"]
    assert trained.after_second["versions"] == trained.after_first["versions"]
    assert "the new model is worse, and is not served" in trained.after_second["note"]


def test_the_next_deploy_keeps_what_a_run_has_served(trained: Trained) -> None:
    steps = trained.shell.json("deploy", "--dry-run")["steps"]
    assert {step["action"] for step in steps} == {"keep"}
    answer = trained.shell.json("predict", "--via", "endpoint", "a superb plot")
    assert answer["model"] == trained.after_first["config"]


def test_the_log_is_that_of_the_last_run(trained: Trained) -> None:
    assert "not_worse=0" in trained.shell.run("logs", "train").stdout
    assert "stage=done" in trained.shell.run("logs", "data").stdout


def test_a_version_that_is_pinned_stays_until_the_newest_is_wanted_again(trained: Trained) -> None:
    shell, scheduler = trained.shell, trained.shell.client("scheduler")
    shell.run("deploy", "--model", "1", "--force")
    assert scheduler.get_schedule(Name=SCHEDULE)["State"] == "DISABLED"
    assert "pauses" in look(shell)["note"]
    refused = shell.json("train", "--every", "monday 02:00", expect=2)["error"]
    assert "deploy.model is set" in refused["message"]
    shell.run("deploy", "--model", "latest", "--force")
    assert scheduler.get_schedule(Name=SCHEDULE)["State"] == "ENABLED"


def test_a_run_that_fails_is_told_by_mail(trained: Trained) -> None:
    shell = trained.shell
    shell.json("alerts", "--email", "ops@example.org")
    (asking,) = shell.json("local", "mail")
    urllib.request.urlopen(next(line for line in asking["text"].split("\n") if line.startswith("http"))).close()
    shell.client("s3").put_object(Bucket="raw-reviews", Key="2026/a.csv", Body=b"review,label\n")
    assert fire(shell)["status"] == "FAILED"
    mail = wait_for(lambda: [each for each in shell.json("local", "mail") if "training" in each["text"]])[0]
    assert "A scheduled training of toy-local failed." in mail["text"]
    assert "Step Functions says: FAILED" in mail["text"]
    shell.run("down", "alerts", "--yes")


def test_nothing_is_left(trained: Trained) -> None:
    shell = trained.shell
    shell.run("train", "--every", "off")
    assert shell.client("stepfunctions").list_state_machines()["stateMachines"] == []
    names = [each["Name"] for each in shell.client("scheduler").list_schedules()["Schedules"]]
    assert SCHEDULE not in names
    sagemaker = shell.client("sagemaker")
    versions = {version["name"] for version in shell.json("models")["models"]}
    found = sagemaker.list_training_jobs(NameContains="retrain")["TrainingJobSummaries"]
    jobs = {each["TrainingJobName"] for each in found}
    assert jobs <= versions
    assert sagemaker.list_processing_jobs(NameContains="retrain")["ProcessingJobSummaries"] == []
    assert shell.json("down", "--yes")["left"] == []
