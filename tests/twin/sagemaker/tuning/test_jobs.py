"""Tuning jobs, whose trials are training jobs that really run."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.twin import daemon
from tests.twin.conftest import Cloud, code_of, tarball, wait_for

# Reports after each of its epochs; the nearer it is to 0.5, the better.
SCRIPT = """
import argparse, os, pathlib, time
parser = argparse.ArgumentParser()
parser.add_argument("--near", type=float)
parser.add_argument("--kind", default="")
parser.add_argument("--epochs", type=int)
parser.add_argument("--hold", default="")
arguments = parser.parse_args()
for epoch in range(arguments.epochs):
    print(f"objective={1 - abs(arguments.near - 0.5) + 0.01 * epoch:.4f}", flush=True)
    time.sleep(0.05)
while arguments.hold and not pathlib.Path(arguments.hold).exists():
    time.sleep(0.05)
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text("weights")
"""
NEAR = {"Name": "near", "MinValue": "0", "MaxValue": "1", "ScalingType": "Linear"}


def request(cloud: Cloud, *, script: str = SCRIPT, hold: str = "", epochs: int = 2, **config: Any) -> dict[str, Any]:
    """What is asked for: three trials, two at a time."""
    name = cloud.name("tune")
    source = cloud.upload(f"{name}/source.tar.gz", tarball({"train.py": script}))
    static = {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": json.dumps(source),
        "epochs": str(epochs),
        "hold": json.dumps(hold),
    }
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "objective"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"ContinuousParameterRanges": [NEAR]},
            "RandomSeed": 1,
        }
        | config,
        "TrainingJobDefinition": {
            "StaticHyperParameters": static,
            "AlgorithmSpecification": {
                "TrainingImage": "pytorch",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "objective", "Regex": "objective=([0-9.]+)"}],
            },
            "RoleArn": cloud.execution_role,
            "OutputDataConfig": {"S3OutputPath": f"s3://{cloud.bucket}/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
        "Tags": [{"Key": "owner", "Value": "me"}],
    }


def begin(cloud: Cloud, **changes: Any) -> str:
    asked = request(cloud, **changes)
    cloud.sagemaker.create_hyper_parameter_tuning_job(**asked)
    return str(asked["HyperParameterTuningJobName"])


def describe(cloud: Cloud, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    return found


def over(cloud: Cloud, name: str) -> dict[str, Any]:
    """Wait until a tuning job has ended, and describe it."""

    def ended() -> dict[str, Any] | None:
        job = describe(cloud, name)
        return job if job["HyperParameterTuningJobStatus"] in ("Completed", "Failed", "Stopped") else None

    job: dict[str, Any] = wait_for(ended)
    return job


def trials(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    pages = cloud.sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    return [each for page in pages.paginate(HyperParameterTuningJobName=name) for each in page["TrainingJobSummaries"]]


@pytest.fixture(scope="module")
def completed(cloud: Cloud) -> dict[str, Any]:
    return over(cloud, begin(cloud))


def test_the_best_trial_is_the_one_that_reported_the_most(cloud: Cloud, completed: dict[str, Any]) -> None:
    reasons = [trial.get("FailureReason") for trial in trials(cloud, completed["HyperParameterTuningJobName"])]
    assert completed["HyperParameterTuningJobStatus"] == "Completed", (completed.get("FailureReason"), reasons)
    assert completed["TrainingJobStatusCounters"]["Completed"] == completed["ObjectiveStatusCounters"]["Succeeded"] == 3
    found = trials(cloud, completed["HyperParameterTuningJobName"])
    nearest = min(found, key=lambda trial: abs(float(trial["TunedHyperParameters"]["near"]) - 0.5))
    assert completed["BestTrainingJob"]["TrainingJobName"] == nearest["TrainingJobName"]
    metric = completed["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]
    expected = 1.01 - abs(float(nearest["TunedHyperParameters"]["near"]) - 0.5)
    assert metric == {"MetricName": "objective", "Value": pytest.approx(expected, abs=1e-3)}


def test_a_trial_is_a_training_job_with_the_tags_of_the_tuning_job(cloud: Cloud, completed: dict[str, Any]) -> None:
    best = completed["BestTrainingJob"]
    job = cloud.sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert job["TuningJobArn"] == completed["HyperParameterTuningJobArn"]
    assert job["HyperParameters"]["near"] == best["TunedHyperParameters"]["near"]
    assert job["HyperParameters"]["_tuning_objective_metric"] == "objective"  # which the script never sees
    for arn in (job["TrainingJobArn"], completed["HyperParameterTuningJobArn"]):
        assert cloud.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "me"}]
    key = f"models/{best['TrainingJobName']}/output/model.tar.gz"
    assert cloud.s3.head_object(Bucket=cloud.bucket, Key=key)["ContentLength"] > 0


def test_it_is_listed_and_deleted(cloud: Cloud) -> None:
    grid = {"CategoricalParameterRanges": [{"Name": "near", "Values": ["0.2"]}]}
    limits = {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}
    name = begin(cloud, Strategy="Grid", ParameterRanges=grid, ResourceLimits=limits, epochs=1)
    over(cloud, name)
    listed = cloud.sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name)["HyperParameterTuningJobSummaries"]
    assert [each["HyperParameterTuningJobStatus"] for each in listed] == ["Completed"]
    cloud.sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert code_of(describe, cloud=cloud, name=name) == "ResourceNotFound"


def test_a_stopped_job_stops_its_trials_and_begins_no_more(cloud: Cloud, tmp_path: Path) -> None:
    name = begin(cloud, hold=str(tmp_path / "never"))
    wait_for(lambda: len(trials(cloud, name)) == 2)
    assert describe(cloud, name)["TrainingJobStatusCounters"]["InProgress"] == 2
    delete = cloud.sagemaker.delete_hyper_parameter_tuning_job
    assert code_of(delete, HyperParameterTuningJobName=name) == "ResourceInUse"
    cloud.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    job = over(cloud, name)
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["Stopped"] == len(trials(cloud, name)) == 2
    assert "BestTrainingJob" not in job
    with pytest.raises(ClientError, match="in status Stopped"):
        cloud.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def test_where_every_trial_fails_the_job_has_failed(cloud: Cloud) -> None:
    job = over(cloud, begin(cloud, script="raise ValueError('no')"))
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 3
    assert job["ObjectiveStatusCounters"]["Failed"] == 3


def test_hyperband_ends_weak_trials(cloud: Cloud) -> None:
    changes = {
        "Strategy": "Hyperband",
        "StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 30}},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "near", "Values": ["0.5", "0.1"]}]},
        "RandomSeed": 6,  # 0.5, 0.5, and then 0.1
    }
    job = over(cloud, begin(cloud, epochs=12, **changes))
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    found = trials(cloud, job["HyperParameterTuningJobName"])
    assert {(each["TunedHyperParameters"]["near"], each["TrainingJobStatus"]) for each in found} == {
        ("0.5", "Completed"),
        ("0.1", "Stopped"),
    }
    assert job["TrainingJobStatusCounters"]["Stopped"] == 1
    assert job["ObjectiveStatusCounters"]["Succeeded"] == 3


def test_a_restart_goes_on_with_the_trials_that_are_left(own_home: Path, tmp_path: Path) -> None:
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    done = over(cloud, begin(cloud, epochs=1))
    name = begin(cloud, hold=str(tmp_path / "gate"))
    wait_for(lambda: len(trials(cloud, name)) == 2)
    daemon.stop(own_home)
    (tmp_path / "gate").touch()
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    after = describe(cloud, done["HyperParameterTuningJobName"])
    same = ("HyperParameterTuningJobStatus", "TrainingJobStatusCounters", "BestTrainingJob", "CreationTime")
    assert {key: after[key] for key in same} == {key: done[key] for key in same}
    job = over(cloud, name)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["RetryableError"] == 2  # they ran when the twin was ended
    assert job["TrainingJobStatusCounters"]["Completed"] == 1


def without_metric(asked: dict[str, Any]) -> None:
    del asked["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"]


def static(asked: dict[str, Any]) -> None:
    asked["TrainingJobDefinition"]["StaticHyperParameters"]["near"] = "1"


def too_many(asked: dict[str, Any]) -> None:
    asked["HyperParameterTuningJobConfig"]["ResourceLimits"] = {
        "MaxNumberOfTrainingJobs": 9,
        "MaxParallelTrainingJobs": 9,
    }


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (lambda asked: asked.update(HyperParameterTuningJobName="x" * 33), "ValidationException", "less than or equal"),
        (without_metric, "ValidationException", "A metric is required"),
        (static, "ValidationException", "given more than once"),
        (too_many, "ResourceLimitExceeded", "'ml.m5.large for training job usage' is 4 Instances"),
        (
            lambda asked: asked["TrainingJobDefinition"].update(RoleArn="arn:aws:iam::123456789012:role/nobody"),
            "ValidationException",
            "Could not assume role",
        ),
    ],
)
def test_what_aws_refuses_is_refused(cloud: Cloud, change: Any, code: str, says: str) -> None:
    asked = request(cloud)
    change(asked)
    with pytest.raises(ClientError, match=says) as refused:
        cloud.sagemaker.create_hyper_parameter_tuning_job(**asked)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"ParameterRanges": {}}, "at least one"),
        ({"ParameterRanges": {"ContinuousParameterRanges": [NEAR | {"MinValue": "2"}]}}, "greater than its MaxValue"),
        ({"ParameterRanges": {"ContinuousParameterRanges": [NEAR | {"ScalingType": "Logarithmic"}]}}, "above 0"),
        ({"ParameterRanges": {"ContinuousParameterRanges": [NEAR | {"MinValue": "low"}]}}, "no number"),
        ({"Strategy": "Grid"}, "categorical hyperparameters only"),
        ({"Strategy": "Hyperband", "TrainingJobEarlyStoppingType": "Auto"}, "must be Off"),
        ({"ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 2}}, "must not be greater"),
    ],
)
def test_a_search_that_aws_refuses_is_refused(cloud: Cloud, config: dict[str, Any], says: str) -> None:
    with pytest.raises(ClientError, match=says):
        begin(cloud, **config)
