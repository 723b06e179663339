"""One run of a scheduled training, as its definition has it, carried out by the twin's interpreter."""

import json
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from sentictl.lifecycle.resource import Context
from sentictl.services.retraining.definition import definition
from sentictl.twin.core.clock import SPEED_VARIABLE
from sentictl.twin.stepfunctions.definitions import parsed
from sentictl.twin.stepfunctions.interpreter import FailedError, Interpreter
from sentictl.twin.stepfunctions.tasks import TaskError
from tests.services.retraining.conftest import ARTIFACT

NEW = "films-local-retrain-abc"
OLD_CONFIG, OLD_MODEL = "films-local-old", "films-local-model"
REFUSAL = "SageMaker.SageMakerException"
Answer = Callable[[Mapping[str, Any]], Any]


class Aws:
    """Answers each call by its name, in turn where there are several answers, and keeps what it was asked."""

    def __init__(self, **answers: list[Any]) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        served = {"EndpointStatus": "InService", "EndpointConfigName": OLD_CONFIG}
        metrics = {"validation_accuracy": 0.92, "served_accuracy": 0.91, "not_worse": 1.0}
        self._answers: dict[str, list[Any]] = {
            "describeEndpoint": [served, served, served | {"EndpointConfigName": NEW}],
            "describeEndpointConfig": [{"ProductionVariants": [{"ModelName": OLD_MODEL}]}],
            "describeModel": [{"PrimaryContainer": {"ModelDataUrl": ARTIFACT}}],
            "describeProcessingJob": [
                {"ProcessingJobStatus": "InProgress"},
                {"ProcessingJobStatus": "Completed", "ExitMessage": '{"dataset": "d1"}'},
            ],
            "describeTrainingJob": [
                {
                    "TrainingJobStatus": "Completed",
                    "ModelArtifacts": {"S3ModelArtifacts": "s3://b/models/n/output/model.tar.gz"},
                    "FinalMetricDataList": [{"MetricName": name, "Value": value} for name, value in metrics.items()],
                }
            ],
            **answers,
        }

    def __call__(self, resource: str, parameters: Mapping[str, Any]) -> Any:
        name = resource.rpartition(":")[2]
        self.calls.append((name, dict(parameters)))
        answers = self._answers.get(name, [{}])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def asked(self, name: str) -> dict[str, Any]:
        """The parameters of the only call of that name."""
        (found,) = [parameters for called, parameters in self.calls if called == name]
        return found

    @property
    def changes(self) -> list[str]:
        """The calls that change something, in order."""
        return [name for name, _ in self.calls if not name.startswith("describe")]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPEED_VARIABLE, "1000000")


def run(context: Context, aws: Aws) -> Any:
    """What a run ends with."""
    machine = parsed(json.dumps(definition(context)))
    return Interpreter(machine, {"Execution": {"Name": "any"}}, aws, Event()).run({"run": "abc"})


def test_a_run_prepares_trains_and_serves_and_deletes_what_it_replaced(context: Context) -> None:
    aws = Aws()
    assert run(context, aws) == {"outcome": "served", "run": "abc", "new": 0.92, "served": 0.91}
    assert aws.changes == [
        *("createProcessingJob", "copyObject", "createTrainingJob", "createModel", "createEndpointConfig"),
        *("updateEndpoint", "deleteEndpointConfig", "deleteModel"),
    ]
    assert aws.asked("deleteEndpointConfig") == {"EndpointConfigName": OLD_CONFIG}
    assert aws.asked("deleteModel") == {"ModelName": OLD_MODEL}


def test_it_trains_on_the_new_dataset_beside_the_model_that_is_served(context: Context) -> None:
    aws = Aws()
    run(context, aws)
    asked = aws.asked("createTrainingJob")
    bucket = "films-local-123456789012"
    assert {each["ChannelName"]: each["DataSource"]["S3DataSource"]["S3Uri"] for each in asked["InputDataConfig"]} == {
        **{name: f"s3://{bucket}/datasets/d1/{name}/" for name in ("train", "validation", "vocabulary")},
        "served": ARTIFACT,
    }
    given = asked["HyperParameters"]
    assert (given["dataset"], given["tolerance"], given["sagemaker_job_name"]) == ('"d1"', "0.25", f'"{NEW}"')
    assert given["architecture"] == '"ngram"'
    assert aws.asked("copyObject")["Key"] == "datasets/d1/manifest.json"
    made = aws.asked("createModel")
    assert (made["ModelName"], made["PrimaryContainer"]["ModelDataUrl"]) == (
        NEW,
        "s3://b/models/n/output/model.tar.gz",
    )


def test_every_call_is_one_that_sagemaker_takes(context: Context) -> None:
    aws = Aws()
    run(context, aws)
    models = {name: botocore.session.get_session().get_service_model(name) for name in ("sagemaker", "s3")}
    for name, parameters in aws.calls:
        model = models["s3" if name == "copyObject" else "sagemaker"]
        shape = model.operation_model(f"{name[0].upper()}{name[1:]}").input_shape
        assert ParamValidator().validate(parameters, shape).generate_report() == "", name


