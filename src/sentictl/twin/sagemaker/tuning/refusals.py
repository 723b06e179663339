"""What SageMaker refuses of a tuning job before it begins."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sentictl.twin.control_plane.quotas import beyond_quota
from sentictl.twin.core.messages import Response, json_rpc_error
from sentictl.twin.sagemaker.tuning.search import Parameter, parameters_of

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}")
MOST_STATIC = 100
MOST_CATEGORIES = 30
RANGES = ("CategoricalParameterRanges", "IntegerParameterRanges", "ContinuousParameterRanges")
# Parts of AWS's API that the twin does not have.
UNKNOWN = ("TrainingJobDefinitions", "WarmStartConfig", "Autotune")
EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")  # which Hyperband takes its most from


def refusal(request: Mapping[str, Any]) -> Response | None:
    """Return SageMaker's refusal of a request for a tuning job; None where it takes it."""
    problem = next(_problems(request), None)
    if problem:
        return json_rpc_error("ValidationException", problem)
    return _beyond_quota(request)


def _problems(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a request."""
    unknown = [name for name in UNKNOWN if request.get(name)]
    if unknown or not request.get("TrainingJobDefinition"):
        yield f"The local twin does not know {unknown[0] if unknown else 'a tuning job without TrainingJobDefinition'}."
        return
    if not NAME.fullmatch(request["HyperParameterTuningJobName"]):
        yield (
            f"1 validation error detected: Value '{request['HyperParameterTuningJobName']}' at "
            "'hyperParameterTuningJobName' failed to satisfy constraint: Member must have length less than or equal to "
            f"32 and satisfy regular expression pattern: {NAME.pattern}"
        )
    config, definition = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    yield from _of_ranges(config, definition)
    yield from _of_objective(config, definition)
    yield from _of_strategy(config, definition)
    limits = config["ResourceLimits"]
    if limits["MaxParallelTrainingJobs"] > limits.get("MaxNumberOfTrainingJobs", limits["MaxParallelTrainingJobs"]):
        yield "MaxParallelTrainingJobs must not be greater than MaxNumberOfTrainingJobs."


def _of_ranges(config: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[str]:
    ranges, static = config.get("ParameterRanges") or {}, definition.get("StaticHyperParameters") or {}
    every = [each for kind in RANGES for each in ranges.get(kind) or ()]
    if not every:
        yield "Provide at least one hyperparameter range to search."
    if len(static) > MOST_STATIC:
        yield f"1 validation error detected: staticHyperParameters has more than {MOST_STATIC} members."
    names = [*static, *(each["Name"] for each in every)]
    for name in sorted(name for name in set(names) if names.count(name) > 1):
        yield f"The hyperparameter {name} is given more than once, as a range or as a static hyperparameter."
    if any(each.get("ScalingType") == "ReverseLogarithmic" for each in every):
        yield "The local twin does not know the scaling type ReverseLogarithmic."
    try:
        parameters = parameters_of(ranges)
    except ValueError as problem:
        yield f"A bound of a hyperparameter range is no number: {problem}."
        return
    for parameter in parameters:
        yield from _of_parameter(parameter)


def _of_parameter(parameter: Parameter) -> Iterator[str]:
    if len(parameter.values) > MOST_CATEGORIES:
        yield f"The hyperparameter {parameter.name} has more than {MOST_CATEGORIES} values."
    if parameter.low > parameter.high:
        yield f"The range of the hyperparameter {parameter.name} has a MinValue greater than its MaxValue."
    if parameter.logarithmic and parameter.low <= 0:
        yield f"The range of the hyperparameter {parameter.name} must be above 0 for logarithmic scaling."


def _of_objective(config: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[str]:
    objective = config.get("HyperParameterTuningJobObjective") or {}
    metrics = definition["AlgorithmSpecification"].get("MetricDefinitions") or []
    if objective.get("MetricName") not in {metric["Name"] for metric in metrics}:
        yield (
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
            "definitions."
        )


def _of_strategy(config: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[str]:
    ranges, strategy = config.get("ParameterRanges") or {}, config["Strategy"]
    if strategy == "Grid" and any(ranges.get(kind) for kind in RANGES[1:]):
        yield "Grid search takes categorical hyperparameters only."
    if strategy != "Hyperband":
        return
    if config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        yield "TrainingJobEarlyStoppingType must be Off for the Hyperband strategy."
    if most_reports(config, definition) is None:
        yield "HyperbandStrategyConfig must have a MaxResource, as no static hyperparameter tells the epochs."


def least_reports(config: Mapping[str, Any]) -> int:
    """Return how often a trial may report in any case before Hyperband ends it."""
    return int(_hyperband(config).get("MinResource") or 1)


def most_reports(config: Mapping[str, Any], definition: Mapping[str, Any]) -> int | None:
    """Return how often a trial may report before Hyperband ends it; None where nothing tells."""
    static = definition.get("StaticHyperParameters") or {}
    told = [_hyperband(config).get("MaxResource"), *(static.get(name) for name in EPOCHS)]
    return next((int(each) for each in map(str, told) if each.isdecimal()), None)


def _hyperband(config: Mapping[str, Any]) -> Mapping[str, Any]:
    return (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {}


def _beyond_quota(request: Mapping[str, Any]) -> Response | None:
    definition = request["TrainingJobDefinition"]
    machines = definition.get("ResourceConfig") or {}
    at_a_time = request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxParallelTrainingJobs"]
    use = "spot training job usage" if definition.get("EnableManagedSpotTraining") else "training job usage"
    return beyond_quota(use, machines.get("InstanceType", ""), at_a_time * machines.get("InstanceCount", 1))
