"""How a shadow's answers differ from those of the model that is served, by what was captured of both."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.errors import MissingStepError
from sentictl.lifecycle.resource import Context
from sentictl.services.evaluate.metrics import Interval, wilson_interval
from sentictl.services.resources.sagemaker import endpoint_name
from sentictl.services.resources.storage import list_keys
from sentictl.services.serving.endpoint import VARIANT
from sentictl.services.serving.model import trained
from sentictl.services.serving.shadow import SHADOW_VARIANT, ShadowModel, captured

ENOUGH = 30  # reviews; of fewer, the interval of a share says next to nothing
Answers = list[Mapping[str, Any]]  # of one request, a prediction for each review


@dataclass(frozen=True)
class LiveComparison:
    """A shadow and the model that is served, on the same requests of visitors.

    Attributes:
        live: the version that answers.
        shadow: the version that answers nobody.
        requests: how many both answered.
        only_live: how many the shadow's answer is missing of: it failed, is yet to come, or the request was not copied.
        only_shadow: how many the other one's answer is missing of.
        reviews: how many there are in the requests that both answered.
        differing: how many of these have another verdict.
        share: of the reviews, those with another verdict; None where there are no reviews.
        interval: its 95 % confidence interval.
        mean_absolute_difference: of the two probabilities of positive.
        mean_difference: of them, the shadow's less the other's.
        enough: whether there are enough reviews to say anything.
    """

    live: str
    shadow: str
    requests: int
    only_live: int
    only_shadow: int
    reviews: int
    differing: int
    share: float | None
    interval: Interval | None
    mean_absolute_difference: float | None
    mean_difference: float | None
    enough: bool

    def document(self) -> dict[str, Any]:
        return asdict(self)


def compare_live(context: Context) -> LiveComparison:
    """Compare the shadow with the model that is served, by all that was captured since both stand.

    Requests are matched by what was asked. The ids that SageMaker gives are not: that a shadow's captures have those of
    the requests that they copy is nowhere documented.

    Raises:
        MissingStepError: there is no shadow.
    """
    shadow = ShadowModel(context)
    if not shadow.wanted or context.state.latest(ShadowModel.kind) is None:
        where = env_option(context.environment.name, default=LOCAL)
        raise MissingStepError(
            f"There is no shadow in the environment {context.environment.name}.",
            f"Give another version a copy of the requests: sentictl deploy --shadow VERSION{where}",
        )
    live, other = _captured(context, VARIANT), _captured(context, SHADOW_VARIANT)
    pairs = [pair for asked, answers in live.items() for pair in zip(answers, other.get(asked, ()), strict=False)]
    return _comparison((trained(context).name, shadow.version.name), pairs, _count(live), _count(other))


def _comparison(
    names: tuple[str, str], pairs: Sequence[tuple[Answers, Answers]], live: int, shadow: int
) -> LiveComparison:
    reviews = [both for one, other in pairs for both in zip(one, other, strict=True)]
    differing = sum(_verdict(one) != _verdict(other) for one, other in reviews)
    differences = [float(other["probability"]) - float(one["probability"]) for one, other in reviews]
    count = len(reviews)
    return LiveComparison(
        live=names[0],
        shadow=names[1],
        requests=len(pairs),
        only_live=live - len(pairs),
        only_shadow=shadow - len(pairs),
        reviews=count,
        differing=differing,
        share=differing / count if count else None,
        interval=wilson_interval(differing, count) if count else None,
        mean_absolute_difference=sum(map(abs, differences)) / count if count else None,
        mean_difference=sum(differences) / count if count else None,
        enough=count >= ENOUGH,
    )


def _verdict(prediction: Mapping[str, Any]) -> Any:
    return "undecided" if prediction.get("undecided") else prediction["label"]


def _count(captures: Mapping[str, Sequence[Answers]]) -> int:
    return sum(map(len, captures.values()))


def _captured(context: Context, variant: str) -> dict[str, list[Answers]]:
    """Return what a variant answered, in the order of the files, by what it was asked."""
    found: dict[str, list[Answers]] = {}
    for asked, answered in _records(context, variant):
        answers = json.loads(answered)
        if isinstance(answers, list):  # a question that the model refuses has another answer
            found.setdefault(asked, []).append(answers)
    return found


def _records(context: Context, variant: str) -> Iterator[tuple[str, str]]:
    """Yield the question and the answer of each record, as text."""
    client, bucket = context.environment.client("s3"), context.naming.bucket
    prefix = f"{captured(context)}{endpoint_name(context)}/{variant}/"
    for key in sorted(list_keys(context, bucket, prefix)):
        for line in client.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines():
            data = json.loads(line)["captureData"]
            yield _text(data["endpointInput"]), _text(data["endpointOutput"])


def _text(side: Mapping[str, str]) -> str:
    return base64.b64decode(side["data"]).decode() if side["encoding"] == "BASE64" else side["data"]
