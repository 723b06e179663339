"""Faults of credentials by the exceptions that botocore has for them, and credentials that are renewed in between."""

import inspect
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore import exceptions

from sentictl.aws.credentials import OF_CREDENTIALS, validity
from sentictl.aws.environment import Environment
from sentictl.aws.errors import translate
from sentictl.errors import AccessError
from tests.listener import listening

ABOUT_CREDENTIALS = re.compile("Credential|Token|SSO|Login|MFA|Profile|IMDS|Metadata|ConfigParse")
ANSWER = b"<R><GetCallerIdentityResult><Account>1</Account><Arn>arn</Arn></GetCallerIdentityResult></R>"
NAMES = set(
    re.findall(
        r"{(\w+)", " ".join(str(vars(kind).get("fmt")) for kind in vars(exceptions).values() if inspect.isclass(kind))
    )
)


def instance(kind: type[Exception]) -> Exception:
    return kind(**dict.fromkeys(NAMES, "it"))


@pytest.mark.parametrize("kind", OF_CREDENTIALS)
def test_each_is_one_of_access_with_the_profile_and_the_next_step(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    error = translate(instance(kind))
    assert isinstance(error, AccessError)
    assert "work" in error.message
    assert re.search("aws .*--profile work|configure list-profiles|terminal", error.hint)


def test_botocore_has_no_other() -> None:
    kinds = [
        kind for kind in vars(exceptions).values() if inspect.isclass(kind) and ABOUT_CREDENTIALS.search(kind.__name__)
    ]
    assert [kind.__name__ for kind in kinds if not issubclass(kind, OF_CREDENTIALS)] == []


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file from which a profile's program takes keys; they have to be renewed at once, as they end soon."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "keys.json"
    end = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    document = {"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c", "Expiration": end}
    file.write_text(json.dumps(document))
    config = tmp_path / "config"
    config.write_text(f"[profile work]\ncredential_process = cat {file}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    return file


def test_what_breaks_while_credentials_are_renewed_is_told_as_at_the_beginning(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(200, ANSWER) as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        client = Environment("prod", "eu-west-1", "work").client("sts")
        assert client.get_caller_identity()["Account"] == "1"
        keys.unlink()
        with pytest.raises(AccessError, match="work"):
            client.get_caller_identity()
    assert len(aws.asked) == 1


def test_how_long_credentials_hold_is_told(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end = json.loads(keys.read_text())["Expiration"]
    told = validity(Environment("prod", "eu-west-1", "work").sign_in())
    assert f"{datetime.fromisoformat(end):%Y-%m-%d %H:%M} UTC, and are renewed" in told
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    assert validity(Environment("prod", "eu-west-1").sign_in()) == ""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "c")
    assert "does not say when" in validity(Environment("prod", "eu-west-1").sign_in())
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", end)
    assert validity(Environment("prod", "eu-west-1").sign_in()).endswith("UTC")
