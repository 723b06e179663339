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

TIME, RUN = "2026-12-06T02:00:00Z", "20261206020000"
NEW = f"films-local-retrain-{RUN}"
OLD_CONFIG, OLD_MODEL = "films-local-old", "films-local-model"
JOBS = "arn:aws:sagemaker:eu-west-1:123456789012:training-job"
REFUSAL = "SageMaker.SageMakerException"
Answer = Callable[[Mapping[str, Any]], Any]


class Aws:
    """Answers each call by its name, in turn where there are several answers, and keeps what it was asked."""

    def __init__(self, **answers: list[Any]) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        served = {"EndpointStatus": "InService", "EndpointConfigName": OLD_CONFIG}
        metrics = {"new_accuracy": 0.92, "served_accuracy": 0.91, "not_worse": 1.0}
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
    return Interpreter(machine, {"Execution": {"Name": "any"}}, aws, Event()).run({"time": TIME})


def test_a_run_prepares_trains_and_serves_and_deletes_what_it_replaced(context: Context) -> None:
    aws = Aws()
    assert run(context, aws) == {"outcome": "served", "run": RUN, "new": 0.92, "served": 0.91}
    assert aws.changes == [
        *("createProcessingJob", "copyObject", "createTrainingJob", "createModel", "createEndpointConfig"),
        *("updateEndpoint", "addTags", "deleteEndpointConfig", "deleteModel"),
    ]
    assert aws.asked("addTags") == {
        "ResourceArn": f"{JOBS}/{NEW}",
        "Tags": [{"Key": "sentictl:served", "Value": "true"}],
    }
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
    metrics = {"new_accuracy": 0.7, "served_accuracy": 0.91, "not_worse": 0.0}
    job = {
        "TrainingJobStatus": "Completed",
        "FinalMetricDataList": [{"MetricName": name, "Value": value} for name, value in metrics.items()],
    }
    aws = Aws(describeTrainingJob=[job])
    assert run(context, aws) == {"outcome": "worse", "run": RUN, "new": 0.7, "served": 0.91}
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


def serving(*answers: Any) -> list[Any]:
    """What DescribeEndpoint answers: twice that the old model is served, then this."""
    before = {"EndpointStatus": "InService", "EndpointConfigName": OLD_CONFIG}
    words = {
        "old": before,
        "new": before | {"EndpointConfigName": NEW},
        "updating": before | {"EndpointStatus": "Updating"},
    }
    return [before, before, *(words.get(each, each) if isinstance(each, str) else each for each in answers)]


IN_PROGRESS = TaskError(REFUSAL, "Cannot update in-progress endpoint")


def test_an_endpoint_that_somebody_else_changes_at_that_moment_is_left_alone(context: Context) -> None:
    aws = Aws(updateEndpoint=[IN_PROGRESS], describeEndpoint=serving("updating", "old"))
    assert run(context, aws) == {"outcome": "endpoint-busy"}
    assert aws.changes[-2:] == ["deleteEndpointConfig", "deleteModel"]
    assert aws.asked("deleteModel") == {"ModelName": NEW}


def test_an_update_whose_answer_was_lost_is_followed(context: Context) -> None:
    aws = Aws(updateEndpoint=[IN_PROGRESS], describeEndpoint=serving("updating", "new"))
    assert run(context, aws)["outcome"] == "served"
    assert aws.asked("deleteModel") == {"ModelName": OLD_MODEL}


def test_an_update_that_is_refused_fails_the_run_and_leaves_nothing(context: Context) -> None:
    refusal = TaskError("SageMaker.ResourceLimitExceededException", "The account-level service limit is 0")
    aws = Aws(updateEndpoint=[refusal], describeEndpoint=serving("old"))
    with pytest.raises(FailedError, match="service limit"):
        run(context, aws)
    assert aws.changes[-2:] == ["deleteEndpointConfig", "deleteModel"]
    assert "addTags" not in aws.changes


