"""The twin's own answers: who may ask, and what it says of itself."""

import urllib3

from tests.twin.conftest import Cloud

HTTP = urllib3.PoolManager()


def test_web_pages_and_foreign_hosts_are_refused(cloud: Cloud) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}):
        assert HTTP.request("GET", f"{cloud.url}/", headers=headers).status == 403
    assert HTTP.request("GET", f"{cloud.url}/").status == 200


def test_motos_reset_is_out_of_reach(cloud: Cloud) -> None:
    assert HTTP.request("POST", f"{cloud.url}/moto-api/reset").status == 404
    cloud.s3.head_bucket(Bucket=cloud.bucket)


def test_the_status_page(cloud: Cloud) -> None:
    status = HTTP.request("GET", f"{cloud.url}/_twin/status").json()
    assert cloud.url.endswith(f":{status['port']}")
    assert status["uptime"] >= 0