def test_what_is_served_keeps_the_machines_and_tags_of_a_deploy(context: Context) -> None:
    aws = Aws()
    run(context, aws)
    (variant,) = aws.asked("createEndpointConfig")["ProductionVariants"]
    deploy = context.settings.deploy
    assert (variant["ModelName"], variant["InstanceType"], variant["InitialInstanceCount"]) == (
        NEW,
        deploy.instance_type,
        deploy.instance_count,
    )
    made = [parameters for name, parameters in aws.calls if name.startswith("create")]
    assert all(parameters["Tags"] == context.naming.tag_list() for parameters in made)


def test_a_serverless_endpoint_stays_one(context: Context) -> None:
    context.config.change({"deploy.serving": "serverless"})
    aws = Aws()
    run(context, aws)
    (variant,) = aws.asked("createEndpointConfig")["ProductionVariants"]
    assert variant["ServerlessConfig"]["MemorySizeInMB"] == context.settings.deploy.memory_mb
    assert aws.asked("updateEndpoint")["EndpointName"] == "films-local-serverless"


def test_a_worse_model_changes_nothing(context: Context) -> None:
    metrics = {"validation_accuracy": 0.7, "served_accuracy": 0.91, "not_worse": 0.0}
    job = {
        "TrainingJobStatus": "Completed",
        "FinalMetricDataList": [{"MetricName": name, "Value": value} for name, value in metrics.items()],
    }
    aws = Aws(describeTrainingJob=[job])
    assert run(context, aws) == {"outcome": "worse", "run": "abc", "new": 0.7, "served": 0.91}
    assert aws.changes == ["createProcessingJob", "copyObject", "createTrainingJob"]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (TaskError(REFUSAL, 'Could not find endpoint "films-local-endpoint".'), "no-endpoint"),
        ({"EndpointStatus": "Updating", "EndpointConfigName": OLD_CONFIG}, "endpoint-busy"),
    ],
)
def test_where_nothing_can_be_served_nothing_is_trained(context: Context, answer: Any, outcome: str) -> None:
    aws = Aws(describeEndpoint=[answer])
    assert run(context, aws) == {"outcome": outcome}
    assert aws.changes == []


def test_what_somebody_deployed_meanwhile_stays(context: Context) -> None:
    before = {"EndpointStatus": "InService", "EndpointConfigName": OLD_CONFIG}
    aws = Aws(describeEndpoint=[before, before | {"EndpointConfigName": "films-local-anothers"}])
    assert run(context, aws)["outcome"] == "endpoint-changed"
    assert "createModel" not in aws.changes


def test_an_endpoint_that_is_changed_at_that_moment_is_left_alone(context: Context) -> None:
    aws = Aws(updateEndpoint=[TaskError(REFUSAL, "Cannot update in-progress endpoint")])
    assert run(context, aws) == {"outcome": "endpoint-busy"}
    assert aws.changes[-2:] == ["deleteEndpointConfig", "deleteModel"]
    assert aws.asked("deleteModel") == {"ModelName": NEW}


def test_a_rollout_that_aws_takes_back_fails_the_run_and_leaves_the_old_model(context: Context) -> None:
    back = {"EndpointStatus": "InService", "EndpointConfigName": OLD_CONFIG}
    aws = Aws(describeEndpoint=[back, back, back | {"EndpointStatus": "Updating"}, back])
    with pytest.raises(FailedError, match="InService and serves films-local-old"):
        run(context, aws)
    assert aws.asked("deleteModel") == {"ModelName": NEW}


@pytest.mark.parametrize(
    ("answers", "error", "cause"),
    [
        ({"describeProcessingJob": [{"ProcessingJobStatus": "Failed"}]}, "PreparationFailed", NEW),
        (
            {"describeProcessingJob": [{"ProcessingJobStatus": "Completed", "ExitMessage": '{"message": "no table"}'}]},
            "SourceUnusable",
            "no table",
        ),
        ({"describeProcessingJob": [{"ProcessingJobStatus": "Completed"}]}, "PreparationFailed", NEW),
        ({"describeTrainingJob": [{"TrainingJobStatus": "Failed"}]}, "TrainingFailed", NEW),
        ({"describeEndpoint": [TaskError(REFUSAL, "not authorized to perform")]}, REFUSAL, "not authorized"),
    ],
)
def test_a_run_that_fails_says_where(context: Context, answers: dict[str, Any], error: str, cause: str) -> None:
    with pytest.raises(FailedError) as caught:
        run(context, Aws(**answers))
    assert caught.value.error == error
    assert cause in caught.value.cause


def test_a_job_that_was_begun_already_is_followed(context: Context) -> None:
    there = TaskError("SageMaker.ResourceInUseException", "exists")
    assert run(context, Aws(createTrainingJob=[there]))["outcome"] == "served"
