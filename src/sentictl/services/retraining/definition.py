"""The state machine's definition in the Amazon States Language: one run of a scheduled training.

It looks at what is served, prepares the source, trains with the served model as one more channel, and serves the new
model where the training job found that it is not worse. SageMaker's calls are made by "AWS SDK integrations", and jobs
are looked at until they are over: Step Functions' own waiting for them knows neither spot machines nor checkpoints,
and takes a rule of EventBridge's that all projects of an account share.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sentictl.lifecycle.resource import Context
from sentictl.reviews.prepare.manifest import MANIFEST
from sentictl.services.iam.roles import ExecutionRole
from sentictl.services.resources.dataset import FOLDER as DATASETS
from sentictl.services.resources.processing_request import request as processing_request
from sentictl.services.resources.sagemaker import OF_SCHEDULE
from sentictl.services.resources.training import (
    METRICS,
    NEW_ACCURACY,
    NOT_WORSE,
    SERVED,
    SERVED_ACCURACY,
    SERVED_TAG,
    TrainingJob,
)
from sentictl.services.retraining.code import ScheduledCode
from sentictl.services.serving.endpoint import Endpoint, EndpointConfig
from sentictl.services.serving.model import Model

SDK = "aws-sdk"
State = dict[str, Any]
States = dict[str, State]
# An execution has 25,000 events at most, and one look at a job is nine of them: so many looks at each of the two jobs.
MOST_LOOKS = 1_000
SHORTEST_WAIT = 30  # seconds between two looks
# In what SageMaker says of an endpoint that is not there, of one that is being changed, and of a name that is taken.
GONE, CHANGING, THERE = '*ould not find endpoint "*', "*in-progress*", "*already exist*"
# What comes of a run, as its output says.
SERVES, WORSE, NO_ENDPOINT, BUSY, CHANGED = "served", "worse", "no-endpoint", "endpoint-busy", "endpoint-changed"
AGAIN = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 5, "MaxAttempts": 3, "BackoffRate": 2.0}]
NAME = "$.name"  # of all that a run makes
RUN = "%Y%m%d%H%M%S"  # a run is named for the time that it was scheduled for


def run_of(execution: Mapping[str, Any]) -> str:
    """Return the name of a run, given what DescribeExecution tells of it; empty where its input is no run's."""
    try:
        return f"{datetime.fromisoformat(json.loads(execution['input'])['time']):{RUN}}"
    except (KeyError, TypeError, ValueError):
        return ""


def definition(context: Context) -> dict[str, Any]:
    """Return the definition, as CreateStateMachine takes it in JSON.

    An execution's input is {"time": TIME}, such as 2026-12-06T02:00:00Z. Scheduler may start an execution twice. Both
    have the name of the time, and so make, and find, the same things.
    """
    return {
        "Comment": "Trains again, and serves what is not worse (sentictl train --every)",
        "StartAt": "ReadTheTime",
        "States": {
            **_naming(context),
            **_looking(context),
            **_preparing(context),
            **_training(context),
            **_gate(context),
            **_serving(context),
            **_outcomes(),
        },
    }


def _naming(context: Context) -> States:
    parts, places = ", ".join(f"$.parts[{number}]" for number in range(6)), "{}" * 6
    return {
        "ReadTheTime": {
            "Type": "Pass",
            "Parameters": {"parts.$": "States.StringSplit($.time, '-:TZ')"},
            "Next": "NameTheRun",
        },
        "NameTheRun": {
            "Type": "Pass",
            "Parameters": {
                "run.$": f"States.Format('{places}', {parts})",
                "name.$": f"States.Format('{context.naming.name(OF_SCHEDULE)}{places}', {parts})",
            },
            "Next": "LookAtTheEndpoint",
        },
    }


def _looking(context: Context) -> States:
    """Find out what is served. Where nothing is, or it is being changed, nothing is trained."""
    return {
        "LookAtTheEndpoint": _look_at_endpoint(context, "$.endpoint", "IsItInService"),
        "IsItInService": _choice(
            ({"And": [_is("$.endpoint.status", "InService"), _names_ours("$.endpoint.config")]}, "TellItWasServed"),
            (_is("$.endpoint.status", "InService"), "LookAtItsConfig"),
            otherwise="EndpointBusy",
        ),
        "LookAtItsConfig": _task(
            context,
            "describeEndpointConfig",
            {"EndpointConfigName.$": "$.endpoint.config"},
            "LookAtItsModel",
            ResultSelector={"model.$": "$.ProductionVariants[0].ModelName"},
            ResultPath="$.served",
        ),
        "LookAtItsModel": _task(
            context,
            "describeModel",
            {"ModelName.$": "$.served.model"},
            "Prepare",
            ResultSelector={"artifact.$": "$.PrimaryContainer.ModelDataUrl"},
            ResultPath="$.old",
        ),
    }


