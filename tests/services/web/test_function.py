"""The Lambda function as the settings want it."""

import pytest

from sentictl.services.web.function import Function
from tests.services.conftest import ContextOf

CONNECT_SECONDS = 2  # the function's own time to reach the endpoint


@pytest.mark.parametrize("timeout", [8, 29])
def test_the_function_gives_the_endpoint_up_before_it_is_ended_itself(context_of: ContextOf, timeout: int) -> None:
    wanted = Function(context_of(f"[lambda]\ntimeout_seconds = {timeout}\n")).desired()
    seconds = int(wanted["Environment"]["Variables"]["ENDPOINT_SECONDS"])
    assert 0 < seconds < wanted["Timeout"] - CONNECT_SECONDS


def test_the_same_code_has_the_same_digest_and_settings_reach_the_function(context_of: ContextOf) -> None:
    first = Function(context_of("")).desired()
    second = Function(context_of("[api]\nmax_reviews = 7\n")).desired()
    assert first["CodeSha256"] == second["CodeSha256"]
    assert second["Environment"]["Variables"]["MAX_REVIEWS"] == "7"
