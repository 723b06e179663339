"""What `predict --via api` sends so that it is let in, and where it has it from."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.credentials import Credentials

from sentictl.aws.redaction import redacted
from sentictl.errors import NotAdmittedError
from sentictl.services.access.caller import VARIABLE, caller_of
from tests.services.conftest import ContextOf

URL = "https://abc.execute-api.eu-west-1.amazonaws.com/prod"
KEYED = "[api]\nauth = 'key'\n"
VALUE = "v" * 40


def test_an_open_api_is_sent_nothing(context_of: ContextOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, VALUE)
    assert caller_of(context_of(""), URL).headers(b"x") == {}


def test_the_key_is_of_the_variable_or_else_of_the_file(
    context_of: ContextOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("f" * 40 + "\n")
    context = context_of(KEYED + "key_file = 'key'\n")
    assert caller_of(context, URL).headers(b"x") == {"x-api-key": "f" * 40}
    monkeypatch.setenv(VARIABLE, VALUE)
    caller = caller_of(context, URL)
    assert caller.headers(b"x") == {"x-api-key": VALUE}
    assert caller.source == f"the variable {VARIABLE}"
    assert VALUE not in redacted(f"sent {VALUE}")


@pytest.mark.parametrize(
    ("settings", "variable", "words"),
    [
        (KEYED, "", "there is none to ask with"),
        (KEYED + "key_file = 'none'\n", "", "none (api.key_file) cannot be read: No such file"),
        (KEYED, "two words", "is no key"),
        (KEYED, "x" * 200, "is no key"),
    ],
)
def test_what_is_no_key_is_said_before_anything_is_asked(
    context_of: ContextOf, monkeypatch: pytest.MonkeyPatch, settings: str, variable: str, words: str
) -> None:
    monkeypatch.setenv(VARIABLE, variable)
    with pytest.raises(NotAdmittedError) as caught:
        caller_of(context_of(settings), URL)
    assert words in caught.value.message
    assert "sentictl keys create" in caught.value.hint
    assert not variable or variable not in caught.value.message


def test_each_request_is_signed_with_the_environments_credentials(context_of: ContextOf) -> None:
    context = context_of("[api]\nauth = 'iam'\n")
    signing: Any = SimpleNamespace(region="eu-west-1", sign_in=lambda: Credentials("AKIAME", "secret", "token"))
    caller = caller_of(replace(context, environment=signing), URL)
    headers, others = caller.headers(b"one"), caller.headers(b"two")
    assert "Credential=AKIAME/" in headers["Authorization"]
    assert "/eu-west-1/execute-api/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "token"
    assert headers["Authorization"].rpartition("=")[2] != others["Authorization"].rpartition("=")[2]
