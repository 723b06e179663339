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
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.api.project import Project
from sentictl.assets.installed import templates
from sentictl.aws.images import spark_image
from sentictl.services.iam.roles import ProcessingRole
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
# The roles that are not called as their policy's file.
NAMES = {"logging": "sentictl-api-logs-us-east-1"}
LIMIT_SECONDS = 60
# What shows that a statement is needed, where that is not what shows it of the role's others.
PARTS = {
    "WriteTheEndpointsLog": "endpoint_log",
    "WatchTheAlarmsOfARollout": "rollout",
    **dict.fromkeys(["ReadBatches", "AnswerBatches", "WriteTransformLogs"], "transform"),
}
TRAINING_LOG = "/aws/sagemaker/TrainingJobs"
TRANSFORM_LOG = "/aws/sagemaker/TransformJobs"
PROCESSING_LOG = "/aws/sagemaker/ProcessingJobs"
NOTEBOOK_LOG = "/aws/sagemaker/NotebookInstances"
# In place of the real script, which takes seconds: one that reads, writes and tells as much.
SCRIPT = b"""
import os, pathlib
pathlib.Path(os.environ["SM_CHECKPOINT_DIR"], "half").write_text("weights")
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text("weights")
print("epoch=1 epochs=1 train_loss=0.5 validation_loss=0.5 validation_accuracy=0.5 seconds=1")
"""

# In place of Spark: one that reads and writes what the job that prepares reviews does.
PROCESSING_SCRIPT = b"""
import pathlib, sys
data, *made = map(pathlib.Path, sys.argv[1:])
for folder in made:
    (folder / "made").write_bytes((data / "a.csv").read_bytes())
print("stage=done")
"""
# In place of the jobs of a scheduled training: one that tells of a dataset that there is, and one that trained nothing
# and gives back the model that is served.
PREPARING_SCRIPT = b"""
import json, pathlib, sys
digest, *arguments = sys.argv[1:]
folders = {name.strip("-"): pathlib.Path(path) for name, path in zip(arguments[::2], arguments[1::2])}
(folders["result"] / "manifest.json").write_text("{}")
folders["message"].parent.mkdir(parents=True, exist_ok=True)
folders["message"].write_text(json.dumps({"dataset": digest}))
"""
TRAINING_SCRIPT = b"""
import os, tarfile
with tarfile.open(os.path.join(os.environ["SM_CHANNEL_SERVED"], "model.tar.gz")) as archive:
    archive.extractall(os.environ["SM_MODEL_DIR"], filter="data")
print("validation_accuracy=1.0")
print("new_accuracy=1.0 served_accuracy=1.0 not_worse=1")
"""
ON_AWS = {"data.source": "s3://toy-raw/2026/", "data.on": "aws"}


