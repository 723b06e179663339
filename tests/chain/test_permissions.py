"""Every statement of every policy is needed: without it, the part of the chain that it is for no longer works."""

import io
import json
import tarfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.assets.installed import templates
from tests.chain.shell import Shell

POLICIES = sorted((templates() / "policies").glob("*.json"))
STATEMENTS = [
    (policy.stem, statement["Sid"])
    for policy in POLICIES
    for statement in json.loads(policy.read_text(encoding="utf-8"))["Statement"]
]
# Policies that are part of a role's own, and the settings that bring them into it.
PART_OF = {"opening": "schedule", "scaling": "schedule"}
ASKED_FOR = {
    "opening": {"ttl": "off", "max_instances": "0", "hours.up": "daily 8:00"},
    "scaling": {"hours.up": "", "ttl": "8h", "max_instances": "2"},
    "schedule": {"hours.up": "", "ttl": "8h", "max_instances": "0"},
}
LIMIT_SECONDS = 60
# What shows that a statement is needed, where that is not what shows it of the role's others.
PARTS = {"WriteTheEndpointsLog": "endpoint_log", "WatchTheAlarmsOfARollout": "rollout"}
TRAINING_LOG = "/aws/sagemaker/TrainingJobs"
NOTEBOOK_LOG = "/aws/sagemaker/NotebookInstances"
# In place of the real script, which takes seconds: one that reads, writes and tells as much.
SCRIPT = b"""
import os, pathlib
pathlib.Path(os.environ["SM_CHECKPOINT_DIR"], "half").write_text("weights")
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text("weights")
print("epoch=1 epochs=1 train_loss=0.5 validation_loss=0.5 validation_accuracy=0.5 seconds=1")
"""


