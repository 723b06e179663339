"""Credentials that cannot be had or used: told as what they are, with what mends it, whatever botocore fails with."""

import json
import shlex
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path

import pytest

from tests.chain.shell import SENTICTL, Shell, environment
from tests.chain.terminal import on_terminal
from tests.listener import listening
from tests.prepared import popen as prepared

KEY, SECRET, TOKEN = (
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "IQoJb3JpZ2luX2VjEXAMPLE/TOKEN==",
)
KEYS = f"aws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
ROLE = "role_arn = arn:aws:iam::111122223333:role/work\n"
SSO = "sso_account_id = 111122223333\nsso_role_name = work\n"
LEGACY = f"{SSO}sso_region = eu-west-1\nsso_start_url = https://you.awsapps.com/start\n"
CHECK = "aws sts get-caller-identity --profile 'at work'"
LOG_IN = "aws sso login --profile 'at work'"
NONE: Mapping[str, str] = {}
PAST = "2020-01-01T00:00:00Z"


def prints(document: object) -> str:
    """A profile whose program prints this."""
    return f"credential_process = echo {shlex.quote(json.dumps(document))}\n"


def keys(**others: str) -> dict[str, str | int]:
    return {"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": SECRET, "SessionToken": TOKEN, **others}


class Person:
    """Somebody with a project whose environment prod has the AWS profile `at work`, if it has one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "films"
        self.home = folder
        (folder / ".aws").mkdir()
        (self.folder / ".sentictl").mkdir(parents=True)
        self.set_up("")

    def set_up(self, config: str, profile: str = "at work") -> None:
        (self.home / ".aws" / "config").write_text(config)
        named = f'profile = "{profile}"\n' if profile else ""
        text = f'[project]\nname = "films"\n[env.prod]\nregion = "eu-west-1"\n{named}'
        (self.folder / "sentictl.toml").write_text(text)

    def run(
        self, *arguments: str, variables: Mapping[str, str] = NONE, real: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        """Run sentictl without a terminal; `real` where botocore has to look for its home anew."""
        files = {
            "HOME": str(self.home),
            "AWS_CONFIG_FILE": str(self.home / ".aws" / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / ".aws" / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }
        given = {name: value for name, value in {**files, **variables}.items() if value}
        run = subprocess.run if real else prepared.run
        return run(
            [SENTICTL, *arguments],
            cwd=self.folder,
            env=environment() | given,
            input="654321\n",
            capture_output=True,
            text=True,
            timeout=120,
            start_new_session=True,
        )

    def refused(self, variables: Mapping[str, str] = NONE, *, real: bool = False) -> dict[str, str]:
        """The error that a command ends with, which is one of credentials."""
        done = self.run("up", "--env", "prod", "--json", variables=variables, real=real)
        assert done.returncode == 4, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        error: dict[str, str] = json.loads(done.stdout)["error"]
        assert error["code"] == "access"
        return error

    def log(self) -> str:
        return (self.folder / ".sentictl" / "sentictl.log").read_text()


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


@pytest.mark.parametrize(
    ("profile", "words", "mend"),
    [
        ("credential_process = /nowhere/at/all\n", "/nowhere/at/all", CHECK),
        ("credential_process = /\n", "Permission denied", CHECK),
        ("credential_process = sh -c 'echo Vault is sealed. >&2; exit 1'\n", "Vault is sealed", CHECK),
        ("credential_process = sh -c 'exit 1\n", "quotation", CHECK),
        ("credential_process = echo hello\n", "JSON", CHECK),
        ("credential_process = printf '\\377'\n", "decode", CHECK),
        (prints([]), "list", CHECK),
        (prints({"Version": 2}), "version '2'", CHECK),
        (prints({"Version": 1}), "AccessKeyId", CHECK),
        (prints(keys(Expiration=PAST)), "expired", CHECK),
        (prints(keys(Expiration="tomorrow, perhaps")), "tomorrow", CHECK),
        (f"{ROLE}web_identity_token_file = /nowhere/token\n", "/nowhere/token", CHECK),
        ("web_identity_token_file = /nowhere/token\n", "no role ARN", CHECK),
        (f"{ROLE}source_profile = nobody\n", '"nobody"', CHECK),
        (f"{ROLE}source_profile = empty\n[profile empty]\nregion = eu-west-1\n", "empty", CHECK),
        (f"{ROLE}source_profile = a\n[profile a]\n{ROLE}source_profile = at work\n", "nfinite loop", CHECK),
        (f"{ROLE}credential_source = \n", "credential source", CHECK),
        (f"{ROLE}credential_source = Moon\n", "Moon", CHECK),
        (f"{ROLE}credential_source = Environment\n", "No credentials found", CHECK),
        (f"{ROLE}credential_source = Environment\nsource_profile = a\n", "contains both", CHECK),
        (ROLE, "source_profile or credential_source", CHECK),
        (f"aws_access_key_id = {KEY}\n", "aws_secret_access_key", "aws configure --profile 'at work'"),
        ("region = eu-west-1\n", "no AWS credentials", LOG_IN),
        (SSO, "sso_start_url", CHECK),
        (f"{SSO}sso_session = nobody\n", "nobody", CHECK),
        (f"{SSO}sso_session = us\n[sso-session us]\nsso_region = eu-west-1\n", "sso_start_url", CHECK),
        (f"{LEGACY}sso_session = us\n[sso-session us]\nsso_region = us-east-1\n", "inconsistent", CHECK),
        (LEGACY, "login has expired", LOG_IN),
        ("login_session = arn:aws:sts::111122223333:user/you\n", "at work", ""),
        (f"{ROLE}{KEYS}source_profile = at work\nmfa_serial = arn:aws:iam::111122223333:mfa/you\n", "MFA", "terminal"),
    ],
)
def test_what_is_wrong_with_a_profile_is_told_with_what_mends_it(
    person: Person, profile: str, words: str, mend: str
) -> None:
    person.set_up(f'[profile "at work"]\n{profile}')
    error = person.refused()
    assert words in error["message"]
    assert "at work" in error["message"]
    assert mend in error["hint"]
    assert error["hint"]


@pytest.mark.parametrize(
    ("variables", "words", "mend"),
    [
        ({}, "no AWS credentials", "aws sso login ("),
        ({"AWS_PROFILE": "nobody"}, "nobody", "aws configure list-profiles"),
        ({"AWS_DEFAULT_PROFILE": "nobody"}, "nobody", "aws configure list-profiles"),
        ({"AWS_ACCESS_KEY_ID": KEY}, "AWS_SECRET_ACCESS_KEY", "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token", "AWS_ROLE_ARN": "arn"}, "/nowhere/token", "variable"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/"}, "example.com", "aws sts"),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere/token",
            },
            "/nowhere/token",
            "variable",
        ),
        (
            {"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv5"},
            "ipv5",
            "aws sts get-caller-identity",
        ),
        ({"AWS_EC2_METADATA_DISABLED": "", "AWS_METADATA_SERVICE_TIMEOUT": "soon"}, "soon", "aws sts"),
    ],
)
def test_what_is_wrong_with_variables_is_told_with_what_mends_it(
    person: Person, variables: dict[str, str], words: str, mend: str
) -> None:
    person.set_up("", profile="")
    error = person.refused(variables)
    assert words in error["message"]
    assert mend in error["hint"]


@pytest.mark.parametrize("end", [PAST, "whenever"])
def test_variables_that_have_expired_are_told(person: Person, end: str) -> None:
    person.set_up("", profile="")
    error = person.refused(
        {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_CREDENTIAL_EXPIRATION": end}
    )
    assert "default" in error["message"]


def test_a_profile_that_there_is_not_is_named(person: Person) -> None:
    error = person.refused()
    assert "at work" in error["message"]
    assert error["hint"].endswith("aws configure list-profiles")


@pytest.mark.parametrize("broken", [f"[profile at work\n{KEYS}", f'[profile "at work"]\n{KEYS}{SECRET}\n'])
@pytest.mark.parametrize("name", ["config", "credentials"])
def test_a_file_of_settings_that_cannot_be_read_is_named_and_not_quoted(person: Person, name: str, broken: str) -> None:
    person.set_up("")
    (person.home / ".aws" / name).write_text(broken)
    error = person.refused()
    assert f".aws/{name}" in error["message"]
    assert SECRET not in person.log()


@pytest.mark.parametrize("ends", [timedelta(hours=-1), timedelta(hours=1)])
@pytest.mark.parametrize("named", [False, True])
def test_a_single_sign_on_that_has_ended_is_told(person: Person, ends: timedelta, *, named: bool) -> None:
    session = f"{SSO}sso_session = us\n[sso-session us]\nsso_region = eu-west-1\nsso_start_url = https://us/start\n"
    person.set_up(f'[profile "at work"]\n{session if named else LEGACY}')
    cache = person.home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    token = {"accessToken": TOKEN, "expiresAt": (datetime.now(UTC) + ends).isoformat()}
    start = "us" if named else "https://you.awsapps.com/start"
    (cache / f"{sha1(start.encode(), usedforsecurity=False).hexdigest()}.json").write_text(json.dumps(token))
    with listening(401, b'{"message": "Session not found"}', x_amzn_ErrorType="UnauthorizedException") as aws:
        error = person.refused({"AWS_ENDPOINT_URL_SSO": aws.url, "AWS_ENDPOINT_URL_SSO_OIDC": aws.url}, real=True)
    assert "login has expired" in error["message"]
    assert error["hint"].endswith(LOG_IN)
    assert TOKEN not in person.log()


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidIdentityToken", "ExpiredToken"])
@pytest.mark.parametrize("way", [f"source_profile = a\n[profile a]\n{KEYS}", "web_identity_token_file = token\n"])
def test_a_role_that_aws_refuses_is_told_with_its_profile(person: Person, way: str, code: str) -> None:
    person.set_up(f'[profile "at work"]\n{ROLE}{way}')
    (person.folder / "token").write_text(TOKEN)
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>Not today</Message></Error></ErrorResponse>"
    with listening(403, body.encode()) as aws:
        error = person.refused({"AWS_ENDPOINT_URL_STS": aws.url})
    assert "Not today" in error["message"]
    assert "at work" in error["message"]
    assert CHECK in error["hint"]


def test_a_refusal_that_quotes_what_was_signed_shows_none_of_it(person: Person) -> None:
    person.set_up(f'[profile "at work"]\n{KEYS}aws_session_token = {TOKEN}\n')
    message = f"The Canonical String should have been 'POST\nx-amz-security-token:{TOKEN}\n' of {KEY} and {SECRET}"
    body = (
        f"<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
    with listening(403, body.encode()) as aws:
        done = person.run("plan", "--env", "prod", "--debug", variables={"AWS_ENDPOINT_URL_STS": aws.url})
        checked = person.run("doctor", "--env", "prod", "--json", variables={"AWS_ENDPOINT_URL_STS": aws.url})
    assert done.returncode == 4
    assert "SignatureDoesNotMatch" in done.stderr  # the traceback
    assert "Canonical String" in checked.stdout
    assert_hidden(done.stdout + done.stderr + checked.stdout + checked.stderr + person.log())


@pytest.mark.parametrize("part", ["AccessKeyId", "SecretAccessKey", "SessionToken"])
@pytest.mark.parametrize("addition", ["\n", "\r\n", " ", "\t", "\u2026", "\x00"])
def test_a_key_that_no_header_can_hold_is_neither_sent_nor_shown(person: Person, part: str, addition: str) -> None:
    given = keys()
    (person.home / "keys").write_text(json.dumps(given | {part: f"{given[part]}{addition}"}))
    person.set_up(f'[profile "at work"]\ncredential_process = cat {person.home}/keys\n')
    with listening(200) as aws:
        done = person.run("plan", "--env", "prod", "--debug", variables={"AWS_ENDPOINT_URL": aws.url})
    assert done.returncode == 4
    assert "at work" in done.stdout + done.stderr
    assert aws.asked == []
    assert_hidden(done.stdout + done.stderr + person.log())


@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_a_variable_with_a_line_break_is_named(person: Person, variable: str) -> None:
    person.set_up("", profile="")
    variables = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
    error = person.refused(variables | {variable: f"{variables[variable]}\n"})
    assert variable in error["hint"]
    assert_hidden(json.dumps(error) + person.log())


def test_the_code_of_a_device_is_asked_on_the_terminal(person: Person) -> None:
    person.set_up(f'[profile "at work"]\n{ROLE}{KEYS}source_profile = at work\nmfa_serial = arn:mfa/you\n')
    with listening(403, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>") as aws:
        variables = {"AWS_CONFIG_FILE": str(person.home / ".aws" / "config"), "AWS_ENDPOINT_URL_STS": aws.url}
        shell = Shell(person.folder, variables)
        shown = on_terminal(shell, "plan", "--env", "prod", typing={"arn:mfa/you": b"123456\n"})
    assert shown.code == 4
    assert "TokenCode=123456" in aws.received[0]
    assert "123456" not in shown.written


def assert_hidden(text: str) -> None:
    assert [secret for secret in (KEY, SECRET, TOKEN) if secret in text] == []


def test_without_credentials_the_plan_is_that_of_a_new_project(person: Person) -> None:
    (person.folder / "reviews.csv").write_text(
        "review,label\n" + "".join(f"a fine film {n},1\na dull film {n},0\n" for n in range(60))
    )
    for command in (["init", "--env", "new", "--region", "eu-west-1"], ["config", "set", "data.source", "reviews.csv"]):
        assert person.run(*command).returncode == 0
    done = person.run("plan", "--env", "new", "--json")
    planned = json.loads(done.stdout)
    assert {step["action"] for step in planned["steps"]} == {"create"}
    kinds = {step["kind"] for step in planned["steps"]}
    assert {"bucket", "training-job", "function-archive", "rest-api", "page"} <= kinds
    assert "endpoint" not in kinds
    assert planned["hourly_cost"] == 0
    assert planned["billed"]
    assert not planned["account_seen"]
    assert "No account was looked at" in done.stderr
    refused = person.run("up", "--env", "new", "--json")
    assert (refused.returncode, json.loads(refused.stdout)["error"]["code"]) == (4, "access")
