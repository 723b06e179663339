"""Versions of the model: what each training made, which one is served, and whether another may take its place."""

import difflib
from dataclasses import asdict, dataclass
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.errors import ModelError, WorseModelError
from sentictl.lifecycle.resource import Context
from sentictl.services.evaluate.comparison import SIGNIFICANCE, Comparison, compare
from sentictl.services.evaluate.evaluation import ask
from sentictl.services.evaluate.local_models import load_model
from sentictl.services.evaluate.run import kept_figures
from sentictl.services.evaluate.samples import open_validation_split
from sentictl.services.resources.artifacts import check_artifact, fetch_artifact, make_current
from sentictl.services.resources.endpoint import Endpoint, trained
from sentictl.services.resources.training import ACCURACY, TrainingJob

SETTING = "deploy.model"
LATEST, PREVIOUS = "latest", "previous"
# How much lower a validation accuracy may be on other reviews: about the 95 % interval that 2,500 reviews leave.
MARGIN = 0.01
NOT_LIVE = {"Creating", "Deleting", "Failed"}


@dataclass(frozen=True)
class Version:
    """A model that a training job made.

    Attributes:
        number: its place in the order in which the environment's models were trained, from 1.
        name: the training job's name, which is the model's.
        architecture: what it is made of.
        dataset: the digest of the dataset.
        validation_accuracy: what training measured last; None where it was not recorded.
        trained: when the training job was created, in ISO 8601, UTC.
        artifact: its S3 URI.
        live: whether the endpoint serves it.
        current: whether `predict` on this machine asks it.
        test: its accuracy on the test split, the interval and the number of reviews; None where it was not measured
            on this machine.
    """

    number: int
    name: str
    architecture: str
    dataset: str
    validation_accuracy: float | None
    trained: str
    artifact: str
    live: bool
    current: bool
    test: dict[str, Any] | None

    def __str__(self) -> str:
        return f"{self.name} (version {self.number})"

    def document(self) -> dict[str, Any]:
        return asdict(self)


def versions(context: Context) -> list[Version]:
    """All versions of the model in the environment, oldest first."""
    finished = [record for record in context.state.of_kind(TrainingJob.kind) if "artifact" in record.attributes]
    finished.sort(key=lambda record: (record.attributes.get("trained", ""), record.name))
    live = _live_artifact(context) if finished else ""
    return [_version(context, number, record, live) for number, record in enumerate(finished, start=1)]


def choose(context: Context, given: str) -> str:
    """Return what the setting `deploy.model` becomes where a person asks for a version.

    Args:
        context: the environment whose versions there are.
        given: a version's number or name, `previous` for the one before the live one, or `latest` for whatever the
            other settings make.

    Returns:
        The version's name, or "" for the latest.

    Raises:
        ModelError: there is no such version, or its artifact is gone.
    """
    if given == LATEST:
        return ""
    known = versions(context)
    chosen = _previous(known) if given == PREVIOUS else _named(known, given)
    check_artifact(context, chosen.name, chosen.artifact)
    return chosen.name


def check_not_worse(context: Context) -> None:
    """Refuse a version that is worse than the live one, before it takes its place. Where nothing is live, all may.

    On the validation reviews, where both learned from the same dataset; else by the accuracies that training recorded.

    Raises:
        MissingStepError: nothing was trained yet, or the settings choose a version that there is not.
        WorseModelError: it is worse, or the two cannot be compared.
    """
    name, known = trained(context).name, versions(context)
    candidate = next(version for version in known if version.name == name)
    live = next((version for version in known if version.live), None)
    if live is None or live is candidate:
        return
    if candidate.dataset and candidate.dataset == live.dataset:
        reason = _worse_on_the_same_reviews(context, candidate, live)
    else:
        reason = _worse_as_recorded(candidate, live)
    if reason:
        chosen = candidate.number if context.settings.deploy.model else LATEST
        raise WorseModelError(
            reason,
            f"Serve it all the same: sentictl deploy --model {chosen} --force, "
            f"or keep the live one: sentictl deploy --model {live.number}",
        )


def follow_served(context: Context) -> None:
    """Make the version that the settings choose the one that `predict` asks here, and say where it is pinned.

    Raises:
        ModelError: its artifact is neither here nor in the bucket.
    """
    record = trained(context)
    make_current(context, fetch_artifact(context, record.name, record.attributes["artifact"]))
    if context.settings.deploy.model:
        where = env_option(context.environment.name, default=LOCAL)
        context.report(f"pinned to {record.name}; sentictl deploy --model {LATEST}{where} serves the newest again")


