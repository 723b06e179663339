"""What was made and deleted again leaves nothing in the journal that a replay would carry out."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sentictl.twin.control_plane.journal import Journal
from sentictl.twin.control_plane.lifetimes import TRAINING_GROUP
from sentictl.twin.core.messages import Request

SAGEMAKER = "SageMaker."
LOGS = "Logs_20140328."


class Written:
    """A journal with calls as AWS's clients make them."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder)

    def document(self, target: str, **document: Any) -> None:
        service = "sagemaker" if target.startswith(SAGEMAKER) else "logs"
        self._call("POST", "/", service, json.dumps(document), {"x-amz-target": target})

    def form(self, action: str, **parameters: str) -> None:
        fields = {"Action": action, **parameters}
        self._call("POST", "/", "iam", "&".join(f"{name}={value}" for name, value in fields.items()))

    def rest(self, service: str, method: str, path: str, body: str = "", query: str = "", **extra: str) -> None:
        self._call(method, path, service, body, {}, query, **extra)

    def _call(
        self, method: str, path: str, service: str, body: str, headers: Any = None, query: str = "", **extra: str
    ) -> None:
        request = Request.make(method, path, query, headers or {}, body.encode())
        with self.journal.room_for_call(request, "us-east-1", service, 1.0, "1") as record:
            record(extra)

    def left(self) -> int:
        """Compact, and count what a replay carries out."""
        self.journal.compact()
        return len(list(self.journal.entries()))


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


def make_and_delete(written: Written, name: str) -> None:
    """One of each kind, with what is done to it meanwhile."""
    written.rest("s3", "PUT", f"/{name}")
    written.rest("s3", "PUT", f"/{name}", "<Block/>", "publicAccessBlock=")
    written.rest("s3", "PUT", f"/{name}/a/b", "content")
    written.form("CreateRole", RoleName=name, AssumeRolePolicyDocument="x")
    written.form("PutRolePolicy", RoleName=name, PolicyName="p", PolicyDocument="x")
    written.document(f"{SAGEMAKER}CreateModel", ModelName=name, ExecutionRoleArn=f"arn:aws:iam::1:role/{name}")
    written.document(f"{SAGEMAKER}CreateEndpointConfig", EndpointConfigName=name, ModelName=name)
    written.document(f"{SAGEMAKER}CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    written.journal.record_fact("endpoint-settled", region="us-east-1", name=name, data={"status": "InService"})
    written.document(f"{SAGEMAKER}AddTags", ResourceArn=f"arn:aws:sagemaker:us-east-1:1:endpoint/{name}")
    written.document(f"{LOGS}CreateLogGroup", logGroupName=f"/aws/lambda/{name}")
    written.document(f"{LOGS}PutRetentionPolicy", logGroupName=f"/aws/lambda/{name}")
    written.rest("lambda", "POST", "/2015-03-31/functions", json.dumps({"FunctionName": name, "Role": name}))
    written.rest("apigateway", "POST", "/restapis", "{}", made=f"id{name}")
    written.rest("apigateway", "PUT", f"/restapis/id{name}/resources/r/methods/POST", "{}")
    written.rest("lambda", "POST", f"/2015-03-31/functions/{name}/policy", "{}")
    written.rest("scheduler", "POST", f"/schedules/{name}", "{}")
    written.rest("scheduler", "DELETE", f"/schedules/{name}")
    written.rest("apigateway", "DELETE", f"/restapis/id{name}")
    written.rest("lambda", "DELETE", f"/2015-03-31/functions/{name}")
    written.document(f"{LOGS}DeleteLogGroup", logGroupName=f"/aws/lambda/{name}")
    written.document(f"{SAGEMAKER}DeleteEndpoint", EndpointName=name)
    written.document(f"{SAGEMAKER}DeleteEndpointConfig", EndpointConfigName=name)
    written.document(f"{SAGEMAKER}DeleteModel", ModelName=name)
    written.form("DeleteRolePolicy", RoleName=name, PolicyName="p")
    written.form("DeleteRole", RoleName=name)
    written.document(f"{SAGEMAKER}CreateTrainingJob", TrainingJobName=name, RoleArn=f"arn:aws:iam::1:role/{name}-job")
    written.document(f"{SAGEMAKER}StopTrainingJob", TrainingJobName=name)
    written.journal.record_fact("training-log", b"[]", region="us-east-1", stream=f"{name}/algo-2-1")
    job = {"log_stream": f"{name}/algo-1-1"}
    written.journal.record_fact("training-job-ended", b"[]", region="us-east-1", name=name, job=job)
    written.document(f"{SAGEMAKER}DeleteTrainingJob", TrainingJobName=name)
    for host in ("algo-1-1", "algo-2-1"):
        written.document(f"{LOGS}DeleteLogStream", logGroupName=TRAINING_GROUP, logStreamName=f"{name}/{host}")
    written.rest("s3", "DELETE", f"/{name}/a/b")
    written.rest("s3", "DELETE", f"/{name}")
    for role in (f"arn:aws:iam::1:role/{name}", ""):
        change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
        written.rest("apigateway", "PATCH", "/account", json.dumps({"patchOperations": [change]}))


def test_what_a_start_carries_out_does_not_grow_with_what_is_gone(written: Written) -> None:
    written.rest("s3", "PUT", "/bucket")
    for number in range(100):
        make_and_delete(written, f"films-{number % 3}")
    assert written.left() == 1


def test_the_log_of_a_training_job_that_was_deleted_stays_as_long_as_it_is_there(written: Written) -> None:
    written.document(f"{SAGEMAKER}CreateTrainingJob", TrainingJobName="films")
    job = {"log_stream": "films/algo-1-1"}
    written.journal.record_fact("training-job-ended", b"[]", region="us-east-1", name="films", job=job)
    written.document(f"{SAGEMAKER}DeleteTrainingJob", TrainingJobName="films")
    assert written.left() == 3


def test_what_else_an_account_is_told_stays_when_its_role_for_logs_is_taken_back(written: Written) -> None:
    for path, value in (("/features", "UsagePlans"), ("/cloudwatchRoleArn", "arn:aws:iam::1:role/x")):
        change = {"op": "add", "path": path, "value": value}
        written.rest("apigateway", "PATCH", "/account", json.dumps({"patchOperations": [change]}))
    change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}
    written.rest("apigateway", "PATCH", "/account", json.dumps({"patchOperations": [change]}))
    assert written.left() == 1