class Deployed:
    """What `up` made in the twin, and whether each part of it does what it is for."""

    def __init__(self, live: dict[str, Any], shell: Shell) -> None:
        self.live = live
        self._shell = shell
        self._prepared = ""
        self.client = cache(shell.client)
        entries = [json.loads(line) for line in shell.journal().splitlines()]
        calls = [entry["call"] for entry in entries if "call" in entry]
        asked = [call for call in calls if call["headers"].get("x-amz-target") == "SageMaker.CreateTrainingJob"]
        self.training_request: dict[str, Any] = json.loads(asked[-1]["body"])

    def prepare(self, policy: str) -> None:
        """Bring a policy into its role, where that has it only if the settings ask for it."""
        if policy in ASKED_FOR and policy != self._prepared:
            for setting, value in ASKED_FOR[policy].items():
                self._shell.run("config", "set", f"deploy.{setting}", value)
            self._shell.run("deploy")
            self._prepared = policy

    def page(self) -> bool:
        """Whether the page is shown."""
        return status(urllib.request.Request(self.live["page_url"])) == 200

    def predict(self) -> bool:
        """Whether the API answers and the function writes down that it did."""
        before = len(self._lines("/aws/lambda/toy-local-predict"))
        answered = status(urllib.request.Request(self.live["api_url"], data=b"a superb film")) == 200
        return answered and len(self._lines("/aws/lambda/toy-local-predict")) > before

    def sagemaker(self) -> bool:
        """Whether a training job, asked for as `train` did, ends well, with a log and metrics."""
        client, name = self.client("sagemaker"), f"toy-local-{uuid.uuid4().hex[:12]}"
        bucket = self.training_request["OutputDataConfig"]["S3OutputPath"].split("/")[2]
        source = f"sources/{name}/sourcedir.tar.gz"
        self.client("s3").put_object(Bucket=bucket, Key=source, Body=packed(SCRIPT))
        changes = {
            "TrainingJobName": name,
            "HyperParameters": self.training_request["HyperParameters"]
            | {"sagemaker_submit_directory": json.dumps(f"s3://{bucket}/{source}")},
            "CheckpointConfig": {"S3Uri": f"s3://{bucket}/checkpoints/{name}/"},
        }
        client.create_training_job(**(self.training_request | changes))
        job = wait_for(lambda: ended(client.describe_training_job(TrainingJobName=name)))
        complete = job["TrainingJobStatus"] == "Completed" and len(job["FinalMetricDataList"] or []) == 3
        return complete and len(self._lines(TRAINING_LOG, f"{name}/")) == 1

    def endpoint_log(self) -> bool:
        """Whether the endpoint writes down that it was asked."""
        group = "/aws/sagemaker/Endpoints/toy-local-endpoint"
        before = len(self._lines(group))
        status(urllib.request.Request(self.live["api_url"], data=b"a superb film"))
        for _ in range(40):  # the line is on its way while the answer is here
            if len(self._lines(group)) > before:
                return True
            time.sleep(0.05)
        return False

    def rollout(self) -> bool:
        """Whether the endpoint can be changed with alarms to watch it."""
        sagemaker, alarm = self.client("sagemaker"), "toy-local-rollback-errors"
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=alarm,
            Namespace="AWS/SageMaker",
            MetricName="Invocation5XXErrors",
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0.5,
            ComparisonOperator="GreaterThanThreshold",
        )
        endpoint = sagemaker.describe_endpoint(EndpointName="toy-local-endpoint")
        traffic = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
        with suppress(ClientError):
            sagemaker.update_endpoint(
                **{name: endpoint[name] for name in ("EndpointName", "EndpointConfigName")},
                DeploymentConfig={
                    "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": traffic},
                    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
                },
            )
            waiter = sagemaker.get_waiter("endpoint_in_service")
            waiter.wait(EndpointName="toy-local-endpoint", WaiterConfig={"Delay": 1})
            return True
        return False

    def schedule(self) -> bool:
        """Whether the endpoint is gone when the schedule's time has come. It stands again afterwards."""
        scheduler, sagemaker = self.client("scheduler"), self.client("sagemaker")
        endpoint = sagemaker.describe_endpoint(EndpointName="toy-local-endpoint")
        found = scheduler.get_schedule(Name="toy-local-endpoint")
        kept = ("Name", "Description", "State", "FlexibleTimeWindow", "ActionAfterCompletion", "Target")
        tags = sagemaker.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]
        now = {"ScheduleExpression": f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})"}
        scheduler.update_schedule(**{name: found[name] for name in kept}, **now)
        wait_for(lambda: not scheduler.list_schedules()["Schedules"])
        scheduler.create_schedule(**{name: found[name] for name in (*kept, "ScheduleExpression")})
        if sagemaker.list_endpoints()["Endpoints"]:
            return False
        config = {name: endpoint[name] for name in ("EndpointName", "EndpointConfigName")}
        sagemaker.create_endpoint(**config, Tags=tags)
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="toy-local-endpoint", WaiterConfig={"Delay": 1})
        return True

    def scaling(self) -> bool:
        """Whether an endpoint that scales is gone when the schedule's time has come. It stands again afterwards."""
        scheduler, sagemaker = self.client("scheduler"), self.client("sagemaker")
        found = scheduler.get_schedule(Name="toy-local-endpoint")
        kept = ("Name", "Description", "State", "FlexibleTimeWindow", "ActionAfterCompletion", "Target")
        now = {"ScheduleExpression": f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})"}
        scheduler.update_schedule(**{name: found[name] for name in kept}, **now)
        wait_for(lambda: not scheduler.list_schedules()["Schedules"])
        gone = not sagemaker.list_endpoints()["Endpoints"]
        self._shell.run("deploy")
        return gone

    def opening(self) -> bool:
        """Whether the endpoint is there when its hours begin. It stands again afterwards."""
        scheduler, sagemaker = self.client("scheduler"), self.client("sagemaker")
        found = scheduler.get_schedule(Name="toy-local-opening")
        kept = {name: found[name] for name in ("Name", "Description", "State", "FlexibleTimeWindow", "Target")}
        sagemaker.delete_endpoint(EndpointName="toy-local-endpoint")
        before = self._shell.journal().count(b"schedule-carried-out")
        scheduler.update_schedule(**kept, ScheduleExpression="rate(1 day)")  # which begins at once
        wait_for(lambda: self._shell.journal().count(b"schedule-carried-out") > before)
        made = bool(sagemaker.list_endpoints()["Endpoints"])
        self._shell.run("deploy")
        return made

    def notebook(self) -> bool:
        """Whether the notebook, started again, writes its log, and is one that could stop itself."""
        client, name = self.client("sagemaker"), "toy-local-notebook"
        client.stop_notebook_instance(NotebookInstanceName=name)
        before = len(self._lines(NOTEBOOK_LOG, f"{name}/"))
        client.start_notebook_instance(NotebookInstanceName=name)
        waiter = client.get_waiter("notebook_instance_in_service")
        waiter.wait(NotebookInstanceName=name, WaiterConfig={"Delay": 1})
        instance = client.describe_notebook_instance(NotebookInstanceName=name)
        simulated = self.client("iam").simulate_principal_policy(
            PolicySourceArn=instance["RoleArn"],
            ActionNames=["sagemaker:StopNotebookInstance"],
            ResourceArns=[instance["NotebookInstanceArn"]],
        )
        stops = simulated["EvaluationResults"][0]["EvalDecision"] == "allowed"
        return stops and len(self._lines(NOTEBOOK_LOG, f"{name}/")) > before

    def _lines(self, group: str, prefix: str = "") -> list[str]:
        arguments = {"logStreamNamePrefix": prefix} if prefix else {}
        with suppress(ClientError):
            events = self.client("logs").filter_log_events(logGroupName=group, **arguments)["events"]
            return [event["message"] for event in events]
        return []


