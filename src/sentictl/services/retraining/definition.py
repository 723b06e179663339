"""The state machine's definition in the Amazon States Language: one run of a scheduled training.

It looks at what is served, prepares the source, trains with the served model as one more channel, and serves the new
model where the training job found that it is not worse. SageMaker's calls are made by "AWS SDK integrations", and jobs
are looked at until they are over: Step Functions' own waiting for them knows neither spot machines nor checkpoints,
and takes a rule of EventBridge's that all projects of an account share.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
"""

from typing import Any

from sentictl.lifecycle.resource import Context
from sentictl.reviews.prepare.manifest import MANIFEST
from sentictl.services.iam.roles import ExecutionRole
from sentictl.services.resources.dataset import FOLDER as DATASETS
from sentictl.services.resources.processing_request import request as processing_request
from sentictl.services.resources.sagemaker import OF_SCHEDULE
from sentictl.services.resources.training import ACCURACY, METRICS, NOT_WORSE, SERVED, SERVED_ACCURACY, TrainingJob
from sentictl.services.retraining.code import ScheduledCode
from sentictl.services.serving.endpoint import Endpoint, EndpointConfig
from sentictl.services.serving.model import Model
from sentictl.services.serving.rollout import deployment_config

SDK = "aws-sdk"
State = dict[str, Any]
States = dict[str, State]
# An execution has 25,000 events at most, and one look at a job is nine of them: so many looks at each of the two jobs.
MOST_LOOKS = 1_000
SHORTEST_WAIT = 30  # seconds between two looks
GONE = "*ould not find*"  # in what SageMaker says of an endpoint that is not there
CHANGING = "*in-progress*"  # and of one that is just being changed
# What comes of a run, as its output says.
SERVES, WORSE, NO_ENDPOINT, BUSY, CHANGED = "served", "worse", "no-endpoint", "endpoint-busy", "endpoint-changed"
AGAIN = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 5, "MaxAttempts": 3, "BackoffRate": 2.0}]
JOB = "States.Format('{prefix}{{}}', $.run)"


def definition(context: Context) -> dict[str, Any]:
    """Return the definition, as CreateStateMachine takes it in JSON. An execution's input is {"run": ID}."""
    return {
        "Comment": "Trains again, and serves what is not worse (sentictl train --every)",
        "StartAt": "LookAtTheEndpoint",
        "States": {
            **_looking(context),
            **_preparing(context),
            **_training(context),
            **_gate(context),
            **_serving(context),
            **_outcomes(),
        },
    }


def _looking(context: Context) -> States:
    """Find out what is served. Where nothing is, or it is being changed, nothing is trained."""
    return {
        "LookAtTheEndpoint": _look_at_endpoint(context, "$.endpoint", "IsItInService"),
        "IsItInService": _choice((_is("$.endpoint.status", "InService"), "LookAtItsConfig"), otherwise="EndpointBusy"),
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
    code, name = ScheduledCode(context), _named(context)
    asked = processing_request(code, "", source=code.source_uri)
    result = asked["ProcessingOutputConfig"]["Outputs"][1]["S3Output"]
    del result["S3Uri"]
    result["S3Uri.$"] = f"States.Format('{code.uri(code.name)}{context.naming.name(OF_SCHEDULE)}{{}}', $.run)"
    bucket = context.naming.bucket
    manifest = f"{bucket}/{code.name}{context.naming.name(OF_SCHEDULE)}{{}}/{MANIFEST}"
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
                "CopySource.$": f"States.Format('{manifest}', $.run)",
            },
            "ResultPath": None,
            "Retry": AGAIN,
            "Next": "Train",
        },
        "PreparationFailed": _failure("PreparationFailed", "The processing job {} failed.", name),
    }