def _version(context: Context, number: int, record: Record, live: str) -> Version:
    attributes, folder = record.attributes, context.config.folder
    return Version(
        number=number,
        name=record.name,
        architecture=attributes.get("architecture", ""),
        dataset=attributes.get("dataset", ""),
        validation_accuracy=float(attributes[ACCURACY]) if ACCURACY in attributes else None,
        trained=attributes.get("trained", ""),
        artifact=attributes["artifact"],
        live=attributes["artifact"] == live,
        current=record.name == folder.current_model.resolve().name,
        test=kept_figures(folder.models / record.name),
    )


def _live_artifact(context: Context) -> str:
    """The S3 URI of what the endpoint answers with, as AWS tells it; "" where nothing is live."""
    client = context.environment.client("sagemaker")
    endpoint = if_there(client.describe_endpoint, EndpointName=Endpoint(context).name)
    if endpoint is None or endpoint["EndpointStatus"] in NOT_LIVE:
        return ""
    config = if_there(client.describe_endpoint_config, EndpointConfigName=endpoint["EndpointConfigName"])
    served = config["ProductionVariants"][0]["ModelName"] if config else ""
    model = if_there(client.describe_model, ModelName=served) if served else None
    return str(model["PrimaryContainer"]["ModelDataUrl"]) if model else ""


def _previous(known: list[Version]) -> Version:
    live = next((version for version in known if version.live), None)
    if live is None:
        raise ModelError(
            "None of the versions is live, so there is none before it.",
            "Name one: sentictl deploy --model NUMBER (see: sentictl models)",
        )
    if live.number == 1:
        raise ModelError(f"There is none before {live}, which is live.", _list(known))
    return known[live.number - 2]


def _named(known: list[Version], given: str) -> Version:
    by_name = {version.name: version for version in known} | {str(version.number): version for version in known}
    if given in by_name:
        return by_name[given]
    close = difflib.get_close_matches(given, [version.name for version in known], n=1)
    raise ModelError(f"There is no version {given}.", f"Did you mean {close[0]}?" if close else _list(known))


def _list(known: list[Version]) -> str:
    listed = ", ".join(f"{version.number} ({version.name})" for version in known)
    return f"Versions: {listed}." if listed else "Train the first one: sentictl train"


def _worse_on_the_same_reviews(context: Context, candidate: Version, live: Version) -> str:
    """Why the candidate may not take the live one's place: McNemar's test, one-sided, on the validation reviews.

    The test split is left out of it: what chooses a model cannot measure it any more.
    """
    try:
        result = _compare(context, candidate, live)
    except ModelError as problem:
        return f"{candidate} cannot be compared with {live}, which is live: {problem.message}"
    chance = result.p_value / 2
    if result.difference >= 0 or chance >= SIGNIFICANCE:
        return ""
    return (
        f"{candidate} is worse than {live}, which is live: {_percent(result.accuracy)} against "
        f"{_percent(result.against_accuracy)} of the {result.reviews:,} validation reviews are right, "
        f"{result.only_model_right:,} by it alone and {result.only_against_right:,} by the live one alone "
        f"(one-sided McNemar test, {'p < 0.001' if chance < 0.001 else f'p = {chance:.3f}'})."
    )


def _compare(context: Context, candidate: Version, live: Version) -> Comparison:
    context.report("comparing it with the live model")
    sample = open_validation_split(context.config, candidate.dataset, lambda: context)
    folders = [fetch_artifact(context, version.name, version.artifact) for version in (candidate, live)]
    answers, others = (ask(load_model(folder), sample) for folder in folders)
    return compare(answers, others, sample.labels)


def _worse_as_recorded(candidate: Version, live: Version) -> str:
    """The same of models without reviews in common: by the validation accuracies that training recorded."""
    pair = f"{candidate} and {live}, which is live, have no dataset in common"
    new, old = candidate.validation_accuracy, live.validation_accuracy
    if new is None or old is None:
        return f"{pair}, and a validation accuracy is not recorded of both."
    if round(old - new, 6) <= MARGIN:
        return ""
    return (
        f"{pair}, and the validation accuracy of the first is more than {100 * MARGIN:.0f} point lower: "
        f"{_percent(new)} against {_percent(old)}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