def _preparing(context: Context) -> States:
    """Prepare the source anew, and let the manifest vouch for the dataset."""
    code = ScheduledCode(context)
    asked = processing_request(code, "", source=code.source_uri)
    result = asked["ProcessingOutputConfig"]["Outputs"][1]["S3Output"]
    del result["S3Uri"]
    result["S3Uri.$"] = f"States.Format('{code.uri(code.name)}{{}}', {NAME})"
    bucket = context.naming.bucket
    made = {"Variable": "$.preparation.ExitMessage", "StringMatches": '*"dataset"*'}
    told = {"Variable": "$.preparation.ExitMessage", "IsPresent": True}
    return {
        "Prepare": _job(context, "createProcessingJob", asked, "ProcessingJobName", "WaitForThePreparation"),
        **_waiting(
            context,
            "Preparation",
            "describeProcessingJob",
            "ProcessingJobName",
            minutes=context.settings.data.max_minutes,
            following="IsThereADataset",
        ),
        "IsThereADataset": _choice(
            ({"And": [told, made]}, "ReadTheDataset"), (told, "SourceUnusable"), otherwise="PreparationFailed"
        ),
        "SourceUnusable": {"Type": "Fail", "Error": "SourceUnusable", "CausePath": "$.preparation.ExitMessage"},
        "ReadTheDataset": {
            "Type": "Pass",
            "Parameters": {"made.$": "States.StringToJson($.preparation.ExitMessage)"},
            "ResultPath": "$.outcome",
            "Next": "VouchForTheDataset",
        },
        "VouchForTheDataset": {
            "Type": "Task",
            "Resource": f"arn:{context.environment.partition}:states:::{SDK}:s3:copyObject",
            "Parameters": {
                "Bucket": bucket,
                "Key.$": f"States.Format('{DATASETS}{{}}/{MANIFEST}', $.outcome.made.dataset)",
                "CopySource.$": f"States.Format('{bucket}/{code.name}{{}}/{MANIFEST}', {NAME})",
            },
            "ResultPath": None,
            "Retry": AGAIN,
            "Next": "Train",
        },
        "PreparationFailed": _failure("PreparationFailed", "The processing job {} failed."),
    }


def _training(context: Context) -> States:
    job = TrainingJob(context)
    dataset = "$.outcome.made.dataset"
    hyperparameters = {
        **job.plain_hyperparameters,
        **{key: value for key, value in job.script_mode("").items() if key != "sagemaker_job_name"},
        "dataset.$": f"States.Format('\"{{}}\"', {dataset})",
        "sagemaker_job_name.$": f"States.Format('\"{{}}\"', {NAME})",
        "tolerance": str(context.settings.train.schedule.tolerance),
    }
    bucket = context.naming.bucket
    channels = {each: f"States.Format('s3://{bucket}/{DATASETS}{{}}/{each}/', {dataset})" for each in job.channels}
    asked = {
        "HyperParameters": hyperparameters,
        **job.terms((*METRICS, NEW_ACCURACY, SERVED_ACCURACY, NOT_WORSE)),
        "InputDataConfig": [_channel(each, uri) for each, uri in (channels | {SERVED: "$.old.artifact"}).items()],
        "Tags": context.naming.tag_list(),
    }
    # On spot machines a job waits as long again.
    minutes = context.settings.train.max_minutes * (2 if context.settings.train.spot else 1)
    return {
        "Train": _job(context, "createTrainingJob", asked, "TrainingJobName", "WaitForTheTraining"),
        **_waiting(
            context,
            "Training",
            "describeTrainingJob",
            "TrainingJobName",
            minutes=minutes,
            following="ReadTheFigures",
        ),
        "TrainingFailed": _failure("TrainingFailed", "The training job {} failed."),
    }


def _gate(context: Context) -> States:
    """Serve the new model only where it is not worse, and where what it was compared with is still served."""
    figures = {
        "new": NEW_ACCURACY,
        "served": SERVED_ACCURACY,
        "not_worse": NOT_WORSE,
    }
    in_service = _is("$.now.status", "InService")
    return {
        "ReadTheFigures": {
            "Type": "Pass",
            "Parameters": {
                f"{key}.$": f"States.ArrayGetItem($.training.FinalMetricDataList[?(@.MetricName=='{metric}')].Value, 0)"
                for key, metric in figures.items()
            },
            "ResultPath": "$.figures",
            "Next": "IsItNotWorse",
        },
        "IsItNotWorse": _choice(
            ({"Variable": "$.figures.not_worse", "NumericGreaterThanEquals": 0.5}, "LookAgain"), otherwise="Worse"
        ),
        "LookAgain": _look_at_endpoint(context, "$.now", "IsItServedStill"),
        "IsItServedStill": _choice(
            (_changing("$.now.status"), "WaitForTheChange"),
            (
                {"And": [in_service, {"Variable": "$.now.config", "StringEqualsPath": "$.endpoint.config"}]},
                "MakeTheModel",
            ),
            ({"And": [in_service, _names_ours("$.now.config")]}, "TellItWasServed"),
            otherwise="EndpointChanged",
        ),
        "WaitForTheChange": {"Type": "Wait", "Seconds": SHORTEST_WAIT, "Next": "LookAgain"},
    }