def _training(context: Context) -> States:
    job = TrainingJob(context)
    name = _named(context)
    dataset = "$.outcome.made.dataset"
    hyperparameters = {
        **job.plain_hyperparameters,
        **{key: value for key, value in job.script_mode("").items() if key != "sagemaker_job_name"},
        "dataset.$": f"States.Format('\"{{}}\"', {dataset})",
        "sagemaker_job_name.$": f"States.Format('\"{context.naming.name(OF_SCHEDULE)}{{}}\"', $.run)",
        "tolerance": str(context.settings.train.schedule.tolerance),
    }
    bucket = context.naming.bucket
    channels = {each: f"States.Format('s3://{bucket}/{DATASETS}{{}}/{each}/', {dataset})" for each in job.channels}
    asked = {
        "HyperParameters": hyperparameters,
        **job.terms((*METRICS, SERVED_ACCURACY, NOT_WORSE)),
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
        "TrainingFailed": _failure("TrainingFailed", "The training job {} failed.", name),
    }


def _gate(context: Context) -> States:
    """Serve the new model only where it is not worse, and where what it was compared with is still served."""
    figures = {
        "new": ACCURACY,
        "served": SERVED_ACCURACY,
        "not_worse": NOT_WORSE,
    }
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
            (
                {
                    "And": [
                        _is("$.now.status", "InService"),
                        {"Variable": "$.now.config", "StringEqualsPath": "$.endpoint.config"},
                    ]
                },
                "MakeTheModel",
            ),
            otherwise="EndpointChanged",
        ),
    }


def _serving(context: Context) -> States:
    """Make the model and its endpoint config, and let the endpoint take it. What it replaced goes last."""
    name = _named(context)
    container = {key: value for key, value in Model(context).container().items() if key != "ModelDataUrl"}
    variant = {key: value for key, value in EndpointConfig(context).variant().items() if key != "ModelName"}
    rollout = deployment_config(context)
    endpoint = Endpoint(context).name
    tags = context.naming.tag_list()
    takes_it = {"Variable": "$.now.config", "StringEqualsPath": "$.made.name"}
    served = {"And": [_is("$.now.status", "InService"), takes_it]}
    changing = {"Or": [_is("$.now.status", word) for word in ("Updating", "SystemUpdating", "RollingBack")]}
    return {
        "MakeTheModel": _task(
            context,
            "createModel",
            {
                "ModelName.$": name,
                "ExecutionRoleArn": ExecutionRole(context).arn,
                "PrimaryContainer": {
                    **container,
                    "ModelDataUrl.$": "$.training.ModelArtifacts.S3ModelArtifacts",
                },
                "Tags": tags,
            },
            "NameIt",
            ResultPath=None,
        ),
        "NameIt": {"Type": "Pass", "Parameters": {"name.$": name}, "ResultPath": "$.made", "Next": "MakeTheConfig"},
        "MakeTheConfig": _task(
            context,
            "createEndpointConfig",
            {
                "EndpointConfigName.$": name,
                "ProductionVariants": [{**variant, "ModelName.$": name}],
                "Tags": tags,
            },
            "Serve",
            ResultPath=None,
        ),
        "Serve": _task(
            context,
            "updateEndpoint",
            {
                "EndpointName": endpoint,
                "EndpointConfigName.$": name,
                **({"RetainAllVariantProperties": True} if context.settings.deploy.scales else {}),
                **({"DeploymentConfig": rollout} if rollout else {}),
            },
            "WaitForTheEndpoint",
            ResultPath=None,
            Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "RemoveTheConfig"}],
        ),
        "WaitForTheEndpoint": {"Type": "Wait", "Seconds": SHORTEST_WAIT, "Next": "LookWhatIsServed"},
        "LookWhatIsServed": _look_at_endpoint(context, "$.now", "IsItServed"),
        "IsItServed": _choice(
            (served, "RemoveTheOldConfig"), (changing, "WaitForTheEndpoint"), otherwise="SayItIsNotServed"
        ),
        "SayItIsNotServed": {
            "Type": "Pass",
            "Parameters": {
                "Error": "NotServed",
                "Cause.$": "States.Format('The endpoint is {} and serves {}.', $.now.status, $.now.config)",
            },
            "ResultPath": "$.error",
            "Next": "RemoveTheConfig",
        },
        "RemoveTheConfig": _removal(context, "deleteEndpointConfig", "EndpointConfigName", name, "RemoveTheModel"),
        "RemoveTheModel": _removal(context, "deleteModel", "ModelName", name, "WhyIsItNotServed"),
        "WhyIsItNotServed": _choice(
            ({"Variable": "$.error.Cause", "StringMatches": CHANGING}, "EndpointBusy"),
            ({"Variable": "$.error.Cause", "StringMatches": GONE}, "NoEndpoint"),
            otherwise="Failed",
        ),
        "RemoveTheOldConfig": _removal(
            context, "deleteEndpointConfig", "EndpointConfigName", "$.endpoint.config", "RemoveTheOldModel"
        ),
        "RemoveTheOldModel": _removal(context, "deleteModel", "ModelName", "$.served.model", "Served"),
    }


