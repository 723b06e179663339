"""Calls that cross the bridge: who answers, what the other one is asked, and how their answers are compared."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.emulators.__main__ import table
from tests.emulators.bridge import Bridge, open_bridge
from tests.emulators.emulator import Emulator
from tests.listener import Listener, listening

REGION = "eu-west-1"


@contextmanager
def sides(
    ours: Any, theirs: Any, *services: str, status: int = 200
) -> Iterator[tuple[Emulator, Bridge, list[Listener]]]:
    """The bridge as one emulator, and the servers on its sides: ours, theirs."""
    with ExitStack() as running:
        servers = [
            running.enter_context(listening(code, json.dumps(answer).encode(), content_type="application/json"))
            for answer, code in ((ours, 200), (theirs, status))
        ]
        bridge = Bridge(Emulator(servers[0].url, "ours"), Emulator(servers[1].url, "theirs"), services)
        yield Emulator(running.enter_context(open_bridge(bridge))), bridge, servers


@pytest.mark.parametrize(("services", "answer"), [((), "a1"), (("apigateway",), "b2")])
def test_one_answers_and_both_are_asked(services: tuple[str, ...], answer: str) -> None:
    with sides({"id": "a1", "name": "films"}, {"id": "b2", "name": "films"}, *services) as (front, bridge, servers):
        made = front.client("apigateway", REGION).create_rest_api(name="films")["id"]
        front.client("apigateway", REGION).get_rest_api(restApiId=made)
    assert made == answer
    assert [server.asked for server in servers] == [
        ["POST /restapis", "GET /restapis/a1"],
        ["POST /restapis", "GET /restapis/b2"],
    ]
    assert "Credential=ours/" in servers[0].received[0]
    assert "Credential=theirs/" in servers[1].received[0]
    assert [each.differences() for each in bridge.exchanges] == [[], []]  # ids are made up by each


def test_what_differs_is_told_field_by_field() -> None:
    ours = {"id": "a1", "name": "films", "tags": {"x": "1"}, "binaryMediaTypes": ["a/b"]}
    theirs = {"id": "b2", "name": "film", "binaryMediaTypes": ["a/b", "c/d"], "version": "1"}
    with sides(ours, theirs) as (front, bridge, _):
        front.client("apigateway", REGION).create_rest_api(name="films")
    assert bridge.exchanges[0].differences() == [
        "binaryMediaTypes: 1 / 2",
        "name: 'films' / 'film'",
        "tags: only ours",
        "version: only theirs",
    ]


@pytest.mark.parametrize(
    ("status", "answer", "row"),
    [
        (200, {"id": "b2"}, "| apigateway | CreateRestApi | takes |  |"),
        (501, {}, "| apigateway | CreateRestApi | lacks |  |"),
        (
            400,
            {"__type": "BadRequestException", "message": "no"},
            "| apigateway | CreateRestApi | refuses 400 BadRequestException |  |",
        ),
    ],
)
def test_the_table_says_what_an_emulator_has(status: int, answer: dict[str, str], row: str) -> None:
    with sides({"id": "a1"}, answer, status=status) as (front, bridge, _):
        front.client("apigateway", REGION).create_rest_api(name="films")
    assert next(table(bridge.exchanges)) == row


@pytest.mark.parametrize(
    ("group", "side"), [("/aws/sagemaker/Endpoints/films", "ours"), ("/aws/lambda/films", "theirs")]
)
def test_the_logs_of_sagemaker_are_where_sagemaker_is(group: str, side: str) -> None:
    ours, theirs = ({"logGroups": [{"logGroupName": name}]} for name in ("ours", "theirs"))
    with sides(ours, theirs, "logs") as (front, bridge, _):
        found = front.client("logs", REGION).describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert [each["logGroupName"] for each in found] == [side]
    assert len(bridge.exchanges) == (side == "theirs")
