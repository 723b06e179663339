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
from sentictl.services.retraining.states_language import (
    ERROR,
    State,
    States,
    catch,
    choice,
    end,
    equals,
    equals_path,
    fail,
    formatted,
    is_present,
    matches,
    pass_state,
    refused,
    task,
    task_if_possible,
    wait,
)
from sentictl.services.serving.endpoint import Endpoint, EndpointConfig
from sentictl.services.serving.model import Model

# An execution has 25,000 events at most, and one look at a job is nine of them: so many looks at each of the two jobs.
MOST_LOOKS = 1_000
SHORTEST_WAIT = 30  # seconds between two looks
# In what SageMaker says of an endpoint that is not there, of one that is being changed, and of a name that is taken.
GONE, CHANGING, THERE = '*ould not find endpoint "*', "*in-progress*", "*already exist*"
# What comes of a run, as its output says.
SERVES, WORSE, NO_ENDPOINT, BUSY, CHANGED = "served", "worse", "no-endpoint", "endpoint-busy", "endpoint-changed"
NAME = "$.name"  # of all that a run makes
DATASET = "$.outcome.made.dataset"  # the new one
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
    parts, places = [f"$.parts[{number}]" for number in range(6)], "{}" * 6
    return {
        "ReadTheTime": pass_state({"parts.$": "States.StringSplit($.time, '-:TZ')"}, "NameTheRun"),
        "NameTheRun": pass_state(
            {
                "run.$": formatted(places, *parts),
                "name.$": formatted(context.naming.name(OF_SCHEDULE) + places, *parts),
            },
            "LookAtTheEndpoint",
        ),
    }