def _serving(context: Context) -> States:
    """Make the model and its endpoint config, and let the endpoint take it. What it replaced goes last."""
    container = {key: value for key, value in Model(context).container().items() if key != "ModelDataUrl"}
    variant = {key: value for key, value in EndpointConfig(context).variant().items() if key != "ModelName"}
    tags = context.naming.tag_list()
    return {
        "MakeTheModel": _made(
            context,
            "createModel",
            {
                "ModelName.$": NAME,
                "ExecutionRoleArn": ExecutionRole(context).arn,
                "PrimaryContainer": {
                    **container,
                    "ModelDataUrl.$": "$.training.ModelArtifacts.S3ModelArtifacts",
                },
                "Tags": tags,
            },
            "MakeTheConfig",
            "IsTheModelThere",
        ),
        "IsTheModelThere": _choice((_refused(THERE), "MakeTheConfig"), otherwise="Failed"),
        "MakeTheConfig": _made(
            context,
            "createEndpointConfig",
            {
                "EndpointConfigName.$": NAME,
                "ProductionVariants": [{**variant, "ModelName.$": NAME}],
                "Tags": tags,
            },
            "Serve",
            "IsTheConfigThere",
        ),
        "IsTheConfigThere": _choice((_refused(THERE), "Serve"), otherwise="RemoveTheModel"),
        "Serve": _task(
            context,
            "updateEndpoint",
            {
                "EndpointName": Endpoint(context).name,
                "EndpointConfigName.$": NAME,
                **({"RetainAllVariantProperties": True} if context.settings.deploy.scales else {}),
            },
            "WaitForTheEndpoint",
            ResultPath="$.taken",
            # Also what is refused may have been taken by a call whose answer was lost: the endpoint tells.
            Catch=_caught("WaitForTheEndpoint"),
        ),
        **_watching(context),
        "TellItIsServed": _telling(context, "RemoveTheOldConfig"),
        "TellItWasServed": _telling(context, "ServedAlready"),
        "RemoveTheOldConfig": _removal(
            context, "deleteEndpointConfig", "EndpointConfigName", "$.endpoint.config", "RemoveTheOldModel"
        ),
        "RemoveTheOldModel": _removal(context, "deleteModel", "ModelName", "$.served.model", "Served"),
    }


def _watching(context: Context) -> States:
    """Wait until the endpoint serves the new model, or has gone back, or was never to take it."""
    served = {"And": [_is("$.now.status", "InService"), _names_ours("$.now.config")]}
    # Of an endpoint that could not go back AWS says that it may serve some of both.
    may_serve = {"Or": [_names_ours("$.now.config"), _is("$.now.status", "UpdateRollbackFailed")]}
    taken = {"Variable": "$.taken", "IsPresent": True}
    return {
        "WaitForTheEndpoint": {"Type": "Wait", "Seconds": SHORTEST_WAIT, "Next": "LookWhatIsServed"},
        "LookWhatIsServed": _look_at_endpoint(context, "$.now", "IsItServed", unseen="IsItGone"),
        "IsItGone": _choice((_refused(GONE), "RemoveTheConfig"), otherwise="Failed"),
        "IsItServed": _choice(
            (served, "TellItIsServed"),
            (_changing("$.now.status"), "WaitForTheEndpoint"),
            (taken, "SayItIsNotServed"),
            otherwise="IsItInUse",
        ),
        "SayItIsNotServed": {
            "Type": "Pass",
            "Parameters": {
                "Error": "NotServed",
                "Cause.$": "States.Format('The endpoint is {} and serves {}.', $.now.status, $.now.config)",
            },
            "ResultPath": "$.error",
            "Next": "IsItInUse",
        },
        "IsItInUse": _choice((may_serve, "Failed"), otherwise="RemoveTheConfig"),
        "RemoveTheConfig": _removal(context, "deleteEndpointConfig", "EndpointConfigName", NAME, "RemoveTheModel"),
        "RemoveTheModel": _removal(context, "deleteModel", "ModelName", NAME, "WhyIsItNotServed"),
        "WhyIsItNotServed": _choice(
            (_refused(CHANGING), "EndpointBusy"), (_refused(GONE), "NoEndpoint"), otherwise="Failed"
        ),
    }


