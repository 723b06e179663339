"""A request followed by its id through the whole chain, and logs that stay when everything else goes.

The tests go on from one another.
"""

import json
import signal
import subprocess
import urllib.error
import urllib.request
from datetime import datetime
from typing import Any

import pytest

from tests.chain.shell import SENTICTL, Shell, environment
from tests.prepared import popen as prepared

GROUPS = [
    "/aws/apigateway/toy-local-api",
    "/aws/lambda/toy-local-predict",
    "/aws/sagemaker/Endpoints/toy-local-endpoint",
]
SECRET = "A superb but secret plot."


@pytest.fixture(scope="module")
def url(live: Shell) -> str:
    """The address of the API."""
    return str(live.json("status")["api_url"])


def ask(url: str, body: str) -> tuple[int, str, Any]:
    """The status, the id and the body of an answer."""
    request = urllib.request.Request(url, body.encode(), {"Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["x-amzn-requestid"], json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers["x-amzn-requestid"], json.loads(refusal.read())


def test_a_request_is_followed_by_its_id(live: Shell, url: str) -> None:
    ask(url, "another one")
    status, request, _ = ask(url, SECRET)
    assert status == 200
    way = live.json("logs", "--request", request)
    parts = [event["part"] for event in way]
    assert parts == ["api", *["lambda"] * 4, "endpoint"]
    api, start, function, end, report, endpoint = (event["message"] for event in way)
    assert (json.loads(api)["request_id"], json.loads(api)["status"]) == (request, "200")
    assert json.loads(api)["invocation"] == json.loads(function)["invocation"]
    assert [line.split()[0] for line in (start, end, report)] == ["START", "END", "REPORT"]
    assert json.loads(function)["request_id"] == request
    said = json.loads(endpoint)
    assert (said["request_id"], said["reviews"], said["characters"]) == (request, 1, len(SECRET))
    assert float(json.loads(api)["milliseconds"]) >= json.loads(function)["milliseconds"] >= said["milliseconds"]
    assert all(datetime.fromisoformat(event["time"]).tzinfo for event in way)
    assert "secret" not in json.dumps(way)
    told = live.run("logs", "--request", request).stdout.splitlines()
    assert [line.split()[2] for line in told] == parts  # after the date and the time
    assert "secret" not in "".join(event["message"] for event in live.json("logs"))


def test_an_error_says_its_id_and_is_found_by_it(live: Shell, url: str) -> None:
    status, request, body = ask(url, "   ")
    assert (status, body["error"]["request_id"]) == (400, request)
    api, *function = live.json("logs", "--request", request)
    assert json.loads(api["message"])["status"] == "400"
    assert any("empty_review" in event["message"] for event in function)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{url}nowhere", b"x"), timeout=60)
    error = json.loads(refused.value.read())["error"]
    assert error["request_id"] == refused.value.headers["x-amzn-requestid"]
    (line,) = live.json("logs", "--request", error["request_id"])
    assert json.loads(line["message"])["error"] == "MISSING_AUTHENTICATION_TOKEN"


def test_the_parts_are_told_by_time_and_can_be_chosen(live: Shell, url: str) -> None:
    events = live.json("logs")
    assert {event["part"] for event in events} == {"api", "lambda", "endpoint"}
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    chosen = live.json("logs", "endpoint", "api", "--filter", '"reviews": 1', "--since", "1h")
    assert {event["part"] for event in chosen} == {"endpoint"}
    (line, *_) = live.run("logs", "endpoint", "--filter", "request_id").stdout.splitlines()
    assert json.loads(line)["reviews"] == 1  # of one part alone, as it was written
    for wrong in (
        ["--since", "soon"],
        ["--since", "2100-01-01T00:00"],
        ["--request", "x"],
        ["--request", "12345678", "lambda"],
        ["--follow", "nobody"],
    ):
        live.run("logs", *wrong, expect=2)
    nothing = live.json("logs", "--request", "00000000-0000-0000-0000-000000000000", expect=1)["error"]
    assert all(group in nothing["message"] for group in GROUPS)
    assert "14 days" in nothing["message"]


def test_following_goes_on_until_it_is_interrupted(live: Shell, url: str) -> None:
    arguments = [SENTICTL, "logs", "--follow", "--since", "1s", "--filter", "request_id"]
    variables = environment() | {"PYTHONUNBUFFERED": "1"}
    with prepared.Popen(
        arguments, cwd=live.folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        _, request, _ = ask(url, SECRET)
        seen: set[str] = set()
        while seen < {"api", "lambda", "endpoint"}:
            line = process.stdout.readline()
            assert line, "it ended"
            if request in line:
                seen.add(line.split()[2])
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in rest + said
    closed = prepared.run(
        ["bash", "-c", f"{SENTICTL} logs | head -1"],
        cwd=live.folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert (closed.returncode, closed.stderr, len(closed.stdout.splitlines())) == (0, "", 1)


def test_down_keeps_the_logs_where_it_is_told_to(live: Shell, url: str) -> None:
    _, request, _ = ask(url, SECRET)
    before = live.json("logs", "--request", request)
    planned = {step["kind"] for step in live.json("down", "--keep-logs", "--dry-run")["steps"]}
    assert "api-log-access" in planned
    assert not {kind for kind in planned if kind.endswith("log-group")}
    gone = live.json("down", "--keep-logs", "--yes")
    assert gone["left"] == []
    assert not live.client("apigateway").get_account().get("cloudwatchRoleArn")
    assert live.client("iam").list_roles()["Roles"] == []
    kept = live.json("status")["resources"]
    assert sorted(entry["name"] for entry in kept) == GROUPS
    assert {entry["status"] for entry in kept} == {"Active"}
    assert live.run("status").stdout.count("its log is kept") == 3
    assert live.json("logs", "--request", request) == before
    steps = {step["kind"]: step["action"] for step in live.json("plan")["steps"]}
    assert {steps[entry["kind"]] for entry in kept} == {"keep"}  # so `up` takes them on
    deleted = live.json("down", "--yes")
    assert sorted(entry["name"] for entry in deleted["deleted"]) == GROUPS
    assert deleted["left"] == []
    assert not (live.folder / ".sentictl").exists()
