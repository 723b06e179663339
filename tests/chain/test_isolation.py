"""The environment `local` beside whatever a person has set up for AWS: none of it is read, and no proxy is asked."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.chain.shell import SENTICTL, Shell, begin, environment
from tests.listener import Listener, listening

PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
ASKS = [
    ("up",),
    ("status",),
    ("plan",),
    ("doctor",),
    ("doctor", "--policy"),
    ("doctor", "--instances"),
    ("models",),
    ("evaluate",),
    ("logs", "endpoint"),
    ("logs", "train"),
    ("predict", "superb"),
    ("predict", "superb", "--via", "api"),
    ("predict", "superb", "--via", "endpoint"),
    ("export", "--openapi"),
    ("export", "--cloudformation"),
    ("import",),
    ("train", "--epochs", "7"),
    ("site",),
    ("local", "status"),
    ("local", "run", sys.executable, "-c", "import boto3; boto3.client('s3').list_buckets()"),
]


@pytest.fixture(scope="module")
def proxy() -> Iterator[Listener]:
    """Where every proxy variable leads, and every endpoint of AWS's."""
    with listening(502) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory, proxy: Listener) -> Mapping[str, str]:
    """Variables and files of somebody whose settings for AWS are wrong in every way."""
    home = tmp_path_factory.mktemp("home")
    broken = home / ".aws" / "config"
    broken.parent.mkdir()
    for file in (broken, broken.with_name("credentials"), home / ".boto"):
        file.write_text("[default\nregion")
    model = broken.parent / "models" / "sagemaker" / "2017-07-24"
    model.mkdir(parents=True)
    (model / "service-2.json").write_text("{}")
    return {
        "HOME": str(home),
        **dict.fromkeys(PROXIES, proxy.url),
        **dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"), str(broken)),
        **dict.fromkeys(("AWS_PROFILE", "AWS_DEFAULT_PROFILE"), "nowhere"),
        **dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), "mars-1"),
        **dict.fromkeys(("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_DATA_PATH"), "/nowhere"),
        **dict.fromkeys(("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS"), proxy.url),
        **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "broken\n"),
        **dict.fromkeys(("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_CSM_ENABLED"), "true"),
        **dict.fromkeys(("AWS_RETRY_MODE", "AWS_DEFAULTS_MODE", "AWS_MAX_ATTEMPTS"), "sometimes"),
        **dict.fromkeys(("AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "AWS_STS_REGIONAL_ENDPOINTS"), "sometimes"),
        **dict.fromkeys(("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"), "sometimes"),
        "AWS_CREDENTIAL_EXPIRATION": "yesterday",
    }


@pytest.fixture(scope="module")
def beset(tmp_path_factory: pytest.TempPathFactory, variables: Mapping[str, str]) -> Iterator[Shell]:
    shell = Shell(begin(tmp_path_factory.mktemp("beset") / "toy").folder, variables)
    yield shell
    shell.run("down", "--yes")


@pytest.mark.parametrize("command", ASKS, ids=lambda command: " ".join(command[:3]))
def test_no_command_minds_settings_for_aws_or_asks_a_proxy(
    beset: Shell, proxy: Listener, command: tuple[str, ...]
) -> None:
    beset.run(*command)
    assert proxy.asked == []


def test_programs_that_start_anew_and_look_for_their_home_mind_them_as_little(
    tmp_path: Path, variables: Mapping[str, str], proxy: Listener
) -> None:
    shell = begin(tmp_path / "toy")
    for command in (("local", "start"), ("data",), ("doctor",), ("doctor", "--instances"), ("down", "--yes")):
        done = subprocess.run(
            [SENTICTL, *command],
            cwd=shell.folder,
            env=environment() | dict(variables),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert proxy.asked == []