def test_a_rollout_that_aws_takes_back_fails_the_run_and_leaves_the_old_model(context: Context) -> None:
    aws = Aws(describeEndpoint=serving("updating", "old"))
    with pytest.raises(FailedError, match="InService and serves films-local-old"):
        run(context, aws)
    assert aws.asked("deleteModel") == {"ModelName": NEW}
    assert "addTags" not in aws.changes  # so that it is no version


def test_what_the_endpoint_names_stays_also_where_it_failed(context: Context) -> None:
    failed = {"EndpointStatus": "Failed", "EndpointConfigName": NEW}
    aws = Aws(describeEndpoint=serving("updating", failed))
    with pytest.raises(FailedError, match="Failed and serves"):
        run(context, aws)
    assert aws.changes[-1] == "updateEndpoint"


def test_an_endpoint_that_is_taken_down_meanwhile_leaves_nothing(context: Context) -> None:
    gone = TaskError(REFUSAL, 'Could not find endpoint "films-local-endpoint".')
    aws = Aws(describeEndpoint=serving("updating", gone))
    assert run(context, aws) == {"outcome": "no-endpoint"}
    assert aws.changes[-2:] == ["deleteEndpointConfig", "deleteModel"]


@pytest.mark.parametrize("call", ["createModel", "createEndpointConfig"])
def test_what_was_made_by_a_call_whose_answer_was_lost_is_taken(context: Context, call: str) -> None:
    there = TaskError(REFUSAL, "Cannot create already existing one")
    assert run(context, Aws(**{call: [there]}))["outcome"] == "served"


def test_a_config_that_is_refused_leaves_no_model(context: Context) -> None:
    aws = Aws(createEndpointConfig=[TaskError(REFUSAL, "no such machine")])
    with pytest.raises(FailedError, match="no such machine"):
        run(context, aws)
    assert aws.changes[-1] == "deleteModel"


def test_a_run_that_scheduler_starts_twice_serves_once(context: Context) -> None:
    aws = Aws(describeEndpoint=[{"EndpointStatus": "InService", "EndpointConfigName": NEW}])
    assert run(context, aws) == {"outcome": "served"}
    assert aws.changes == ["addTags"]


def test_of_two_runs_side_by_side_the_second_sees_what_the_first_has_served(context: Context) -> None:
    before, _, updating, served = serving("updating", "new")
    aws = Aws(describeEndpoint=[before, updating, updating, served])
    assert run(context, aws) == {"outcome": "served"}
    assert aws.changes == ["createProcessingJob", "copyObject", "createTrainingJob", "addTags"]


@pytest.mark.parametrize(
    "cause",
    [
        'Could not find model "arn:aws:sagemaker:eu-west-1:123456789012:model/films".',
        'Could not find endpoint configuration "arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/films".',
        'Could not find the alarm "films-local-errors".',
    ],
)
def test_only_an_endpoint_that_is_gone_is_no_endpoint(context: Context, cause: str) -> None:
    aws = Aws(updateEndpoint=[TaskError(REFUSAL, cause)], describeEndpoint=serving("old"))
    with pytest.raises(FailedError) as caught:
        run(context, aws)
    assert caught.value.cause == cause


def test_a_tag_that_is_refused_fails_nothing(context: Context) -> None:
    aws = Aws(addTags=[TaskError(REFUSAL, "throttled")])
    assert run(context, aws)["outcome"] == "served"
    assert aws.asked("deleteModel") == {"ModelName": OLD_MODEL}


def test_an_endpoint_that_could_not_go_back_keeps_both(context: Context) -> None:
    stuck = {"EndpointStatus": "UpdateRollbackFailed", "EndpointConfigName": OLD_CONFIG}
    aws = Aws(describeEndpoint=serving("updating", stuck))
    with pytest.raises(FailedError, match="UpdateRollbackFailed"):
        run(context, aws)
    assert aws.changes[-1] == "updateEndpoint"


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
