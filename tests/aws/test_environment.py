"""The way to AWS: through proxies and with certificates as a person set them up; to the twin: past them all."""

from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ProxyConnectionError, SSLError

from sentictl.aws.endpoints import ServiceEndpoints
from sentictl.aws.environment import Environment
from sentictl.aws.errors import translate
from sentictl.aws.web import opener_for
from sentictl.errors import AwsError
from tests.listener import certificate, listening

ANSWER = b"<R><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></R>"
ONCE = Config(retries={"total_max_attempts": 1})
ELSEWHERE = "127.0.0.2"  # this machine, by a name that no rule of this machine's knows


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.parametrize(
    ("service", "call", "parameters"),
    [
        ("sts", "get_caller_identity", {}),
        ("sagemaker", "list_models", {}),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "toy", "Body": b"x"}),
        ("s3", "list_buckets", {}),
        ("pricing", "describe_services", {}),
    ],
)
def test_aws_is_asked_through_the_proxy_of_the_variables(
    service: str, call: str, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(502) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://you:hunter2@{proxy.url.removeprefix('http://')}")
        client = Environment("prod", "eu-west-1").new_client(service, ONCE)
        with pytest.raises(ProxyConnectionError) as failure:
            getattr(client, call)(**parameters)
    (asked,) = proxy.asked
    assert asked.startswith("CONNECT ")
    assert asked.endswith("amazonaws.com:443")
    told = translate(failure.value)
    assert told
    assert "HTTPS_PROXY" in told.hint
    assert "hunter2" not in told.message


def test_the_twin_is_asked_past_every_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(502) as proxy, listening(200, ANSWER) as twin:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert Environment("local", "eu-west-1", endpoint=twin.url).account == "1"
    assert proxy.asked == []


def test_the_certificates_of_a_variable_are_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted, secret = certificate(tmp_path, ELSEWHERE)
    monkeypatch.setenv("NO_PROXY", ELSEWHERE)
    with listening(200, ANSWER, host=ELSEWHERE, secret=secret) as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url.replace("http:", "https:"))
        with pytest.raises(SSLError) as failure:
            Environment("prod", "eu-west-1").new_client("sts", ONCE).get_caller_identity()
        told = translate(failure.value)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(trusted))
        assert Environment("prod", "eu-west-1").new_client("sts", ONCE).get_caller_identity()["Account"] == "1"
    assert told
    assert "AWS_CA_BUNDLE" in told.hint


def test_certificates_that_are_not_there_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/certificates.pem")
    monkeypatch.setenv("NO_PROXY", ELSEWHERE)
    with listening(200, host=ELSEWHERE, secret=certificate(tmp_path, ELSEWHERE)[1]) as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url.replace("http:", "https:"))
        with pytest.raises(SSLError) as failure:
            Environment("prod", "eu-west-1").new_client("sts", ONCE).get_caller_identity()
    told = translate(failure.value)
    assert told
    assert "/nowhere/certificates.pem" in told.hint
    assert told.hint.endswith("unset AWS_CA_BUNDLE")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("AWS_ENDPOINT_URL", "nonsense", "nonsense"),
        ("AWS_DEFAULTS_MODE", "sometimes", "sometimes"),
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "sometimes", "sometimes"),
        ("AWS_STS_REGIONAL_ENDPOINTS", "sometimes", "sometimes"),
        ("AWS_CA_BUNDLE", " ", "AWS_CA_BUNDLE"),
    ],
)
def test_a_setting_that_botocore_cannot_use_is_told(
    variable: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(AwsError, match=words) as refusal:
        Environment("prod", "eu-west-1").client("sts")
    assert "~/.aws/config" in refusal.value.hint


def test_a_region_of_no_form_is_told_with_where_it_is_set() -> None:
    with pytest.raises(AwsError, match="not a region") as refusal:
        Environment("prod", "not a region").client("sts")
    assert "sentictl.toml" in refusal.value.hint


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({}, "https://a1.execute-api.eu-west-1.amazonaws.com/prod"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"}, "http://127.0.0.1:4566/restapis/a1/prod/_user_request_/"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_API_GATEWAY": "http://127.0.0.1:2"},
            "http://127.0.0.1:2/restapis/a1/prod/_user_request_/",
        ),
        (
            {"AWS_ENDPOINT_URL_API_GATEWAY": "https://vpce-1.apigateway.eu-west-1.vpce.amazonaws.com"},
            "https://a1.execute-api.eu-west-1.amazonaws.com/prod",
        ),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "https://a1.execute-api.eu-west-1.amazonaws.com/prod",
        ),
    ],
)
def test_an_api_is_where_what_stands_in_for_aws_has_it(
    variables: dict[str, str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Environment("prod", "eu-west-1").invoke_url("a1", "prod") == address


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        (Environment("prod", "eu-west-1"), "aws s3 ls"),
        (Environment("local", "eu-west-1", endpoint="http://127.0.0.1:1"), "sentictl local run aws s3 ls"),
        (Environment("dev", "eu-west-1", endpoint="http://127.0.0.1:1"), "sentictl local run --env dev aws s3 ls"),
    ],
)
def test_aws_own_command_line_asks_the_environment(environment: Environment, command: str) -> None:
    assert environment.aws_cli("s3 ls") == command