def _outcomes() -> States:
    compared = {"run.$": "$.run", "new.$": "$.figures.new", "served.$": "$.figures.served"}
    return {
        "Served": _outcome(SERVES, **compared),
        "Worse": _outcome(WORSE, **compared),
        "EndpointChanged": _outcome(CHANGED, **compared),
        "NoEndpoint": _outcome(NO_ENDPOINT),
        "EndpointBusy": _outcome(BUSY),
        "IsTheEndpointGone": _choice(
            ({"Variable": "$.error.Cause", "StringMatches": GONE}, "NoEndpoint"), otherwise="Failed"
        ),
        "Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
    }


def _named(context: Context) -> str:
    """Return the expression for the name of all that a run makes."""
    return JOB.format(prefix=context.naming.name(OF_SCHEDULE))


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
    parameters = {key: value for key, value in asked.items() if key != named} | {f"{named}.$": _named(context)}
    there = [{"ErrorEquals": ["SageMaker.ResourceInUseException"], "ResultPath": None, "Next": following}]
    return _task(context, call, parameters, following, ResultPath=None, Catch=there)


def _waiting(context: Context, what: str, call: str, named: str, *, minutes: int, following: str) -> States:
    """Look at a job until it is over."""
    wait, look, over, path = f"WaitForThe{what}", f"LookAtThe{what}", f"IsThe{what}Over", f"$.{what.lower()}"
    status = f"{path}.{named.removesuffix('Name')}Status"
    running = {"Or": [_is(status, word) for word in ("InProgress", "Stopping")]}
    return {
        wait: {"Type": "Wait", "Seconds": max(SHORTEST_WAIT, -(-60 * minutes // MOST_LOOKS)), "Next": look},
        look: _task(context, call, {f"{named}.$": _named(context)}, over, ResultPath=path),
        over: _choice((_is(status, "Completed"), following), (running, wait), otherwise=f"{what}Failed"),
    }


def _look_at_endpoint(context: Context, path: str, following: str) -> State:
    return _task(
        context,
        "describeEndpoint",
        {"EndpointName": Endpoint(context).name},
        following,
        ResultSelector={"status.$": "$.EndpointStatus", "config.$": "$.EndpointConfigName"},
        ResultPath=path,
        Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "IsTheEndpointGone"}],
    )


def _removal(context: Context, call: str, named: str, name: str, following: str) -> State:
    """Delete what is not needed any more. What stays behind after all goes with `down`."""
    missing = [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": following}]
    return _task(context, call, {f"{named}.$": name}, following, ResultPath=None, Catch=missing)


def _channel(name: str, uri: str) -> State:
    source = {"S3DataType": "S3Prefix", "S3Uri.$": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _is(path: str, text: str) -> State:
    return {"Variable": path, "StringEquals": text}


def _choice(*rules: tuple[State, str], otherwise: str) -> State:
    return {"Type": "Choice", "Choices": [{**rule, "Next": name} for rule, name in rules], "Default": otherwise}


def _failure(error: str, cause: str, name: str) -> State:
    return {"Type": "Fail", "Error": error, "CausePath": f"States.Format('{cause}', {name})"}


def _outcome(word: str, **figures: str) -> State:
    return {"Type": "Pass", "Parameters": {"outcome": word, **figures}, "End": True}
