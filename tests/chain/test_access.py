"""Who may ask, over a chain's life: keys that are made, used up and revoked; signatures; pages of some origins."""

import json
import stat
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.chain.shell import Shell

REVIEW = "a superb film"
ORIGIN = "Access-Control-Allow-Origin"
HERE, ELSEWHERE = "https://films.example", "https://other.example"


def asked(url: str, method: str = "POST", headers: Mapping[str, str] | None = None) -> tuple[int, Any, Any]:
    """Status, headers and body of the API's answer."""
    body = REVIEW.encode() if method == "POST" else None
    request = urllib.request.Request(url, data=body, method=method, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status), answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def code_of(answer: tuple[int, Any, Any]) -> str:
    return str(json.loads(answer[2])["error"]["code"])


def test_a_chain_that_lets_in_only_whom_it_knows(shell: Shell) -> None:
    alice = replace(shell, variables={"SENTICTL_API_KEY": key_made_before(shell)})
    live = shell.json("up")
    url = live["api_url"]
    assert live["missing"] == ""
    keys_let_in(shell, alice, url)
    signatures_let_in(shell, url)
    some_origins_are_told(shell, url)
    shell.run("config", "set", "api.auth", "key")
    said = shell.run("wire-api").stderr  # who has a key is let in from the first moment on
    assert 0 < said.index("making usage-plan") < said.index("updating rest-api") < said.index("From now on")
    assert alice.run("predict", "--via", "api", REVIEW).stdout.startswith("positive")
    shell.client("apigateway").create_api_key(  # made by somebody whose record was lost
        name="toy-local-key-lost", enabled=True, tags=shell.client("apigateway").get_rest_apis()["items"][0]["tags"]
    )
    done = shell.json("down", "--yes")
    assert done["left"] == []
    assert {"toy-local-key-alice", "toy-local-key-lost", "toy-local-keys"} <= {each["name"] for each in done["deleted"]}


def key_made_before(shell: Shell) -> str:
    """Turn the key on, and make one before there is an API. Its value is in no file but the one that is named."""
    shell.run("config", "set", "api.auth", "key")
    file = shell.folder.parent / "alice.key"
    made = shell.run("keys", "create", "alice", "--output", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    value = file.read_text().strip()
    assert value not in made.stdout + made.stderr
    again = shell.run("keys", "create", "bob", "--output", str(file), expect=2)
    assert f"There is a file {file} already" in again.stderr
    assert file.read_text().strip() == value
    refused = shell.json("keys", "create", "alice", expect=2)
    assert "sentictl keys revoke alice" in refused["error"]["hint"]
    assert [key["name"] for key in shell.json("keys", "list")] == ["alice"]
    return value


def keys_let_in(shell: Shell, alice: Shell, url: str) -> None:
    """With the key one is let in, until its quota is used up, over a restart of the twin, or it is revoked."""
    assert alice.run("predict", "--via", "api", REVIEW).stdout.startswith("positive")
    refused = shell.json("predict", "--via", "api", REVIEW, expect=4)
    assert (refused["error"]["code"], "SENTICTL_API_KEY" in refused["error"]["hint"]) == ("not-admitted", True)
    answer = asked(url, headers={"Origin": HERE})
    assert (answer[0], code_of(answer), answer[1][ORIGIN]) == (403, "INVALID_API_KEY", "*")
    assert asked(url, "OPTIONS")[0] == 200
    assert 'id="key"' in asked(url, "GET")[2]
    shell.run("config", "set", "api.key_quota", "3/month")
    shell.run("wire-api")
    assert alice.run("predict", "--via", "api", REVIEW).returncode == 0
    shell.run("local", "stop")
    assert alice.run("predict", "--via", "api", REVIEW).returncode == 0
    over = alice.run("predict", "--via", "api", REVIEW, expect=4)
    assert "api.key_quota" in over.stderr
    (told,) = shell.json("keys", "list")
    assert (told["requests"], told["left"], told["quota"]) == (3, 0, "3/month")
    for path in shell.folder.rglob("*"):
        assert alice.variables["SENTICTL_API_KEY"].encode() not in content_of(path), path
    bob = shell.json("keys", "create", "bob")["value"]
    assert asked(url, headers={"x-api-key": bob})[0] == 200
    shell.run("keys", "revoke", "bob")
    assert code_of(asked(url, headers={"x-api-key": bob})) == "INVALID_API_KEY"
    assert "There are: alice" in shell.run("keys", "revoke", "bob", expect=1).stderr
    shell.run("config", "set", "api.key_quota", "")


def content_of(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:  # gone meanwhile
        return b""


def signatures_let_in(shell: Shell, url: str) -> None:
    """The environment's credentials sign; another user needs the callers' policy, all of it."""
    said = shell.run("wire-api", "--auth", "iam").stderr
    assert "whoever signs as IAM allows it may ask" in " ".join(said.split())
    assert shell.run("predict", "--via", "api", REVIEW).stdout.startswith("positive")
    policy = shell.json("doctor", "--callers-policy")
    iam = shell.client("iam")
    iam.create_user(UserName="eve")
    key = iam.create_access_key(UserName="eve")["AccessKey"]
    request = AWSRequest("POST", url, data=REVIEW.encode())
    SigV4Auth(Credentials(key["AccessKeyId"], key["SecretAccessKey"]), "execute-api", "us-east-1").add_auth(request)
    assert code_of(asked(url, headers=request.headers)) == "ACCESS_DENIED"
    iam.put_user_policy(UserName="eve", PolicyName="ask", PolicyDocument=json.dumps(policy))
    assert asked(url, headers=request.headers)[0] == 200
    iam.delete_user_policy(UserName="eve", PolicyName="ask")
    assert code_of(asked(url, headers=request.headers)) == "ACCESS_DENIED"
    assert code_of(asked(url)) == "MISSING_AUTHENTICATION_TOKEN"


def some_origins_are_told(shell: Shell, url: str) -> None:
    """A page of a listed origin is told that it may read; others are not, but for the gateway's own errors."""
    shell.run("config", "set", "api.auth", "none")
    shell.run("config", "set", "api.cors_origins", f"http://localhost:8000,{HERE}")
    shell.run("wire-lambda")
    shell.run("wire-api")
    for method in ("POST", "OPTIONS"):
        status, headers, _ = asked(url, method, {"Origin": HERE})
        assert (status, headers[ORIGIN], "Origin" in headers["Vary"]) == (200, HERE, True)
    assert asked(url, "POST", {"Origin": ELSEWHERE})[1][ORIGIN] is None
    assert asked(url, "OPTIONS", {"Origin": ELSEWHERE})[1][ORIGIN] == "http://localhost:8000"
    status, headers, _ = asked(url, "PUT", {"Origin": HERE})
    assert (status, headers[ORIGIN]) == (403, HERE)
