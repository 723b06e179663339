"""A shadow compared with the model that is served, by captures as SageMaker writes them."""

import base64
import json
from typing import Any

import pytest

from sentictl.config.state import Record
from sentictl.errors import MissingStepError
from sentictl.lifecycle.resource import Context
from sentictl.services.evaluate.live_comparison import compare_live
from sentictl.services.resources.storage import create_bucket
from sentictl.services.serving.model import Model
from sentictl.services.serving.shadow import ShadowModel

LIVE, SHADOW = "AllTraffic", "Shadow"


@pytest.fixture
def context(shadowed: Context) -> Context:
    """The shadow stands, and so does the bucket."""
    shadowed.state.keep(Record("shadow-model", ShadowModel(shadowed).name, "arn"))
    create_bucket(shadowed, shadowed.naming.bucket)
    return shadowed


def capture(context: Context, variant: str, *records: tuple[str, Any], encoding: str = "JSON") -> None:
    """A file of captures: what was asked, and the document that was answered."""
    lines = [json.dumps(_record(asked, json.dumps(answer), encoding)) for asked, answer in records]
    folder = f"captures/{ShadowModel(context).name}/{Model(context).name}/films-local-endpoint/{variant}/2026/11/30/07"
    client, bucket = context.environment.client("s3"), context.naming.bucket
    taken = client.list_objects_v2(Bucket=bucket, Prefix=folder)["KeyCount"]
    client.put_object(Bucket=bucket, Key=f"{folder}/{taken:02}.jsonl", Body="\n".join(lines).encode())


def _record(asked: str, answered: str, encoding: str) -> dict[str, Any]:
    def side(mode: str, text: str) -> dict[str, str]:
        data = base64.b64encode(text.encode()).decode() if encoding == "BASE64" else text
        return {"observedContentType": "application/json", "mode": mode, "data": data, "encoding": encoding}

    data = {"endpointInput": side("INPUT", asked), "endpointOutput": side("OUTPUT", answered)}
    return {"captureData": data, "eventMetadata": {"eventId": "any"}, "eventVersion": "0"}


def positive(probability: float, *, undecided: bool = False) -> dict[str, Any]:
    return {
        "label": "positive" if probability >= 0.5 else "negative",
        "probability": probability,
        "undecided": undecided,
    }


def test_verdicts_and_probabilities_are_compared(context: Context) -> None:
    capture(context, LIVE, ("one", [positive(0.9)]), ("two", [positive(0.6), positive(0.2)]))
    capture(context, SHADOW, ("two", [positive(0.4), positive(0.1)]))
    capture(context, SHADOW, ("one", [positive(0.8)]))
    found = compare_live(context)
    assert (found.live, found.shadow) == ("films-local-b", "films-local-a")
    assert (found.requests, found.reviews, found.differing) == (2, 3, 1)
    assert found.share == pytest.approx(1 / 3)
    assert found.interval == pytest.approx((0.0615, 0.7923), abs=1e-4)
    assert found.mean_absolute_difference == pytest.approx(0.4 / 3)
    assert found.mean_difference == pytest.approx(-0.4 / 3)
    assert not found.enough


def test_undecided_is_a_verdict_of_its_own(context: Context) -> None:
    capture(context, LIVE, ("one", [positive(0.5)]))
    capture(context, SHADOW, ("one", [positive(0.5, undecided=True)]))
    assert compare_live(context).differing == 1


def test_what_only_one_answered_is_counted(context: Context) -> None:
    capture(context, LIVE, *[("same", [positive(0.9)])] * 3, ("alone", [positive(0.9)]))
    capture(context, SHADOW, *[("same", [positive(0.9)])] * 2, ("its own", [positive(0.9)]))
    found = compare_live(context)
    assert (found.requests, found.only_live, found.only_shadow) == (2, 2, 1)


def test_questions_that_the_model_refuses_are_no_answers(context: Context) -> None:
    refusal = {"error": {"code": "empty", "message": "The review is empty."}}
    capture(context, LIVE, ("", refusal))
    capture(context, SHADOW, ("", refusal))
    found = compare_live(context)
    assert (found.requests, found.share, found.interval, found.mean_difference) == (0, None, None, None)


def test_captures_in_base64_are_read_as_well_and_many_are_enough(context: Context) -> None:
    answers = [(f"review {number}", [positive(0.9)]) for number in range(30)]
    capture(context, LIVE, *answers)
    capture(context, SHADOW, *answers, encoding="BASE64")
    found = compare_live(context)
    assert (found.reviews, found.differing, found.enough) == (30, 0, True)


def test_without_a_shadow_there_is_nothing_to_compare(context: Context) -> None:
    context.config.change({"deploy.shadow": ""})
    with pytest.raises(MissingStepError, match="There is no shadow") as caught:
        compare_live(context)
    assert "sentictl deploy --shadow VERSION" in caught.value.hint
