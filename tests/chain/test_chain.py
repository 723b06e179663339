"""The whole chain on the twin, from reviews to answers over HTTP. The tests share one project, brought up once."""

import csv
import gzip
import json
import os
import signal
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.chain.requests import ask
from tests.chain.shell import Shell

KINDS = [
    "bucket",
    "dataset",
    "execution-role",
    "source-archive",
    "training-job",
    "model",
    "endpoint-config",
    "endpoint-log-group",
    "endpoint",
    "function-role",
    "log-group",
    "function",
    "page-role",
    "api-log-group",
    "api-log-access",
    "rest-api",
    "permission",
    "page",
]
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@pytest.fixture(scope="module")
def live(shell: Shell) -> dict[str, Any]:
    """What `up --json` answered."""
    shell.run("config", "set", "api.throttle_burst", "1000")  # the tests ask at once, and more than that
    document: dict[str, Any] = shell.json("up")
    return document


def test_up_ends_with_what_it_made_and_how_good_it_is(live: dict[str, Any]) -> None:
    assert live["environment"] == "local"
    assert live["page_url"].startswith("http://127.0.0.1:")
    assert live["test"]["accuracy"] > 0.9  # the toy reviews are easy
    assert live["test"]["reviews"] == 24


def test_status_shows_every_part_of_the_chain(shell: Shell, live: dict[str, Any]) -> None:
    status = shell.json("status")
    assert [resource["kind"] for resource in status["resources"]] == KINDS
    assert {resource["status"] for resource in status["resources"]} == {"Active", "Completed", "InService"}
    assert all(resource["arn"] and resource["name"] for resource in status["resources"])
    assert (status["page_url"], status["api_url"]) == (live["page_url"], live["api_url"])


def test_the_page_is_served_by_the_api_and_kept_as_a_file(shell: Shell, live: dict[str, Any]) -> None:
    page = ask(live["page_url"], "GET")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert live["api_url"].encode() in page.body
    assert (shell.folder / ".sentictl" / "site" / "index.html").read_bytes() == page.body


@pytest.mark.parametrize(
    ("headers", "body", "status", "content_type"),
    [
        ({}, b"a wonderful film", 200, TEXT),
        ({"Content_Type": "application/x-www-form-urlencoded", "Accept": "*/*"}, b"a dreadful film", 200, TEXT),
        ({"Content_Type": "text/plain;charset=UTF-8", "Accept": "text/plain"}, "ein schöner film".encode(), 200, TEXT),
        ({"Accept": JSON}, b"a wonderful film", 200, JSON),
        ({"Content_Type": JSON}, b'{"review": "a wonderful film"}', 200, JSON),
        ({"Content_Type": JSON}, b'{"review": "a wonderful film", "explain": true}', 200, JSON),
        ({"Content_Type": JSON}, b'{"reviews": ["superb", "tedious"]}', 200, JSON),
        ({}, b"", 400, JSON),
        ({}, b"  \n ", 400, JSON),
        ({}, b"\xff\xfe\xff", 400, JSON),
        ({"Content_Type": JSON}, b"{not json", 400, JSON),
        ({"Content_Type": JSON}, b'{"reviews": [1]}', 400, JSON),
        ({}, b"long " * 20_000, 413, JSON),
        ({"Content_Type": "text/plain; charset=utf-16"}, "a wonderful film".encode("utf-16-le"), 200, TEXT),
        ({"Content_Type": "text/plain; charset=klingon"}, b"a wonderful film", 415, JSON),
        ({}, "a wonderful film".encode("utf-16-le"), 400, JSON),
        ({"Content_Encoding": "gzip"}, gzip.compress(b"a wonderful film", mtime=0), 200, TEXT),
        ({"Content_Encoding": "deflate"}, zlib.compress(b"a wonderful film"), 200, TEXT),
        ({"Content_Encoding": "gzip"}, b"a wonderful film", 400, JSON),
        ({"Content_Encoding": "gzip"}, gzip.compress(b" " * 20_000_000, mtime=0), 413, JSON),
        ({"Content_Encoding": "br"}, b"a wonderful film", 415, JSON),
        ({"Content_Type": JSON}, json.dumps({"reviews": ["a " * 6_001] * 2, "explain": True}).encode(), 413, JSON),
        ({}, b"x" * 11_000_000, 413, JSON),  # API Gateway's limit
        ({}, b"x" * 5_000_000, 413, JSON),  # and Lambda's, of a body in base64
    ],
)
def test_the_api_keeps_its_contract(
    live: dict[str, Any], headers: dict[str, str], body: bytes, status: int, content_type: str
) -> None:
    answer = ask(live["api_url"], body=body, **headers)
    assert answer.status == status
    assert answer.headers["Content-Type"].partition(";")[0] == content_type.partition(";")[0]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    if status != 200:
        assert answer.json["error"].keys() == {"code", "message", "request_id"}
    elif content_type == TEXT:
        assert answer.body in (b"0", b"1")


