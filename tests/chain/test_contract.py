"""The API against its own OpenAPI document: requests that it allows, and some that it does not, made by schemathesis.

The same requests each time, and few, so that it stays in the suite.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.chain.shell import Shell

EXAMPLES = 5  # one that is not allowed takes a quarter of a second to make up
bounded = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def schema(live: Shell) -> Any:
    """The document of a standing API, whose server that is."""
    live.run("config", "set", "api.throttle_rate", "10000")  # the requests come quickly
    live.run("config", "set", "api.throttle_burst", "5000")
    url = str(live.json("up")["api_url"])
    loaded = schemathesis.openapi.from_dict(live.json("export", "--openapi")["document"])
    loaded.config.update(base_url=url.rstrip("/"))
    rejection = loaded.config.checks.negative_data_rejection
    rejection.expected_statuses = [*rejection.expected_statuses, "413"]  # more reviews than the document allows
    return loaded


@pytest.mark.parametrize(
    ("verb", "mode"),
    [
        ("POST", GenerationMode.POSITIVE),
        ("POST", GenerationMode.NEGATIVE),  # the others have nothing that could be wrong
        ("GET", GenerationMode.POSITIVE),
        ("OPTIONS", GenerationMode.POSITIVE),
    ],
)
def test_every_answer_is_one_that_the_document_tells(schema: Any, verb: str, mode: GenerationMode) -> None:
    operation = schema["/"][verb]

    @bounded
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        data.draw(operation.as_strategy(generation_mode=mode)).call_and_validate()

    ask()
