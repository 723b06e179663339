"""Alerts on the twin, as a person meets them: set, confirmed, sent, over, and gone; and the figures meanwhile."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sentictl.twin import daemon
from sentictl.twin.core.clock import SPEED_VARIABLE
from tests.chain.shell import Shell, copy
from tests.twin.conftest import wait_for

SPEED = "60"  # a minute takes a second
ENDPOINT = "toy-local-endpoint"
ADDRESS = "ops@example.org"


@pytest.fixture(scope="module")
def live(standing: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    shell = replace(copy(standing, tmp_path_factory.mktemp("alerts") / "toy"), variables={SPEED_VARIABLE: SPEED})
    shell.run("config", "set", "api.throttle_rate", "1000")
    shell.run("config", "set", "api.throttle_burst", "1000")
    shell.run("up")
    yield shell
    daemon.destroy(shell.twin)


def ask(url: str, review: str = "a superb film") -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=review.encode())) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


def mails(live: Shell, subject: str) -> list[dict[str, Any]]:
    return [mail for mail in live.json("local", "mail") if mail["subject"].startswith(subject)]


def told(live: Shell, url: str, subject: str) -> dict[str, Any]:
    """Ask until a mail of this subject is there, and return it."""

    def arrived() -> list[dict[str, Any]]:
        for _ in range(5):
            ask(url)
        return mails(live, subject)

    mail: dict[str, Any] = wait_for(arrived, 60)[-1]
    return mail


def test_from_the_first_mail_to_the_last(live: Shell) -> None:
    url = live.json("status")["api_url"]
    assert "alerts" not in {step["kind"].partition("-")[0] for step in live.json("plan")["steps"]}
    nobody = live.run("alerts", expect=2)
    assert "Give an address: sentictl alerts --email" in nobody.stderr

    uses = {use["per"]: use["price"] for use in live.json("alerts", "--email", ADDRESS, "--dry-run")["uses"]}
    assert uses["a month of 5 alarms"] == pytest.approx(0.5)
    made = live.json("alerts", "--email", ADDRESS)
    assert made["tells"] == [ADDRESS]
    assert f"No alert reaches {ADDRESS} yet: confirm the mail" in made["notes"][0]
    assert made["notes"][0] in live.json("status")["warnings"]
    (asking,) = mails(live, "AWS Notification - Subscription Confirmation")
    (link,) = [line for line in asking["text"].split("\n") if line.startswith("http")]
    urllib.request.urlopen(link).close()
    assert not [warning for warning in live.json("status")["warnings"] if "alert" in warning]

    before = live.journal()
    assert "unchanged" in live.run("alerts").stderr
    assert live.run("up").stderr.count("unchanged") == 7
    assert live.journal() == before
    assert "tells ops@example.org" in live.run("status").stdout

    live.client("sagemaker").delete_endpoint(EndpointName=ENDPOINT)
    mail = told(live, url, 'ALARM: "toy-local-alert-errors"')
    assert mail["to"] == ADDRESS
    assert mail["text"].startswith("More than 5 % of the requests to toy-local failed (5xx) in 3 of 5 minutes.")
    assert "What failed: sentictl logs lambda" in mail["text"]
    live.run("deploy")
    told(live, url, 'OK: "toy-local-alert-errors"')

    ask(url, "zzz")
    figures = live.json("metrics", "--since", "1h", "--period", "1m")
    totals = figures["totals"]
    assert len(figures["rows"]["requests"]) == 60
    assert totals["requests"] > totals["failed"] >= 3
    assert (totals["positive"] > 0, totals["undecided"]) == (True, 1)
    assert 0 < figures["latency_ms"]["p50"] <= figures["latency_ms"]["p99_highest"]
    drawn = live.run("metrics").stdout
    assert f"{totals['failed']:,.0f} (" in drawn
    assert "█" in drawn
    assert "\x1b" not in drawn

    alarms = "toy-local-alert-errors"
    live.client("cloudwatch").delete_alarms(AlarmNames=[alarms])
    live.client("events").disable_rule(Name="toy-local-endpoint-fails")
    differing = {each["kind"]: each["mend"] for each in live.json("status")["resources"] if each["mend"]}
    assert differing == dict.fromkeys(("alert-alarms", "endpoint-rule"), "sentictl alerts")
    live.run("up")
    assert not [each for each in live.json("status")["resources"] if each["mend"]]

    other = live.json("alerts", "--email", "me@example.org", "--monthly-budget", "20")
    assert other["tells"] == ["me@example.org"]
    budget = live.client("budgets").describe_budget(AccountId="123456789012", BudgetName="toy-local-monthly-cost")
    assert float(budget["Budget"]["BudgetLimit"]["Amount"]) == 20
    (subscription,) = live.client("sns").list_subscriptions()["Subscriptions"]
    assert subscription["Endpoint"] == "me@example.org"

    deleted = live.json("down", "alerts", "--yes")
    kinds = {each["kind"] for each in deleted["deleted"]}
    assert kinds == {"alert-topic", "alert-alarms", "endpoint-rule", "cost-budget", "dashboard"}
    assert deleted["left"] == []
    assert live.client("sns").list_topics()["Topics"] == []
    assert live.client("cloudwatch").list_dashboards()["DashboardEntries"] == []
    assert json.loads(live.run("status", "--json").stdout)["dashboard_url"] is None