def _outcomes() -> States:
    compared = {"run.$": "$.run", "new.$": "$.figures.new", "served.$": "$.figures.served"}
    return {
        "Served": _outcome(SERVES, **compared),
        "ServedAlready": _outcome(SERVES),
        "Worse": _outcome(WORSE, **compared),
        "EndpointChanged": _outcome(CHANGED, **compared),
        "NoEndpoint": _outcome(NO_ENDPOINT),
        "EndpointBusy": _outcome(BUSY),
        "IsTheEndpointGone": _choice((_refused(GONE), "NoEndpoint"), otherwise="Failed"),
        "Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
    }


def _task(context: Context, call: str, parameters: State, following: str, **more: Any) -> State:
    resource = f"arn:{context.environment.partition}:states:::{SDK}:sagemaker:{call}"
    return {
        "Type": "Task",
        "Resource": resource,
        "Parameters": parameters,
        "Retry": AGAIN,
        **more,
        "Next": following,
    }


def _job(context: Context, call: str, asked: State, named: str, following: str) -> State:
    """Begin a job. One that is there was begun by the same call, whose answer was lost."""
    parameters = {key: value for key, value in asked.items() if key != named} | {f"{named}.$": NAME}
    there = [{"ErrorEquals": ["SageMaker.ResourceInUseException"], "ResultPath": None, "Next": following}]
    return _task(context, call, parameters, following, ResultPath=None, Catch=there)


def _made(context: Context, call: str, parameters: State, following: str, refused: str) -> State:
    """Make something. Where that is refused, another state tells whether it is there already."""
    return _task(context, call, parameters, following, ResultPath=None, Catch=_caught(refused))


def _telling(context: Context, following: str) -> State:
    """Have the training job say that its model was served: that makes it a version."""
    job = context.environment.arn("sagemaker", "training-job/{}")
    asked = {"ResourceArn.$": f"States.Format('{job}', {NAME})", "Tags": [{"Key": SERVED_TAG, "Value": "true"}]}
    return _if_possible(context, "addTags", asked, following)


def _caught(following: str) -> list[State]:
    return [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": following}]


def _waiting(context: Context, what: str, call: str, named: str, *, minutes: int, following: str) -> States:
    """Look at a job until it is over."""
    wait, look, over, path = f"WaitForThe{what}", f"LookAtThe{what}", f"IsThe{what}Over", f"$.{what.lower()}"
    status = f"{path}.{named.removesuffix('Name')}Status"
    running = {"Or": [_is(status, word) for word in ("InProgress", "Stopping")]}
    return {
        wait: {"Type": "Wait", "Seconds": max(SHORTEST_WAIT, -(-60 * minutes // MOST_LOOKS)), "Next": look},
        look: _task(context, call, {f"{named}.$": NAME}, over, ResultPath=path),
        over: _choice((_is(status, "Completed"), following), (running, wait), otherwise=f"{what}Failed"),
    }


def _look_at_endpoint(context: Context, path: str, following: str, unseen: str = "IsTheEndpointGone") -> State:
    return _task(
        context,
        "describeEndpoint",
        {"EndpointName": Endpoint(context).name},
        following,
        ResultSelector={"status.$": "$.EndpointStatus", "config.$": "$.EndpointConfigName"},
        ResultPath=path,
        Catch=_caught(unseen),
    )


def _removal(context: Context, call: str, named: str, name: str, following: str) -> State:
    """Delete what is not needed any more. What stays behind after all goes with `down`."""
    return _if_possible(context, call, {f"{named}.$": name}, following)


def _if_possible(context: Context, call: str, asked: State, following: str) -> State:
    """Make a call without which all goes on as well."""
    whatever = [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": following}]
    return _task(context, call, asked, following, ResultPath=None, Catch=whatever)


def _channel(name: str, uri: str) -> State:
    source = {"S3DataType": "S3Prefix", "S3Uri.$": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _refused(words: str) -> State:
    return {"Variable": "$.error.Cause", "StringMatches": words}


def _names_ours(path: str) -> State:
    return {"Variable": path, "StringEqualsPath": NAME}


def _changing(path: str) -> State:
    return {"Or": [_is(path, word) for word in ("Updating", "SystemUpdating", "RollingBack", "Deleting")]}


def _is(path: str, text: str) -> State:
    return {"Variable": path, "StringEquals": text}


def _choice(*rules: tuple[State, str], otherwise: str) -> State:
    return {"Type": "Choice", "Choices": [{**rule, "Next": name} for rule, name in rules], "Default": otherwise}


def _failure(error: str, cause: str) -> State:
    return {"Type": "Fail", "Error": error, "CausePath": f"States.Format('{cause}', {NAME})"}


def _outcome(word: str, **figures: str) -> State:
    return {"Type": "Pass", "Parameters": {"outcome": word, **figures}, "End": True}
