"""Logs read, followed and searched, in moto."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from sentictl.config.state import Record
from sentictl.errors import MissingStepError, UsageError
from sentictl.lifecycle.resource import Context
from sentictl.services.operations.logs import follow_logs, parts_of_chain, read_logs, way_of
from tests.services.conftest import ContextOf

FILMS = '[project]\nname = "films"\nid = "0123456789ab"\n'
API, LAMBDA = "/aws/apigateway/films-local-api", "/aws/lambda/films-local-predict"
ENDPOINT = "/aws/sagemaker/Endpoints/films-local-endpoint"
TRAINING = "/aws/sagemaker/TrainingJobs"
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
REQUEST, INVOCATION = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
Write = Callable[..., None]


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    return moto_context_of(FILMS)


@pytest.fixture
def write(context: Context) -> Write:
    """Writes a line, so many seconds after noon."""
    client, groups = context.environment.client("logs"), set[str]()

    def put(group: str, seconds: float, message: str, stream: str = "one") -> None:
        if group not in groups:
            client.create_log_group(logGroupName=group)
            groups.add(group)
        if (group + stream) not in groups:
            client.create_log_stream(logGroupName=group, logStreamName=stream)
            groups.add(group + stream)
        event = {"timestamp": int((NOON.timestamp() + seconds) * 1000), "message": message}
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    return put


@pytest.fixture(autouse=True)
def sorted_as_on_aws(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """moto tells one stream after the other, unless it is asked for what AWS always does."""
    client = context.environment.client("logs")
    filter_log_events = client.filter_log_events
    monkeypatch.setattr(client, "filter_log_events", lambda **asked: filter_log_events(**asked, interleaved=True))


def told(events: Any) -> list[str]:
    return [f"{event.part} {event.message}" for event in events]


def test_the_parts_come_by_time(context: Context, write: Write) -> None:
    write(LAMBDA, 2, "second\n", "a")
    write(LAMBDA, 4, "fourth", "b")
    write(LAMBDA, 5, "fifth", "a")
    write(API, 3, "third")
    write(ENDPOINT, 1, "first")
    parts = parts_of_chain(context)
    assert parts == ["api", "lambda", "endpoint"]
    every = list(read_logs(context, parts))
    assert told(every) == ["endpoint first", "lambda second", "api third", "lambda fourth", "lambda fifth"]
    assert every[0].time == NOON + timedelta(seconds=1)
    assert every[0].document() == {"part": "endpoint", "time": "2026-11-30T12:00:01.000+00:00", "message": "first"}
    assert told(read_logs(context, parts, since=NOON + timedelta(seconds=4))) == ["lambda fourth", "lambda fifth"]
    assert told(read_logs(context, ["api", "lambda"], text="th")) == ["api third", "lambda fourth", "lambda fifth"]


@pytest.mark.parametrize("text", ['a "quoted" {json}', "[ERROR", "?x -y", "ü", "%a%"])
def test_a_filter_is_plain_text_and_capitals_count(context: Context, write: Write, text: str) -> None:
    write(LAMBDA, 1, f"before {text} after")
    write(LAMBDA, 2, f"before {text.swapcase()} after" if text.swapcase() != text else "nothing")
    assert told(read_logs(context, ["lambda"], text=text)) == [f"lambda before {text} after"]


def test_a_log_of_many_pages_is_read_page_by_page(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def pages(**arguments: Any) -> dict[str, Any]:
        number = int(arguments.get("nextToken", 0))
        asked.append(number)
        event = {"timestamp": number, "message": f"{number}\n", "eventId": str(number)}
        return {"events": [event] if number % 2 else [], "nextToken": str(number + 1)}  # pages may be empty

    monkeypatch.setattr(context.environment.client("logs"), "filter_log_events", pages)
    assert told(islice(read_logs(context, ["lambda"]), 3)) == ["lambda 1", "lambda 3", "lambda 5"]
    assert asked == [0, 1, 2, 3, 4, 5]


def test_what_was_never_written_is_empty_and_what_there_is_not_is_told(
    context: Context, moto_context_of: ContextOf
) -> None:
    assert list(read_logs(context, ["api", "lambda", "endpoint"])) == []
    with pytest.raises(MissingStepError, match="training-job"):
        read_logs(context, ["train"])
    small = moto_context_of(f'{FILMS}[deploy]\nserving = "lambda"\n[api]\naccess_log = false\n')
    assert parts_of_chain(small) == ["lambda"]
    for part, why in (("endpoint", "no endpoint"), ("api", "access_log is false")):
        with pytest.raises(MissingStepError, match=why):
            read_logs(small, [part])
    small.state.keep(Record("api-log-group", API, "arn:kept"))
    assert parts_of_chain(small) == ["api", "lambda"]


def test_only_the_newest_training_job_is_read(context: Context) -> None:
    context.state.keep(Record("training-job", "films-local-2", "arn:2"))
    asked: dict[str, Any] = {}
    client = context.environment.client("logs")
    client.filter_log_events = lambda **arguments: asked.update(arguments) or {"events": []}
    assert list(read_logs(context, ["train"])) == []
    assert asked == {"logGroupName": TRAINING, "logStreamNamePrefix": "films-local-2/"}


class OverError(Exception):
    """What ends the following."""


def followed(context: Context, rounds: list[Callable[[], None]], **wanted: Any) -> list[str]:
    """What is told while these things happen, one after each look."""
    remaining = iter(rounds)

    def pause() -> None:
        happens = next(remaining, None)
        if happens is None:
            raise OverError
        happens()

    found: list[str] = []
    events = follow_logs(context, ["api", "lambda"], pause=pause, **wanted)
    try:
        for event in events:
            found.append(f"{event.part} {event.message}")  # noqa: PERF401  (it ends in an error)
    except OverError:
        return found
    raise AssertionError("it ended by itself")


def test_following_tells_each_event_once_also_one_that_comes_late(context: Context, write: Write) -> None:
    write(LAMBDA, 100, "old")
    rounds = [
        lambda: write(LAMBDA, 101, "same moment"),
        lambda: write(LAMBDA, 101, "same moment"),
        lambda: write(API, 70, "late"),
        lambda: write(LAMBDA, 60, "late, too"),
        lambda: None,
        lambda: write(LAMBDA, 500, "after a while"),
        lambda: write(API, 71, "its part was quiet"),
        lambda: None,
    ]
    assert followed(context, rounds) == [
        *("lambda old", "lambda same moment", "lambda same moment", "api late", "lambda late, too"),
        *("lambda after a while", "api its part was quiet"),
    ]


def test_following_keeps_to_since_and_the_filter(context: Context, write: Write) -> None:
    write(LAMBDA, 1, "too old, wanted")
    write(LAMBDA, 11, "wanted")
    rounds = [lambda: write(LAMBDA, 12, "other"), lambda: write(LAMBDA, 9, "old, wanted"), lambda: None]
    since = NOON + timedelta(seconds=10)
    assert followed(context, rounds, since=since, text="wanted") == ["lambda wanted"]


def line(**members: Any) -> str:
    return json.dumps(members)


def test_a_request_is_found_in_all_parts(context: Context, write: Write) -> None:
    write(API, 10, line(request_id=REQUEST, status="200", invocation=INVOCATION))
    write(API, 10, line(request_id=str(uuid.UUID(int=9))))
    write(LAMBDA, 8, f"START RequestId: {INVOCATION} Version: $LATEST")
    write(LAMBDA, 9, line(request_id=REQUEST, invocation=INVOCATION, status=200))
    write(LAMBDA, 9.5, f"REPORT RequestId: {INVOCATION}\tDuration: 100.00 ms")
    write(LAMBDA, 9, line(request_id=str(uuid.UUID(int=9))))
    write(ENDPOINT, 9, f"W-9000 MODEL_LOG - {line(request_id=REQUEST, reviews=1)}")
    write(ENDPOINT, 4000, f"another of that name, an hour later: {REQUEST}")
    way = way_of(context, REQUEST)
    assert [event.part for event in way] == ["api", "lambda", "lambda", "lambda", "endpoint"]
    assert [event.message.split()[0] for event in way[1:]] == ["START", '{"request_id":', "REPORT", "W-9000"]


def test_a_function_that_crashed_is_found_by_the_apis_line(context: Context, write: Write) -> None:
    write(API, 10, line(request_id=REQUEST, status="502", invocation=INVOCATION))
    write(LAMBDA, 10, f"2026-11-30T12:00:10Z {INVOCATION} Task timed out after 29.00 seconds")
    assert [event.part for event in way_of(context, REQUEST)] == ["api", "lambda"]


def test_without_an_access_log_the_function_and_the_endpoint_tell(moto_context_of: ContextOf, write: Write) -> None:
    context = moto_context_of(f"{FILMS}[api]\naccess_log = false\n")
    write(LAMBDA, 9, line(request_id=REQUEST, invocation=INVOCATION))
    write(ENDPOINT, 9, line(request_id=REQUEST))
    assert [event.part for event in way_of(context, REQUEST)] == ["lambda", "endpoint"]


def test_a_request_that_no_log_has_says_where_it_was_looked_for(context: Context) -> None:
    with pytest.raises(MissingStepError) as caught:
        way_of(context, REQUEST)
    for words in (API, LAMBDA, ENDPOINT, "14 days"):
        assert words in caught.value.message
    for wrong in ("", "x", 'a" || "b" || "', "a" * 65, "%0a" * 4):
        with pytest.raises(UsageError, match="no id of a request"):
            way_of(context, wrong)