def emulated(url: str, **of_services: str) -> Environment:
    return Environment("emulated", "eu-west-1", endpoints=ServiceEndpoints(url, of_services))


def test_the_settings_say_where_services_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(502) as variable, listening(200, ANSWER) as all_services, listening(200, ANSWER) as storage:
        monkeypatch.setenv("AWS_ENDPOINT_URL", variable.url)
        monkeypatch.setenv("HTTP_PROXY", variable.url)
        environment = emulated(all_services.url, s3=storage.url)
        assert environment.account == "1"
        environment.client("s3").get_bucket_location(Bucket="reviews")
    assert variable.asked == []
    assert all_services.asked == ["POST /"]
    assert storage.asked == ["GET /reviews?location"]


def test_a_name_of_this_machine_takes_buckets_in_the_path() -> None:
    with listening(200, ANSWER) as server:
        environment = emulated(server.url.replace("127.0.0.1", "localhost"))
        environment.new_client("s3", ONCE).get_bucket_location(Bucket="reviews")
    assert server.asked == ["GET /reviews?location"]


@pytest.mark.parametrize(
    ("environment", "billed"),
    [
        (Environment("prod", "eu-west-1"), True),
        (Environment("local", "us-east-1", endpoint="http://127.0.0.1:1"), False),
        (emulated("http://127.0.0.1:4566"), False),
        (emulated("", s3="http://127.0.0.1:9000"), True),
        (emulated("", sagemaker="http://127.0.0.1:9000"), False),
        (emulated("http://127.0.0.1:1", sagemaker="https://api.sagemaker.eu-west-1.amazonaws.com"), True),
        (emulated("https://vpce-1.sagemaker.eu-west-1.vpce.amazonaws.com"), True),
        (emulated("", sagemaker="https://sagemaker.eu-west-1.api.aws"), True),
        (emulated("https://notamazonaws.com"), False),
    ],
)
def test_aws_bills_where_it_has_the_machines(environment: Environment, billed: bool) -> None:
    assert environment.billed is billed


def test_what_a_variable_names_may_be_billed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert Environment("prod", "eu-west-1").billed


def test_addresses_at_an_emulator() -> None:
    environment = emulated("https://127.0.0.1:9297/", s3="http://127.0.0.1:9000")
    assert environment.invoke_url("a1", "prod") == "https://127.0.0.1:9297/restapis/a1/prod/_user_request_/"
    assert environment.website_url("films") == "http://127.0.0.1:9000/films/index.html"
    assert environment.console_url("cloudwatch", "dashboards") == ""


def test_the_certificates_of_the_settings_are_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    trusted, secret = certificate(tmp_path, "127.0.0.1")
    with listening(200, ANSWER, secret=secret) as aws:
        url = aws.url.replace("http:", "https:")
        assert (
            Environment("emulated", "eu-west-1", endpoints=ServiceEndpoints(url, ca_bundle=str(trusted))).account == "1"
        )
        with opener_for(url, str(trusted)).open(url) as answer:
            assert answer.read() == ANSWER
