"""What a tuning job is to search: the ranges of `[train.tune]` as SageMaker takes them, checked against its limits."""

import json
from math import prod
from typing import Any

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.tables.train import Range, TrainSettings
from sentictl.errors import SettingsError
from sentictl.lifecycle.resource import Context

STRATEGIES = {"bayesian": "Bayesian", "random": "Random", "hyperband": "Hyperband", "grid": "Grid"}
SCALING = {"linear": "Linear", "log": "Logarithmic"}
# Validation accuracy where it tells how far a trial is: after each epoch of the LSTM, and of all of it at the end.
OBJECTIVE = "objective"
OBJECTIVE_REGEX = r"\bvalidation_accuracy=([0-9.]+)(?: seconds=[0-9.]+ stage=lstm|$)"
REPORTS_AT_THE_END = 1  # of the objective, after those of the epochs
LARGEST_SEED = 2**31  # a tuning job's is an integer of 32 bits
LONGEST_NAME = 32  # of a tuning job
DIGEST_LENGTH = 8  # hexadecimal digits of a tuning job's name
WITHOUT_LSTM = {"architecture", "ngrams"}  # the hyperparameters that mean something without one


def check_search(context: Context) -> None:
    """Refuse a search that SageMaker would refuse, or that would find nothing, before anything is asked of it.

    Raises:
        SettingsError: says what is wrong with `[train.tune]`, and what to set.
    """
    train, where = context.settings.train, env_option(context.environment.name, default=LOCAL)
    ranges, tune = train.tune.ranges, train.tune
    if not ranges:
        example = '\'{"min": 0.0005, "max": 0.005, "scale": "log"}\''
        raise SettingsError(
            "There is nothing to tune: [train.tune] has no range of a hyperparameter.",
            f"Give it one: sentictl config set train.tune.learning_rate {example}{where}",
        )
    _check_name(context)
    _check_architectures(train, where)
    between = [name for name, given in ranges.items() if isinstance(given, dict)]
    if tune.strategy == "grid" and between:
        raise SettingsError(
            f"The grid strategy tries all combinations of lists, and train.tune.{between[0]} has bounds instead.",
            f"Make a list of it, or search otherwise: sentictl config set train.tune.strategy bayesian{where}",
        )
    if tune.strategy == "grid" and combinations(train) > tune.max_trials:
        raise SettingsError(
            f"The lists of [train.tune] have {combinations(train)} combinations, and a grid tries all of them, but "
            f"train.tune.max_trials is {tune.max_trials}.",
            f"Shorten the lists, or allow it: sentictl config set train.tune.max_trials {combinations(train)}{where}",
        )
    if tune.strategy == "hyperband" and tune.early_stopping:
        raise SettingsError(
            "Hyperband ends weak trials by itself, so that SageMaker takes no early stopping with it.",
            f"Leave that out: sentictl config set train.tune.early_stopping false{where}",
        )
    if tune.strategy == "hyperband" and "epochs" in ranges:
        raise SettingsError(
            "Hyperband decides after how many epochs a trial ends, so that train.tune.epochs cannot be tuned with it.",
            f"Take that out; train.epochs is the most: sentictl config set train.tune.epochs '[]'{where}",
        )


def _check_name(context: Context) -> None:
    room = LONGEST_NAME - DIGEST_LENGTH - 1
    name = f"{context.naming.project}-{context.naming.environment}"
    if len(name) > room:
        raise SettingsError(
            f"A tuning job's name may have {LONGEST_NAME} characters, and with {name} in it there is no room for the "
            f"{DIGEST_LENGTH} that tell one from the other.",
            f"Tune in an environment of a shorter name, such that all of it has {room} characters or fewer: "
            "sentictl init --env t --region eu-west-1",
        )


def _check_architectures(train: TrainSettings, where: str) -> None:
    """Refuse to tune an LSTM where there may be none."""
    ranges = train.tune.ranges
    needing = sorted(ranges.keys() - WITHOUT_LSTM)
    if train.tune.strategy == "hyperband":
        needing.append("strategy")
    if needing and "ngram" in ranges.get("architecture", [train.architecture]):
        raise SettingsError(
            f"train.tune.{needing[0]} is about the LSTM, and the architecture ngram has none.",
            f"Tune models with one: sentictl config set train.architecture wide-lstm{where}, and leave ngram out of "
            "train.tune.architecture.",
        )


def combinations(train: TrainSettings) -> int:
    """Return how many combinations the lists have."""
    return prod(len(given) for given in train.tune.ranges.values() if isinstance(given, list))


def trials(train: TrainSettings) -> int:
    """Return how many trials there are at most: no more than combinations, where those are counted."""
    counted = all(isinstance(given, list) for given in train.tune.ranges.values())
    return min(train.tune.max_trials, combinations(train)) if counted else train.tune.max_trials


def tuning_config(train: TrainSettings) -> dict[str, Any]:
    """Return the `HyperParameterTuningJobConfig`."""
    tune = train.tune
    most = trials(train)
    config: dict[str, Any] = {
        "Strategy": STRATEGIES[tune.strategy],
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": OBJECTIVE},
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": most,
            "MaxParallelTrainingJobs": min(tune.parallel_trials, most),
        },
        "ParameterRanges": parameter_ranges(train),
        "TrainingJobEarlyStoppingType": "Auto" if tune.early_stopping else "Off",
        "RandomSeed": train.seed % LARGEST_SEED,
    }
    if tune.strategy == "hyperband":
        # A trial that reaches the most is ended, so that it has to be one more than a whole training reports.
        most_reports = train.epochs + REPORTS_AT_THE_END + 1
        config["StrategyConfig"] = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": most_reports}}
    return config


def parameter_ranges(train: TrainSettings) -> dict[str, list[dict[str, Any]]]:
    """Return the ranges as SageMaker has them: all bounds and values are strings.

    A value of a list is JSON, as the container's toolkit decodes it.
    """
    ranges: dict[str, list[dict[str, Any]]] = {
        "IntegerParameterRanges": [],
        "ContinuousParameterRanges": [],
        "CategoricalParameterRanges": [],
    }
    for name, given in train.tune.ranges.items():
        ranges[_kind(name, given)].append({"Name": name, **_range(given)})
    return ranges


def _kind(name: str, given: Range) -> str:
    if isinstance(given, list):
        return "CategoricalParameterRanges"
    whole = isinstance(TrainSettings.model_fields[name].default, int)
    return "IntegerParameterRanges" if whole else "ContinuousParameterRanges"


def _range(given: Range) -> dict[str, Any]:
    if isinstance(given, list):
        return {"Values": [json.dumps(value) for value in given]}
    scale = SCALING[given.get("scale", "linear")]
    return {"MinValue": json.dumps(given["min"]), "MaxValue": json.dumps(given["max"]), "ScalingType": scale}