def test_answers_tell_label_sentiment_probability_and_model(live: dict[str, Any]) -> None:
    positive, negative = ask(
        live["api_url"], body=b'{"reviews": ["a superb film", "a tedious film"]}', Content_Type=JSON
    ).json
    assert (positive["label"], positive["sentiment"], positive["model"]) == ("positive", 1, live["model"])
    assert (negative["label"], negative["sentiment"]) == ("negative", 0)
    assert negative["probability"] < 0.5 < positive["probability"]


def test_an_explanation_is_there_where_it_is_asked_for(live: dict[str, Any]) -> None:
    asked = ask(live["api_url"], body=b'{"review": "superb but tedious", "explain": true}', Content_Type=JSON).json
    contributions = {entry["word"]: entry["contribution"] for entry in asked["explanation"]["words"]}
    assert contributions["superb"] > 0 > contributions["tedious"]
    assert "explanation" not in ask(live["api_url"], body=b'{"review": "superb"}', Content_Type=JSON).json


def test_a_browser_may_ask_from_anywhere(live: dict[str, Any]) -> None:
    preflight = ask(
        live["api_url"],
        "OPTIONS",
        Origin="null",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="content-type",
    )
    assert preflight.status == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "content-type" in preflight.headers["Access-Control-Allow-Headers"].lower()


def test_errors_of_the_gateway_itself_carry_the_cors_headers(live: dict[str, Any]) -> None:
    refused = ask(live["api_url"], "DELETE")
    assert refused.status == 403
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert refused.json["error"]["message"] == "Missing Authentication Token"


def test_every_route_gives_the_same_probability(shell: Shell, live: dict[str, Any]) -> None:
    texts = ["a wonderful film", "not at all boring", "the camera", "zzz", "caf&eacute; <b>superb</b>! 7/10"]
    alone = [shell.json("predict", text)["probability"] for text in texts]
    (shell.folder / "texts.txt").write_text("\n".join(texts) + "\n")
    shell.run("predict", "--file", "texts.txt", "--output", "texts.jsonl")
    routes = [shell.json("predict", *texts, "--via", via) for via in ("local", "api", "endpoint")]
    routes += [shell.json("predict", *texts, "--explain", "--via", via) for via in ("local", "api", "endpoint")]
    routes.append(shell.json("predict", "-", stdin="\n".join(texts)))
    routes.append([json.loads(line) for line in (shell.folder / "texts.jsonl").read_text().splitlines()])
    for answers in routes:
        assert [answer["probability"] for answer in answers] == pytest.approx(alone, abs=1e-5)
        assert {answer["model"] for answer in answers} == {live["model"]}


def test_every_route_explains_alike(shell: Shell, live: dict[str, Any]) -> None:
    text = "caf&eacute;: a <b>superb</b> plot, but tedious"
    local, api, endpoint = (
        shell.json("predict", text, "--explain", "--via", via)["explanation"] for via in ("local", "api", "endpoint")
    )
    assert next(text[word["start"] : word["end"]] for word in local["words"]) == "caf&eacute;"
    for other in (api, endpoint):
        assert [word | {"contribution": 0} for word in other["words"]] == [
            word | {"contribution": 0} for word in local["words"]
        ]
        assert [word["contribution"] for word in other["words"]] == pytest.approx(
            [word["contribution"] for word in local["words"]], abs=1e-4
        )
        assert [phrase["phrase"] for phrase in other["phrases"]] == [phrase["phrase"] for phrase in local["phrases"]]


