"""The twin's own answers: who may ask, and what it says of itself."""

import urllib3

from sentictl.twin.core.credentials import KEY_HEADER
from tests.twin.conftest import Cloud

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
