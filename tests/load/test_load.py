"""More clients than the function has places: some wait, some are refused for the moment, none meets an error."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.chain.requests import ask
from tests.chain.shell import Shell
from tests.load.clients import REFUSALS, load
from tests.twin.conftest import wait_for


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
            assert each.answer.json["error"].keys() == {"code", "message", "request_id"}


@pytest.mark.skipif(sys.platform != "linux", reason="a process is found by its folder in /proc")
def test_a_model_server_that_died_is_unavailable_for_a_moment(shell: Shell, url: str) -> None:
    os.kill(_model_server(shell.twin / "run" / "endpoints"), signal.SIGKILL)
    answers = []

    def answered() -> bool:
        answers.append(ask(url, body=b"a superb film"))
        return answers[-1].status == 200

    wait_for(answered)
    for refusal in answers[:-1]:
        assert (refusal.status, refusal.json["error"]["code"]) == (503, "endpoint_unavailable")
        assert int(refusal.headers["Retry-After"]) > 0


def _model_server(folder: Path) -> int:
    """The process that works in a folder below this one."""
    processes = (path for path in Path("/proc").iterdir() if path.name.isdecimal())
    for process in processes:
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                return int(process.name)
        except OSError:  # ended meanwhile, or somebody else's
            continue
    raise AssertionError(f"no process works in {folder}")