def _looking(context: Context) -> States:
    """Find out what is served. Where nothing is, or it is being changed, nothing is trained."""
    return {
        "LookAtTheEndpoint": _look_at_endpoint(context, "$.endpoint", "IsItInService"),
        "IsItInService": choice(
            ({"And": [equals("$.endpoint.status", "InService"), _names_ours("$.endpoint.config")]}, "TellItWasServed"),
            (equals("$.endpoint.status", "InService"), "LookAtItsConfig"),
            otherwise="EndpointBusy",
        ),
        "LookAtItsConfig": task(
            context,
            "sagemaker:describeEndpointConfig",
            {"EndpointConfigName.$": "$.endpoint.config"},
            "LookAtItsModel",
            ResultSelector={"model.$": "$.ProductionVariants[0].ModelName"},
            ResultPath="$.served",
        ),
        "LookAtItsModel": task(
            context,
            "sagemaker:describeModel",
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
    result["S3Uri.$"] = formatted(code.uri(code.name) + "{}", NAME)
    bucket = context.naming.bucket
    message = "$.preparation.ExitMessage"
    told, made = is_present(message), matches(message, '*"dataset"*')
    return {
        "Prepare": _job(context, "sagemaker:createProcessingJob", asked, "ProcessingJobName", "WaitForThePreparation"),
        **_waiting(
            context,
            "Preparation",
            "sagemaker:describeProcessingJob",
            "ProcessingJobName",
            minutes=context.settings.data.max_minutes,
            following="IsThereADataset",
        ),
        "IsThereADataset": choice(
            ({"And": [told, made]}, "ReadTheDataset"), (told, "SourceUnusable"), otherwise="PreparationFailed"
        ),
        "SourceUnusable": fail("SourceUnusable", message),
        "ReadTheDataset": pass_state(
            {"made.$": f"States.StringToJson({message})"}, "VouchForTheDataset", ResultPath="$.outcome"
        ),
        "VouchForTheDataset": task(
            context,
            "s3:copyObject",
            {
                "Bucket": bucket,
                "Key.$": formatted(f"{DATASETS}{{}}/{MANIFEST}", DATASET),
                "CopySource.$": formatted(f"{bucket}/{code.name}{{}}/{MANIFEST}", NAME),
            },
            "Train",
            ResultPath=None,
        ),
        "PreparationFailed": fail("PreparationFailed", formatted("The processing job {} failed.", NAME)),
    }


def _training(context: Context) -> States:
    job = TrainingJob(context)
    hyperparameters = {
        **job.plain_hyperparameters,
        **{key: value for key, value in job.script_mode("").items() if key != "sagemaker_job_name"},
        "dataset.$": formatted('"{}"', DATASET),
        "sagemaker_job_name.$": formatted('"{}"', NAME),
        "tolerance": str(context.settings.train.schedule.tolerance),
    }
    bucket = context.naming.bucket
    channels = {each: formatted(f"s3://{bucket}/{DATASETS}{{}}/{each}/", DATASET) for each in job.channels}
    asked = {
        "HyperParameters": hyperparameters,
        **job.terms((*METRICS, NEW_ACCURACY, SERVED_ACCURACY, NOT_WORSE)),
        "InputDataConfig": [_channel(each, uri) for each, uri in (channels | {SERVED: "$.old.artifact"}).items()],
        "Tags": context.naming.tag_list(),
    }
    # On spot machines a job waits as long again.
    minutes = context.settings.train.max_minutes * (2 if context.settings.train.spot else 1)
    return {
        "Train": _job(context, "sagemaker:createTrainingJob", asked, "TrainingJobName", "WaitForTheTraining"),
        **_waiting(
            context,
            "Training",
            "sagemaker:describeTrainingJob",
            "TrainingJobName",
            minutes=minutes,
            following="ReadTheFigures",
        ),
        "TrainingFailed": fail("TrainingFailed", formatted("The training job {} failed.", NAME)),
    }


def _gate(context: Context) -> States:
    """Serve the new model only where it is not worse, and where what it was compared with is still served."""
    figures = {
        "new": NEW_ACCURACY,
        "served": SERVED_ACCURACY,
        "not_worse": NOT_WORSE,
    }
    in_service = equals("$.now.status", "InService")
    return {
        "ReadTheFigures": pass_state(
            {
                f"{key}.$": f"States.ArrayGetItem($.training.FinalMetricDataList[?(@.MetricName=='{metric}')].Value, 0)"
                for key, metric in figures.items()
            },
            "IsItNotWorse",
            ResultPath="$.figures",
        ),
        "IsItNotWorse": choice(
            ({"Variable": "$.figures.not_worse", "NumericGreaterThanEquals": 0.5}, "LookAgain"), otherwise="Worse"
        ),
        "LookAgain": _look_at_endpoint(context, "$.now", "IsItServedStill"),
        "IsItServedStill": choice(
            (_changing("$.now.status"), "WaitForTheChange"),
            ({"And": [in_service, equals_path("$.now.config", "$.endpoint.config")]}, "MakeTheModel"),
            ({"And": [in_service, _names_ours("$.now.config")]}, "TellItWasServed"),
            otherwise="EndpointChanged",
        ),
        "WaitForTheChange": wait(SHORTEST_WAIT, "LookAgain"),
    }


def _serving(context: Context) -> States:
    """Make the model and its endpoint config, and let the endpoint take it. What it replaced goes last."""
    container = {key: value for key, value in Model(context).container().items() if key != "ModelDataUrl"}
    variant = {key: value for key, value in EndpointConfig(context).variant().items() if key != "ModelName"}
    tags = context.naming.tag_list()
    return {
        "MakeTheModel": _made(
            context,
            "sagemaker:createModel",
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
        "IsTheModelThere": choice((refused(THERE), "MakeTheConfig"), otherwise="Failed"),
        "MakeTheConfig": _made(
            context,
            "sagemaker:createEndpointConfig",
            {
                "EndpointConfigName.$": NAME,
                "ProductionVariants": [{**variant, "ModelName.$": NAME}],
                "Tags": tags,
            },
            "Serve",
            "IsTheConfigThere",
        ),
        "IsTheConfigThere": choice((refused(THERE), "Serve"), otherwise="RemoveTheModel"),
        "Serve": task(
            context,
            "sagemaker:updateEndpoint",
            {
                "EndpointName": Endpoint(context).name,
                "EndpointConfigName.$": NAME,
                **({"RetainAllVariantProperties": True} if context.settings.deploy.scales else {}),
            },
            "WaitForTheEndpoint",
            ResultPath="$.taken",
            # Also what is refused may have been taken by a call whose answer was lost: the endpoint tells.
            Catch=catch("WaitForTheEndpoint"),
        ),
        **_watching(context),
        "TellItIsServed": _telling(context, "RemoveTheOldConfig"),
        "TellItWasServed": _telling(context, "ServedAlready"),
        # What cannot be deleted here goes with `down`.
        "RemoveTheOldConfig": task_if_possible(
            context,
            "sagemaker:deleteEndpointConfig",
            {"EndpointConfigName.$": "$.endpoint.config"},
            "RemoveTheOldModel",
        ),
        "RemoveTheOldModel": task_if_possible(
            context, "sagemaker:deleteModel", {"ModelName.$": "$.served.model"}, "Served"
        ),
    }


def _watching(context: Context) -> States:
    """Wait until the endpoint serves the new model, or has gone back, or was never to take it."""
    served = {"And": [equals("$.now.status", "InService"), _names_ours("$.now.config")]}
    # Of an endpoint that could not go back AWS says that it may serve some of both.
    may_serve = {"Or": [_names_ours("$.now.config"), equals("$.now.status", "UpdateRollbackFailed")]}
    return {
        "WaitForTheEndpoint": wait(SHORTEST_WAIT, "LookWhatIsServed"),
        "LookWhatIsServed": _look_at_endpoint(context, "$.now", "IsItServed", unseen="IsItGone"),
        "IsItGone": choice((refused(GONE), "RemoveTheConfig"), otherwise="Failed"),
        "IsItServed": choice(
            (served, "TellItIsServed"),
            (_changing("$.now.status"), "WaitForTheEndpoint"),
            (is_present("$.taken"), "SayItIsNotServed"),
            otherwise="IsItInUse",
        ),
        "SayItIsNotServed": pass_state(
            {
                "Error": "NotServed",
                "Cause.$": formatted("The endpoint is {} and serves {}.", "$.now.status", "$.now.config"),
            },
            "IsItInUse",
            ResultPath=ERROR,
        ),
        "IsItInUse": choice((may_serve, "Failed"), otherwise="RemoveTheConfig"),
        "RemoveTheConfig": task_if_possible(
            context, "sagemaker:deleteEndpointConfig", {"EndpointConfigName.$": NAME}, "RemoveTheModel"
        ),
        "RemoveTheModel": task_if_possible(context, "sagemaker:deleteModel", {"ModelName.$": NAME}, "WhyIsItNotServed"),
        "WhyIsItNotServed": choice(
            (refused(CHANGING), "EndpointBusy"), (refused(GONE), "NoEndpoint"), otherwise="Failed"
        ),
    }


def _outcomes() -> States:
    compared = {"run.$": "$.run", "new.$": "$.figures.new", "served.$": "$.figures.served"}
    return {
        "Served": end(outcome=SERVES, **compared),
        "ServedAlready": end(outcome=SERVES),
        "Worse": end(outcome=WORSE, **compared),
        "EndpointChanged": end(outcome=CHANGED, **compared),
        "NoEndpoint": end(outcome=NO_ENDPOINT),
        "EndpointBusy": end(outcome=BUSY),
        "IsTheEndpointGone": choice((refused(GONE), "NoEndpoint"), otherwise="Failed"),
        "Failed": {"Type": "Fail", "ErrorPath": f"{ERROR}.Error", "CausePath": f"{ERROR}.Cause"},
    }


def _job(context: Context, call: str, asked: State, named: str, following: str) -> State:
    """Begin a job. One that is there was begun by the same call, whose answer was lost."""
    parameters = {key: value for key, value in asked.items() if key != named} | {f"{named}.$": NAME}
    there = catch(following, error="SageMaker.ResourceInUseException", path=None)
    return task(context, call, parameters, following, ResultPath=None, Catch=there)


def _made(context: Context, call: str, parameters: State, following: str, otherwise: str) -> State:
    """Make something. Where that is refused, another state tells whether it is there already."""
    return task(context, call, parameters, following, ResultPath=None, Catch=catch(otherwise))


def _telling(context: Context, following: str) -> State:
    """Have the training job say that its model was served: that makes it a version."""
    job = context.environment.arn("sagemaker", "training-job/{}")
    asked = {"ResourceArn.$": formatted(job, NAME), "Tags": [{"Key": SERVED_TAG, "Value": "true"}]}
    return task_if_possible(context, "sagemaker:addTags", asked, following)


def _waiting(context: Context, what: str, call: str, named: str, *, minutes: int, following: str) -> States:
    """Look at a job until it is over."""
    pause, look, over, path = f"WaitForThe{what}", f"LookAtThe{what}", f"IsThe{what}Over", f"$.{what.lower()}"
    status = f"{path}.{named.removesuffix('Name')}Status"
    running = {"Or": [equals(status, word) for word in ("InProgress", "Stopping")]}
    return {
        pause: wait(max(SHORTEST_WAIT, -(-60 * minutes // MOST_LOOKS)), look),
        look: task(context, call, {f"{named}.$": NAME}, over, ResultPath=path),
        over: choice((equals(status, "Completed"), following), (running, pause), otherwise=f"{what}Failed"),
    }


def _look_at_endpoint(context: Context, path: str, following: str, unseen: str = "IsTheEndpointGone") -> State:
    return task(
        context,
        "sagemaker:describeEndpoint",
        {"EndpointName": Endpoint(context).name},
        following,
        ResultSelector={"status.$": "$.EndpointStatus", "config.$": "$.EndpointConfigName"},
        ResultPath=path,
        Catch=catch(unseen),
    )


def _channel(name: str, uri: str) -> State:
    source = {"S3DataType": "S3Prefix", "S3Uri.$": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _names_ours(path: str) -> State:
    return equals_path(path, NAME)


def _changing(path: str) -> State:
    return {"Or": [equals(path, word) for word in ("Updating", "SystemUpdating", "RollingBack", "Deleting")]}