def test_a_second_life_of_the_same_name_stays(written: Written) -> None:
    make_and_delete(written, "films")
    written.form("CreateRole", RoleName="films", AssumeRolePolicyDocument="x")
    assert written.left() == 1


def test_what_is_not_deleted_stays_whole(written: Written) -> None:
    written.document(f"{SAGEMAKER}CreateModel", ModelName="films")
    written.document(f"{SAGEMAKER}DeleteEndpoint", EndpointName="films")
    written.document(f"{SAGEMAKER}AddTags", ResourceArn="arn:aws:sagemaker:us-east-1:1:model/films")
    assert written.left() == 3


def test_what_something_that_stays_was_made_of_stays(written: Written) -> None:
    written.form("CreateRole", RoleName="films-role", AssumeRolePolicyDocument="x")
    written.document(f"{SAGEMAKER}CreateModel", ModelName="old", ExecutionRoleArn="arn:aws:iam::1:role/films-role")
    written.document(f"{SAGEMAKER}CreateEndpointConfig", EndpointConfigName="old-config", ModelName="old")
    written.document(f"{SAGEMAKER}CreateEndpoint", EndpointName="e", EndpointConfigName="old-config")
    written.document(f"{SAGEMAKER}DeleteEndpointConfig", EndpointConfigName="old-config")
    written.document(f"{SAGEMAKER}DeleteModel", ModelName="old")
    written.form("DeleteRole", RoleName="films-role")
    assert written.left() == 7


def test_a_kill_while_it_is_compacted_loses_nothing(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written.rest("s3", "PUT", "/bucket")
    make_and_delete(written, "films")
    before = list(written.journal.entries())

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    for name in ("fsync", "replace"):
        again = Journal(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(os, name, killed)
            with pytest.raises(KeyboardInterrupt):
                again.compact()
        assert list(Journal(tmp_path).entries()) == before
    again = Journal(tmp_path)
    again.compact()
    assert len(list(again.entries())) == 1


@pytest.mark.parametrize("body", ["", "[]", '{"ModelName": 3}', "no JSON"])
def test_a_call_of_no_known_form_is_left_to_the_replay(written: Written, body: str) -> None:
    written.rest("lambda", "POST", "/2015-03-31/functions", body)
    written.rest("sagemaker", "POST", "/", body)
    assert written.left() == 2
