"""More clients than the function has places: some wait, some are refused for the moment, none meets an error."""

import pytest

from tests.chain.shell import Shell
from tests.load.clients import REFUSALS, load


@pytest.fixture(scope="module")
def url(shell: Shell) -> str:
    """The API of a project that is not throttled, so that the function is what there is too little of."""
    shell.run("config", "set", "api.throttle_rate", "10000")
    shell.run("config", "set", "api.throttle_burst", "5000")
    return str(shell.json("up")["api_url"])


@pytest.mark.parametrize("clients", [1, 16, 64, 160])
def test_every_client_is_answered_or_told_when_to_ask_again(url: str, clients: int) -> None:
    done = load(url, clients, each=2)
    assert set(done.statuses) <= {200, *REFUSALS}
    assert done.statuses[200] >= min(2 * clients, 64)
    for each in done.asked:
        assert each.answer is not None
        assert each.answer.headers["Access-Control-Allow-Origin"] == "*"
        if each.status in REFUSALS:
            assert int(each.answer.headers["Retry-After"]) > 0
            assert each.answer.json["error"].keys() == {"code", "message"}
