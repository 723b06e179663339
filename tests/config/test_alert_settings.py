"""Who is told when something is wrong, as the settings have it, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import SettingsError

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ops"


def load(folder: Path, text: str) -> Config:
    (folder / "sentictl.toml").write_text(text)
    return Config.load(ProjectFolder(folder))


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ('"ops@example.org"', ["ops@example.org"]),
        ('"ops@example.org, me@example.org,ops@example.org"', ["ops@example.org", "me@example.org"]),
        ('["o.p+s@mail.example.co.uk"]', ["o.p+s@mail.example.co.uk"]),
        ('""', []),
        ("[]", []),
    ],
)
def test_an_address_or_several(tmp_path: Path, written: str, addresses: list[str]) -> None:
    alerts = load(tmp_path, f"[alerts]\nemail = {written}\n").settings.alerts
    assert (alerts.email, alerts.wanted) == (addresses, bool(addresses))


def test_a_topic_of_ones_own(tmp_path: Path) -> None:
    assert load(tmp_path, f'[alerts]\ntopic = "{TOPIC}"\n').settings.alerts.wanted
    assert not load(tmp_path, "").settings.alerts.wanted


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alerts.email": "ops"}, 'alerts.email cannot be "ops": ops is no mail address; it is one such as'),
        ({"alerts.email": "ops@localhost"}, "ops@localhost is no mail address"),
        ({"alerts.email": "ops@example.org, me example.org"}, "me example.org is no mail address"),
        ({"alerts.email": "a\x1b[31m@example.org"}, "is no mail address"),
        ({"alerts.email": "a(b)@example.org"}, "is no mail address"),
        ({"alerts.email": "a@b@example.org"}, "a@b@example.org is no mail address"),
        ({"alerts.email": ",".join(f"a{n}@example.org" for n in range(11))}, "there are 10 addresses at most"),
        ({"alerts.topic": "ops"}, "alerts.topic cannot be .*the ARN of an SNS topic"),
        ({"alerts.topic": f"{TOPIC}.fifo"}, "no FIFO topic"),
        (
            {"alerts.topic": TOPIC, "alerts.email": "ops@example.org"},
            "alerts.topic cannot be .*alerts.email is set, too",
        ),
        ({"alerts.idle_days": 8}, "alerts.idle_days cannot be 8"),
        ({"alerts.error_percent": 0}, "alerts.error_percent cannot be 0"),
        ({"alerts.latency_ms": 30_000}, "alerts.latency_ms cannot be 30000"),
        ({"alerts.monthly_budget": -1}, "alerts.monthly_budget cannot be -1"),
    ],
)
def test_what_tells_nobody_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    config = load(tmp_path, "# mine\n")
    with pytest.raises(SettingsError, match=message):
        config.set(changes)
    assert (tmp_path / "sentictl.toml").read_text() == "# mine\n"
