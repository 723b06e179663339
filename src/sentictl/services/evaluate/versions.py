"""Versions of the model: what each training made, which one is served, and whether another may take its place."""

import difflib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.config.tables.deploy import OFF
from sentictl.errors import ModelError, WorseModelError
from sentictl.lifecycle.resource import Context
from sentictl.services.evaluate.comparison import SIGNIFICANCE, Comparison, compare
from sentictl.services.evaluate.evaluation import ask
from sentictl.services.evaluate.local_models import load_model
from sentictl.services.evaluate.run import kept_figures
from sentictl.services.evaluate.samples import open_validation_split
from sentictl.services.resources.artifacts import check_artifact, fetch_artifact, make_current
from sentictl.services.resources.training import ACCURACY, PRUNED, TrainingJob, versions_of
from sentictl.services.serving.endpoint import EndpointConfig
from sentictl.services.serving.model import Model, trained
from sentictl.services.serving.shadow import standing_shadow
from sentictl.services.web.function_archive import FunctionArchive
from sentictl.services.web.live import live_artifact

SETTING = "deploy.model"
LATEST, PREVIOUS = "latest", "previous"


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
        live: whether it is what answers.
        shadow: whether it gets a copy of the requests, and answers nobody.
        current: whether `predict` on this machine asks it.
        test: its accuracy on the test split, the interval and the number of reviews; None where it was not measured
            on this machine.
        pruned: when its artifact was deleted by `prune`, an ISO date; "" where it was not.
    """

    number: int
    name: str
    architecture: str
    dataset: str
    validation_accuracy: float | None
    trained: str
    artifact: str
    live: bool
    shadow: bool
    current: bool
    test: dict[str, Any] | None
    pruned: str

    def __str__(self) -> str:
        return f"{self.name} (version {self.number})"

    def document(self) -> dict[str, Any]:
        return asdict(self)


def versions(context: Context) -> list[Version]:
    """All versions of the model in the environment, oldest first."""
    finished = versions_of(context.state)
    live = live_artifact(context) if finished else ""
    shadow = standing_shadow(context)
    return [_version(context, number, record, live, shadow) for number, record in enumerate(finished, start=1)]


def choose(context: Context, given: str) -> str:
    """Return what the setting `deploy.model` becomes where a person asks for a version.

    Args:
        context: the environment whose versions there are.
        given: a version's number or name, `previous` for the one before the live one, or `latest` for whatever the
            other settings make. Where going back was interrupted after the version before had become the live one,
            `previous` is that one still: the same command, run again, finishes it and goes back no further.

    Returns:
        The version's name, or "" for the latest.

    Raises:
        ModelError: there is no such version, or its artifact is gone.
    """
    if given == LATEST:
        return ""
    known = versions(context)
    chosen = (_interrupted(context, known) or _previous(known)) if given == PREVIOUS else _named(known, given)
    if chosen.pruned:
        raise ModelError(f"{chosen} was deleted by sentictl prune on {chosen.pruned}.", _list(known))
    check_artifact(context, chosen.name, chosen.artifact)
    return chosen.name


def choose_shadow(context: Context, given: str) -> str:
    """Return what the setting `deploy.shadow` becomes where a person asks for a version.

    Args:
        context: the environment whose versions there are.
        given: a version's number or name, `previous`, `latest`, or `off` for no shadow.

    Returns:
        The version's name, or "" for no shadow.

    Raises:
        ModelError: there is no such version, or its artifact is gone.
    """
    return "" if given == OFF else choose(context, named(lambda: context, given))


def named(connect: Callable[[], Context], given: str) -> str:
    """Return the name of the version that `previous` or `latest` means; anything else as it was given.

    `latest` is what the settings made last, as in `choose`.

    Args:
        connect: gives the environment whose versions there are; called only where it is one of the two.
        given: what a person calls a model.

    Raises:
        ModelError: there is no such version.
    """
    if given not in (LATEST, PREVIOUS):
        return given
    context = connect()
    known = versions(context)
    if not known:
        raise ModelError("No version is trained here yet.", "Train one: sentictl train")
    if given == PREVIOUS:
        return _previous(known).name
    names = {version.name for version in known}
    return [job.name for job in context.state.of_kind(TrainingJob.kind) if job.name in names][-1]


def check_not_worse(context: Context) -> str:
    """Refuse a version that is worse than the live one, before it takes its place. Where nothing is live, all may.

    They are compared on the validation reviews of the dataset that both learned from.

    Returns:
        A warning where they learned from different datasets, so that nothing can be said; else "".

    Raises:
        MissingStepError: nothing was trained yet, or the settings choose a version that there is not.
        WorseModelError: it is worse, or the artifact of one is gone.
    """
    name, known = trained(context).name, versions(context)
    candidate = next(version for version in known if version.name == name)
    live = next((version for version in known if version.live), None)
    if live is None or live is candidate:
        return ""
    if not candidate.dataset or candidate.dataset != live.dataset:
        return _of_different_datasets(context, candidate, live)
    reason = _worse_on_the_same_reviews(context, candidate, live)
    if reason:
        chosen = candidate.number if context.settings.deploy.model else LATEST
        raise WorseModelError(
            reason,
            f"Serve it all the same: sentictl deploy --model {chosen} --force, "
            f"or keep the live one: sentictl deploy --model {live.number}",
        )
    return ""


def unserved(context: Context) -> str:
    """Say that the version that was trained last is not the live one; "" where it is, or nothing is live."""
    known = versions(context)
    latest = context.state.of_kind(TrainingJob.kind)[-1].name
    newest = next((version for version in known if version.name == latest), None)
    live = next((version for version in known if version.live), None)
    if newest is None or live is None or newest is live:
        return ""
    pinned = ", to which deploy.model is set" if context.settings.deploy.model else ""
    which = f" --model {LATEST}" if pinned else ""
    where = env_option(context.environment.name, default=LOCAL)
    return (
        f"Version {newest.number} is trained, version {live.number} is live{pinned}. "
        f"Serve the newer: sentictl deploy{which}{where}"
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


def _version(context: Context, number: int, record: Record, live: str, shadow: str) -> Version:
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
        shadow=attributes["artifact"] == shadow,
        current=record.name == context.config.current_model.resolve().name,
        test=kept_figures(folder.models / record.name),
        pruned=attributes.get(PRUNED, ""),
    )


def _interrupted(context: Context, known: list[Version]) -> Version | None:
    """The chosen version, where it is live beside what it took the place of, which a change deletes last."""
    live = next((version for version in known if version.live), None)
    beside = any(
        len(context.state.of_kind(kind)) > 1 for kind in (Model.kind, EndpointConfig.kind, FunctionArchive.kind)
    )
    return live if live and beside and context.settings.deploy.model in (live.name, str(live.number)) else None


def _previous(known: list[Version]) -> Version:
    live = next((version for version in known if version.live), None)
    if live is None:
        raise ModelError(
            "None of the versions is live, so there is none before it.",
            "Name one by its number: sentictl models",
        )
    before = [version for version in known[: live.number - 1] if not version.pruned]
    if not before:
        raise ModelError(f"There is none before {live}, which is live.", _list(known))
    return before[-1]


def _named(known: list[Version], given: str) -> Version:
    for version in known:
        if given in (version.name, str(version.number)):
            return version
    close = difflib.get_close_matches(given, [version.name for version in known], n=1)
    raise ModelError(f"There is no version {given}.", f"Did you mean {close[0]}?" if close else _list(known))


def _list(known: list[Version]) -> str:
    listed = ", ".join(f"{version.number} ({version.name})" for version in known if not version.pruned)
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


def _of_different_datasets(context: Context, candidate: Version, live: Version) -> str:
    """Say that two models have no reviews in common on which they could be compared."""
    measured = [each.validation_accuracy for each in (candidate, live)]
    known = " and ".join("an unknown share" if share is None else _percent(share) for share in measured)
    return (
        f"{candidate} and {live}, which is live, learned from different datasets, so it cannot be told which is "
        f"better: they got {known} right, each of its own validation reviews. Compare them on reviews as text: "
        f"sentictl evaluate --data PATH --against {live.number}{env_option(context.environment.name, default=LOCAL)}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
