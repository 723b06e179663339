"""The REST API as it is asked for."""

import re

import pytest

from sentictl.lifecycle.reconcile import Action, Step
from sentictl.services.web.rest_api import RestApi, who_is_shut_out
from tests.services.conftest import ContextOf


@pytest.mark.parametrize(
    ("told", "answered"),
    [
        (200, "200"),
        (206, "200"),
        (301, "502"),  # the bucket is in another region
        (307, "502"),
        (400, "502"),
        (403, "404"),
        (404, "404"),
        (405, "502"),
        (429, "502"),
        (500, "502"),
        (503, "502"),
    ],
)
def test_what_s3_says_of_the_page_is_not_taken_for_the_page(context_of: ContextOf, told: int, answered: str) -> None:
    method = RestApi(context_of("")).desired()["methods"]["GET"]
    responses = method["integration_responses"]
    chosen = [s for s, r in responses.items() if re.fullmatch(r.get("selectionPattern", "-"), str(told))]
    # API Gateway takes the one without a pattern where none fits; of several that fit it might take any.
    assert len(chosen) <= 1
    assert (chosen or [s for s, r in responses.items() if "selectionPattern" not in r]) == [answered]
    assert responses.keys() == method["method_responses"].keys()


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ({"authorizationType": "NONE", "apiKeyRequired": False}, "whoever signs as IAM allows it may ask"),
        ({"authorizationType": "AWS_IAM", "apiKeyRequired": False}, ""),
        (None, ""),  # killed before the POST was there, or it was deleted by hand
    ],
)
def test_who_is_shut_out_is_told_only_of_an_api_that_let_somebody_in(
    context_of: ContextOf, before: dict[str, object] | None, told: str
) -> None:
    context = context_of('[api]\nauth = "iam"\n')
    after = RestApi(context).desired()["methods"]
    found = {"POST": after["POST"] | {"authorization": before}} if before else {}
    said = who_is_shut_out(context, [Step(Action.UPDATE, RestApi.kind, "name", {"methods": (found, after)})])
    assert told in said
    assert bool(said) == bool(told)