class Deployed:
    """What `up` made in the twin, and whether each part of it does what it is for."""

    def __init__(self, live: dict[str, Any], shell: Shell) -> None:
        self.live = live
        self._shell = shell
        self._prepared = ""
        self._machine = ""
        self._retrains = False
        self._time = datetime(2026, 1, 1, tzinfo=UTC)  # of the run before
        self.client = cache(shell.client)
        entries = [json.loads(line) for line in shell.journal().splitlines()]
        calls = [entry["call"] for entry in entries if "call" in entry]
        asked = [call for call in calls if call["headers"].get("x-amz-target") == "SageMaker.CreateTrainingJob"]
        self.training_request: dict[str, Any] = json.loads(asked[-1]["body"])

    def prepare(self, policy: str) -> None:
        """Bring a policy into its role, where that has it only if the settings ask for it."""
        if policy == "processing" and policy != self._prepared and not self._machine:  # which takes that role as well
            self._put_source()
            ProcessingRole(Project(self._shell.folder, tell=None).session.read(ON_AWS)).create()
            self._prepared = policy
        if policy in ASKED_FOR and policy != self._prepared:
            for setting, value in ASKED_FOR[policy].items():
                self._shell.run("config", "set", f"deploy.{setting}", value)
            self._shell.run("deploy")
            self._prepared = policy
        if policy == "batch" and policy != self._prepared:
            bucket = self.training_request["OutputDataConfig"]["S3OutputPath"].split("/")[2]
            self.client("s3").put_object(Bucket=bucket, Key="given/a.jsonl", Body=b'{"review": "a superb film"}\n')
            given, written = f"s3://{bucket}/given/", f"s3://{bucket}/answers/"
            self._shell.run("predict", "--every", "day 3:00", "--file", given, "--output", written)
            self._prepared = policy

        if policy in ("retrain", "every") and not self._machine:
            self._machine = self._retraining()

    def _put_source(self) -> None:
        with suppress(ClientError):  # it is there already
            self.client("s3").create_bucket(Bucket="toy-raw")
        self.client("s3").put_object(Bucket="toy-raw", Key="2026/a.csv", Body=b"review,label")

    def _retraining(self) -> str:
        """Make the schedule that trains, whose jobs are replaced by quick ones. Returns the state machine's ARN."""
        self._put_source()
        settings = {**ON_AWS, "deploy.hours.up": "", "deploy.ttl": "off", "deploy.max_instances": "0"}
        for setting, value in settings.items():
            self._shell.run("config", "set", setting, value)
        self._shell.run("deploy")
        self._shell.run("train", "--every", "sunday 02:00")
        machines = self.client("stepfunctions")
        arn: str = machines.list_state_machines()["stateMachines"][0]["stateMachineArn"]
        definition = json.loads(machines.describe_state_machine(stateMachineArn=arn)["definition"])
        preparing = definition["States"]["Prepare"]["Parameters"]
        code = next(each["S3Input"]["S3Uri"] for each in preparing["ProcessingInputs"] if each["InputName"] == "code")
        bucket, _, key = code.removeprefix("s3://").partition("/")
        self.client("s3").put_object(Bucket=bucket, Key=f"{key}quick.py", Body=PREPARING_SCRIPT)
        trained = self.training_request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]
        script = "/opt/ml/processing/input/code/quick.py"
        entry = ["python3", script, trained.partition("/datasets/")[2].partition("/")[0]]
        preparing["AppSpecification"]["ContainerEntrypoint"] = entry
        self.client("s3").put_object(Bucket=bucket, Key="sources/quick/sourcedir.tar.gz", Body=packed(TRAINING_SCRIPT))
        given = definition["States"]["Train"]["Parameters"]["HyperParameters"]
        given["sagemaker_submit_directory"] = json.dumps(f"s3://{bucket}/sources/quick/sourcedir.tar.gz")
        machines.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
        return arn

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

    def transform(self) -> bool:
        """Whether a transform job, asked for as `predict --via batch` does, answers, and writes a log."""
        client, name = self.client("sagemaker"), f"toy-local-batch-{uuid.uuid4().hex[:12]}"
        bucket = self.training_request["OutputDataConfig"]["S3OutputPath"].split("/")[2]
        place = f"batch/{name[-12:]}"
        self.client("s3").put_object(Bucket=bucket, Key=f"{place}/in/a.jsonl", Body=b'{"review": "a superb film"}\n')
        config = client.describe_endpoint(EndpointName="toy-local-endpoint")["EndpointConfigName"]
        variant = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{place}/in/"}
        client.create_transform_job(
            TransformJobName=name,
            ModelName=variant["ModelName"],
            TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "application/json"},
            TransformOutput={"S3OutputPath": f"s3://{bucket}/{place}/out", "Accept": "application/json"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
        job = wait_for(lambda: ended(client.describe_transform_job(TransformJobName=name), "TransformJobStatus"))
        return bool(job["TransformJobStatus"] == "Completed" and self._lines(TRANSFORM_LOG, f"{name}/"))

    def batch(self) -> bool:
        """Whether a transform job is begun when the schedule's time has come."""
        sagemaker = self.client("sagemaker")
        known = {each["TransformJobName"] for each in sagemaker.list_transform_jobs()["TransformJobSummaries"]}
        self._fire("toy-local-batch")
        every = [each["TransformJobName"] for each in sagemaker.list_transform_jobs()["TransformJobSummaries"]]
        begun = [each for each in every if each not in known]
        wait_for(lambda: not sagemaker.list_transform_jobs(StatusEquals="InProgress")["TransformJobSummaries"])
        return bool(begun)

    def _fire(self, schedule: str) -> None:
        """Have what a schedule begins begun once, at once."""
        scheduler = self.client("scheduler")
        target, name = scheduler.get_schedule(Name=schedule)["Target"], f"once-{uuid.uuid4().hex[:12]}"
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression=f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})",
            ActionAfterCompletion="DELETE",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target=target,
        )
        wait_for(lambda: name not in [each["Name"] for each in scheduler.list_schedules()["Schedules"]])

    def retrain(self) -> bool:
        """Whether a run prepares, trains, serves, and deletes what it replaced; with the whole policy one is begun."""
        policy = self.client("iam").get_role_policy(RoleName="toy-local-retrain", PolicyName="sentictl")
        whole = len(policy["PolicyDocument"]["Statement"]) == sum(part == "retrain" for part, _ in STATEMENTS)
        if whole and self._retrains:
            return True
        works = self._runs()
        self._retrains = self._retrains or (whole and works)
        return works

    def _runs(self) -> bool:
        sagemaker, machines = self.client("sagemaker"), self.client("stepfunctions")
        before = sagemaker.describe_endpoint(EndpointName="toy-local-endpoint")["EndpointConfigName"]
        self._time += timedelta(seconds=1)
        given = json.dumps({"time": f"{self._time:%Y-%m-%dT%H:%M:%SZ}"})
        execution = machines.start_execution(stateMachineArn=self._machine, input=given)["executionArn"]
        run = wait_for(lambda: over(machines.describe_execution(executionArn=execution)))
        configs = [each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]]
        return json.loads(run.get("output", "{}")).get("outcome") == "served" and before not in configs

    def every(self) -> bool:
        """Whether a run is begun when the schedule's time has come."""
        machines = self.client("stepfunctions")
        before = len(machines.list_executions(stateMachineArn=self._machine)["executions"])
        self._fire("toy-local-train")
        runs = machines.list_executions(stateMachineArn=self._machine)["executions"]
        running = {"stateMachineArn": self._machine, "statusFilter": "RUNNING"}
        wait_for(lambda: not machines.list_executions(**running)["executions"])
        return len(runs) > before

    def processing(self) -> bool:
        """Whether a processing job with the folders of one that prepares reviews ends well, with a log."""
        client, name = self.client("sagemaker"), f"toy-local-{uuid.uuid4().hex[:12]}"
        bucket = self.training_request["OutputDataConfig"]["S3OutputPath"].split("/")[2]
        own = f"s3://{bucket}/processing/{name}"
        self.client("s3").put_object(Bucket=bucket, Key=f"processing/{name}/code/script.py", Body=PROCESSING_SCRIPT)
        folders = {"data": "s3://toy-raw/2026/", "code": f"{own}/code/"}
        made = {"datasets": f"s3://{bucket}/datasets/{name}", "result": f"{own}/result"}
        client.create_processing_job(
            ProcessingJobName=name,
            RoleArn="arn:aws:iam::123456789012:role/toy-local-processing",
            AppSpecification={
                "ImageUri": spark_image("us-east-1"),
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/script.py"],
                "ContainerArguments": [f"/opt/ml/processing/{folder}" for folder in ("data", *made)],
            },
            ProcessingInputs=[
                {
                    "InputName": folder,
                    "S3Input": {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{folder}", "S3DataType": "S3Prefix"},
                }
                for folder, uri in folders.items()
            ],
            ProcessingOutputConfig={
                "Outputs": [
                    {
                        "OutputName": folder,
                        "S3Output": {
                            "S3Uri": uri,
                            "LocalPath": f"/opt/ml/processing/{folder}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                    for folder, uri in made.items()
                ]
            },
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
        )
        job = wait_for(lambda: ended(client.describe_processing_job(ProcessingJobName=name), "ProcessingJobStatus"))
        complete = job["ProcessingJobStatus"] == "Completed"
        return complete and self._lines(PROCESSING_LOG, f"{name}/") == ["stage=done"]

    def logging(self) -> bool:
        """Whether API Gateway writes down that the API was asked."""
        return self._logs_a_request("/aws/apigateway/toy-local-api")

    def endpoint_log(self) -> bool:
        """Whether the endpoint writes down that it was asked."""
        return self._logs_a_request("/aws/sagemaker/Endpoints/toy-local-endpoint")

    def _logs_a_request(self, group: str) -> bool:
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
        wait_for(lambda: found["Name"] not in [each["Name"] for each in scheduler.list_schedules()["Schedules"]])
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
        wait_for(lambda: found["Name"] not in [each["Name"] for each in scheduler.list_schedules()["Schedules"]])
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


def ended(job: dict[str, Any], status: str = "TrainingJobStatus") -> dict[str, Any] | None:
    return job if job[status] in ("Completed", "Failed") else None


def over(run: dict[str, Any]) -> dict[str, Any] | None:
    return run if run["status"] != "RUNNING" else None


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
    name = NAMES.get(request.param) or f"toy-local-{PART_OF.get(request.param, request.param)}"
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
