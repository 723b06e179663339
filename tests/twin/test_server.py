"""The twin's own answers: who may ask, and what it says of itself."""

import resource
from typing import Any

import pytest
import urllib3

from sentictl.twin.core.credentials import KEY_HEADER
from tests.twin.conftest import Cloud, code_of

HTTP = urllib3.PoolManager()


def ask(cloud: Cloud, path: str, method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
    """Ask as somebody who holds the key."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTP.request(method, f"{cloud.url}{path}", headers=named | {KEY_HEADER: cloud.key})


def test_web_pages_and_foreign_hosts_are_refused(cloud: Cloud) -> None:
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:4599"},
    ):
        assert ask(cloud, "/", **headers).status == 403
    for headers in ({}, {"Sec-Fetch-Site": "none"}, {"Host": "localhost:8080"}):
        assert ask(cloud, "/", **headers).status == 200


def test_motos_reset_is_out_of_reach(cloud: Cloud) -> None:
    assert ask(cloud, "/moto-api/reset", "POST").status == 404
    cloud.s3.head_bucket(Bucket=cloud.bucket)


def test_the_status_page(cloud: Cloud) -> None:
    status = ask(cloud, "/_twin/status").json()
    assert cloud.url.endswith(f":{status['port']}")
    assert status["uptime"] >= 0


# What changes something, in each protocol that the twin speaks.
CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "s3": ("create_bucket", {"Bucket": "on-a-full-disk"}),
    "iam": ("create_role", {"RoleName": "on-a-full-disk", "AssumeRolePolicyDocument": '{"Statement": []}'}),
    "logs": ("create_log_group", {"logGroupName": "on-a-full-disk"}),
    "scheduler": ("create_schedule_group", {"Name": "on-a-full-disk"}),
    "cloudwatch": ("put_dashboard", {"DashboardName": "on-a-full-disk", "DashboardBody": '{"widgets": []}'}),
}


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux lets one limit another process")
@pytest.mark.parametrize("service", CHANGES)
def test_on_a_full_disk_nothing_is_done_and_each_service_says_why_in_its_own_form(cloud: Cloud, service: str) -> None:
    operation, arguments = CHANGES[service]
    change = getattr(getattr(cloud, service), operation)
    twin = ask(cloud, "/_twin/status").json()["pid"]
    before = resource.prlimit(twin, resource.RLIMIT_FSIZE)
    resource.prlimit(twin, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        assert code_of(change, **arguments) == "InsufficientStorage"
    finally:
        resource.prlimit(twin, resource.RLIMIT_FSIZE, before)
    change(**arguments)  # which would say that it is there already