def test_a_file_of_reviews_keeps_its_fields(shell: Shell, live: dict[str, Any]) -> None:
    with (shell.folder / "in.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("id", "review"), ("7", "a superb film"), ("8", "a tedious film")])
    shell.run("predict", "--file", "in.csv", "--output", "out.jsonl", "--via", "api")
    answers = [json.loads(line) for line in (shell.folder / "out.jsonl").read_text().splitlines()]
    assert [(answer["id"], answer["sentiment"]) for answer in answers] == [("7", 1), ("8", 0)]
    assert answers[0]["review"] == "a superb film"


def test_evaluate_measures_the_test_split_and_other_reviews(shell: Shell, live: dict[str, Any]) -> None:
    measured = shell.json("evaluate")
    assert {name: measured[name] for name in live["test"]} == live["test"]
    other = shell.json("evaluate", "--data", "reviews.csv")
    low, high = other["interval"]
    assert other["reviews"] == 240
    assert low <= other["accuracy"] <= high


def test_logs_show_what_each_part_wrote(shell: Shell, live: dict[str, Any]) -> None:
    assert any(event["message"].startswith("epoch=1 epochs=") for event in shell.json("logs", "train"))
    ask(live["api_url"], body=b"secret words")
    lambda_log = shell.run("logs", "lambda").stdout
    assert '"status": 200' in lambda_log
    assert "secret words" not in lambda_log


def test_a_second_up_changes_nothing(shell: Shell, live: dict[str, Any]) -> None:
    journal, settings = shell.journal(), (shell.folder / "sentictl.toml").read_bytes()
    again = shell.run("up", "--json")
    assert json.loads(again.stdout) == live
    assert shell.journal() == journal
    assert (shell.folder / "sentictl.toml").read_bytes() == settings
    assert again.stderr.count("unchanged") == 6


def test_a_killed_twin_comes_back_with_all_it_had(shell: Shell, live: dict[str, Any]) -> None:
    before = shell.json("local", "status")
    os.kill(before["pid"], signal.SIGKILL)
    assert shell.json("predict", "a superb film", "--via", "api")["sentiment"] == 1
    after = shell.json("local", "status")
    assert after["port"] == before["port"]
    assert after["pid"] != before["pid"]
    assert ask(live["page_url"], "GET").status == 200
    assert shell.json("up") == live


def test_new_page_text_changes_the_page_alone(shell: Shell, live: dict[str, Any]) -> None:
    before = len(shell.journal().splitlines())
    shown = shell.run("site", "--title", "How was it?")
    assert 'wrote site.title = "How was it?"' in shown.stderr
    assert len(shell.journal().splitlines()) == before + 1
    assert b"How was it?" in ask(live["page_url"], "GET").body
    assert 'title = "How was it?"' in (shell.folder / "sentictl.toml").read_text()


def test_the_page_can_move_to_a_public_website_and_back(shell: Shell, live: dict[str, Any]) -> None:
    elsewhere = shell.json("site", "--publish", "s3")["page_url"]
    assert elsewhere != live["page_url"]
    assert live["api_url"].encode() in ask(elsewhere, "GET").body
    assert ask(live["page_url"], "GET").status == 403
    assert shell.json("site", "--publish", "api")["page_url"] == live["page_url"]
    assert ask(live["page_url"], "GET").status == 200
    assert ask(elsewhere, "GET").status == 404
    assert "website-bucket" not in [resource["kind"] for resource in shell.json("status")["resources"]]


def test_a_new_hyperparameter_retrains_and_updates_the_endpoint_without_a_failed_request(
    shell: Shell, live: dict[str, Any]
) -> None:
    statuses: list[int] = []
    done = threading.Event()

    def visit() -> None:
        while not done.wait(0.15):  # below the API's rate limit
            statuses.append(ask(live["api_url"], body=b"a superb film").status)

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        shell.run("train", "--epochs", "7")
        new = shell.json("up")
    finally:
        done.set()
        visitor.join()
    assert set(statuses) == {200}
    assert new["model"] != live["model"]
    answer = ask(live["api_url"], body=b'{"review": "superb"}', Content_Type=JSON).json
    assert answer["model"] == new["model"]
    kinds = [resource["kind"] for resource in shell.json("status")["resources"]]
    assert kinds.count("training-job") == 2  # kept, to go back to
    assert kinds.count("model") == kinds.count("endpoint-config") == 1


def test_what_is_deleted_by_hand_is_shown_and_made_again(shell: Shell, live: dict[str, Any]) -> None:
    shell.client("lambda").delete_function(FunctionName="toy-local-predict")
    statuses = {resource["kind"]: resource["status"] for resource in shell.json("status")["resources"]}
    assert (statuses["function"], statuses["permission"]) == ("Missing", "Missing")
    shell.run("up")
    assert ask(live["api_url"], body=b"a superb film").status == 200


def test_a_wrong_flag_changes_nothing(shell: Shell, live: dict[str, Any]) -> None:
    settings = (shell.folder / "sentictl.toml").read_bytes()
    error = shell.json("train", "--epochs", "0", expect=2)["error"]
    assert error["code"] == "settings"
    assert "train.epochs" in error["message"]
    assert (shell.folder / "sentictl.toml").read_bytes() == settings
    assert not list(Path(shell.folder).glob(".sentictl.toml.*"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("text,label\ngood,1\n", "no column 'review'"),
        ("review,label\ngood,maybe\n", "maybe"),
        ("review,label\n" + "good,1\nbad,0\n" * 5, "10 reviews"),
        ("review,label\n" + "good,1\n" * 50, "All 50 reviews"),
        ("", "empty"),
    ],
)
def test_reviews_that_cannot_be_used_leave_everything_as_it_was(
    shell: Shell, live: dict[str, Any], content: str, words: str
) -> None:
    (shell.folder / "bad.csv").write_text(content)
    settings, journal = (shell.folder / "sentictl.toml").read_bytes(), shell.journal()
    error = shell.json("data", "--source", "bad.csv", expect=1)["error"]
    assert words in error["message"]
    assert error["hint"]
    assert (shell.folder / "sentictl.toml").read_bytes() == settings
    assert shell.journal() == journal
