"""What AWS's serving toolkit hands to a model's own functions: each row of the docs' table, and what follows it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.conftest import Submitted
from tests.conformance.server import JSON, Server, require_the_toolkit, serving

PAGE = (Path(__file__).parents[2] / "docs" / "model.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \| `(\w+)` \|", PAGE.partition("## Containers")[2], re.MULTILINE)
BODIES = {
    "application/x-www-form-urlencoded": b"review=good",
    "multipart/form-data; boundary=x": b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\ngood\r\n--x--\r\n',
}
# A model that tells what it was handed.
SCRIPT = """\
import json

def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    if body and b"fail" in bytes(body if isinstance(body, (bytes, bytearray)) else body.encode()):
        raise RuntimeError("this cannot be answered")
    return {"type": type(body).__name__, "content_type": content_type}

def predict_fn(data, model):
    return data

def output_fn(prediction, accept):
    return json.dumps(prediction | {"accept": accept}), "application/json"
"""
ASKED_SECONDS = 7


@pytest.fixture(scope="module")
def server(submitted: Submitted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    require_the_toolkit()
    folder = tmp_path_factory.mktemp("handed")
    variables = {"SAGEMAKER_MODEL_SERVER_TIMEOUT": str(ASKED_SECONDS)}
    with serving(submitted, folder, workers=1, script=SCRIPT, variables=variables) as server:
        server.wait_until_healthy()
        yield server


@pytest.mark.parametrize(("content_type", "handed"), ROWS)
def test_a_body_is_handed_over_as_the_table_says(server: Server, content_type: str, handed: str) -> None:
    sent = None if content_type == "none" else content_type
    answer = server.ask(BODIES.get(content_type, b"{}"), sent)
    assert answer.status == 200
    assert answer.json["type"] == handed


def test_the_table_has_every_kind() -> None:
    assert {handed for _, handed in ROWS} == {"str", "bytearray", "NoneType"}
    assert {kind for kind, _ in ROWS} >= {"text/plain", JSON, *BODIES, "none"}


@pytest.mark.parametrize("accept", ["*/*", None])
def test_who_takes_anything_is_answered_in_json(server: Server, accept: str | None) -> None:
    assert server.ask(b"{}", JSON, accept).json["accept"] == JSON


def test_an_accept_of_the_clients_own_is_handed_on_as_it_is(server: Server) -> None:
    assert server.ask(b"{}", JSON, "text/html, */*;q=0.1").json["accept"] == "text/html, */*;q=0.1"


def test_an_exception_is_a_500_with_the_message_in_the_open(server: Server) -> None:
    answer = server.ask(b"fail", "text/plain")
    assert answer.status == 500
    assert "this cannot be answered" in answer.reason
    assert b"Traceback" in answer.body


def test_the_time_that_an_answer_may_take_is_torchserves_own_whatever_is_asked_for(server: Server) -> None:
    assert server.describe()["responseTimeout"] == 120 != ASKED_SECONDS