def packed(script: bytes) -> bytes:
    """A source archive with one script."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("train.py")
        entry.size = len(script)
        archive.addfile(entry, io.BytesIO(script))
    return buffer.getvalue()


def status(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def ended(job: dict[str, Any]) -> dict[str, Any] | None:
    return job if job["TrainingJobStatus"] in ("Completed", "Failed") else None


def wait_for(condition: Callable[[], Any]) -> Any:
    limit = time.monotonic() + LIMIT_SECONDS
    while not (answer := condition()):
        assert time.monotonic() < limit, "it never came true"
        time.sleep(0.05)
    return answer


@pytest.fixture(scope="module")
def deployed(shell: Shell) -> Deployed:
    live = shell.json("up")
    shell.run("deploy", "--ttl", "8h")
    shell.run("notebook", "create")
    return Deployed(live, shell)


@pytest.fixture
def policy(deployed: Deployed, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """A role's policy as it is deployed, put back at the end."""
    deployed.prepare(request.param)
    name = f"toy-local-{PART_OF.get(request.param, request.param)}"
    iam = deployed.client("iam")
    found = iam.get_role_policy(RoleName=name, PolicyName="sentictl")
    del found["ResponseMetadata"]
    yield found
    iam.put_role_policy(**found | {"PolicyDocument": json.dumps(found["PolicyDocument"])})


@pytest.mark.parametrize(
    ("policy", "sid"), STATEMENTS, ids=["-".join(statement) for statement in STATEMENTS], indirect=["policy"]
)
def test_no_statement_can_be_spared(
    deployed: Deployed, policy: dict[str, Any], sid: str, request: pytest.FixtureRequest
) -> None:
    part = PARTS.get(sid, request.node.callspec.params["policy"])
    works: Callable[[], bool] = getattr(deployed, part)
    assert works()
    document = policy["PolicyDocument"]
    rest = [statement for statement in document["Statement"] if statement.get("Sid") != sid]
    assert len(rest) == len(document["Statement"]) - 1
    shorter = document | {"Statement": rest or [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    deployed.client("iam").put_role_policy(**policy | {"PolicyDocument": json.dumps(shorter)})
    assert not works()


def test_every_policy_is_put_to_the_test() -> None:
    assert {policy.stem for policy in POLICIES} <= set(vars(Deployed))
