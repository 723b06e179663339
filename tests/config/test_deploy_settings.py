"""`[deploy]`: the limits of each setting, and what does not go with what."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.tables.deploy import DeploySettings, HoursSettings, duration, rollout_steps
from sentictl.errors import SettingsError


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "sentictl.toml").write_text("")
    return Config.load(ProjectFolder(tmp_path))


def changed(config: Config, changes: dict[str, Any]) -> DeploySettings:
    """The settings with these of [deploy]."""
    config.set({f"deploy.{name}": value for name, value in changes.items()})
    return Config.load(config.folder).settings.deploy


@pytest.mark.parametrize(
    "changes",
    [
        {"ttl": "5m"},
        {"ttl": "720h"},
        {"ttl": "30d"},
        {"memory_mb": 1024},
        {"memory_mb": 6144},
        {"max_concurrency": 7, "provisioned_concurrency": 7},
        {"instance_count": 2, "max_instances": 2, "min_instances": 2},
        {"hours.up": "mon 8:00", "hours.down": "mon 9:00"},
        {"fallback_types": "[]"},
        {"instance_count": 2, "rollout": "canary", "rollout_percent": 1},
        {"instance_count": 2, "rollout": "linear", "rollout_percent": 10, "rollout_minutes": 60},
        {"instance_count": 10, "rollout": "linear", "rollout_percent": 10, "rollout_minutes": 42},
        {"rollback_on": ["errors"]},
        {"shadow": "films-2"},
        {"serving": "serverless", "ttl": "8h"},
    ],
)
def test_what_lies_on_the_limits_is_taken(config: Config, changes: dict[str, Any]) -> None:
    settings = changed(config, changes).model_dump()
    for name, value in changes.items():
        table, _, key = name.rpartition(".")
        assert (settings[table] if table else settings)[key] == ([] if value == "[]" else value)


@pytest.mark.parametrize(
    ("changes", "message", "instead"),
    [
        ({"ttl": "4m"}, 'ttl cannot be "4m": it is a time from 5m to 30d', ""),
        ({"ttl": "31d"}, 'ttl cannot be "31d": it is a time from 5m to 30d', ""),
        ({"ttl": "soon"}, 'ttl cannot be "soon": it is a time from 5m to 30d', ""),
        ({"serving": "lambda", "ttl": "8h"}, 'ttl cannot be "8h": with deploy.serving = "lambda" there is no', ""),
        ({"memory_mb": 2000}, "memory_mb cannot be 2000: it is a multiple of 1024", ""),
        ({"memory_mb": 7168}, "memory_mb cannot be 7168: input should be less than or equal to 6144", ""),
        ({"provisioned_concurrency": 6}, "cannot be 6: it is at most deploy.max_concurrency, 5", ""),
        ({"serving": "serverless", "rollback_on": ["errors"]}, "rollback_on cannot be .*: it is of instances", "[]"),
        ({"rollback_on": "errors,noise"}, "it is a list of errors, latency, undecided and probability", ""),
        ({"rollback_on": [1]}, "it is a list of errors, latency, undecided and probability", ""),
        ({"serving": "lambda", "rollout": "canary"}, "rollout cannot be .*: it is of instances alone", "all-at-once"),
        ({"rollout": "canary"}, "deploy.instance_count is 1", "all-at-once"),
        (
            {"instance_count": 2, "rollout": "linear", "rollout_percent": 9},
            "steps of 10 to 50 percent, and deploy.rollout_percent is less",
            "canary",
        ),
        (
            {"instance_count": 10, "rollout": "linear", "rollout_percent": 10, "rollout_minutes": 43},
            "rollout_minutes cannot be 43: all steps together .*: 42 at most",
            "42",
        ),
        ({"serving": "lambda", "shadow": "a"}, "shadow cannot be .*: it answers on an instance", "off"),
        ({"rollback_on": ["errors"], "shadow": "a"}, "shadow cannot be .*: a rollout that AWS can take back", "off"),
        ({"instance_count": 2, "rollout": "canary", "shadow": "a"}, "a rollout that AWS can take back", "off"),
        ({"hours.timezone": "nowhere at all"}, "there is no such time zone; they are called as in IANA's list", ""),
        ({"image": "films"}, 'image cannot be "films"', ""),
        ({"serving": "lambda", "hours.down": "mon 8:00"}, "hours.down cannot be .*: deploy.serving is lambda", ""),
        ({"max_instances": 2, "hours.down": "mon 8:00"}, "max_instances cannot be 2: how an endpoint scales", ""),
    ],
)
def test_what_does_not_go_is_refused_with_what_was_perhaps_meant(
    config: Config, changes: dict[str, Any], message: str, instead: str
) -> None:
    with pytest.raises(SettingsError, match=message) as refusal:
        changed(config, changes)
    hint = refusal.value.hint
    assert hint.startswith(f"Did you mean {instead}?") if instead else "Did you mean" not in hint
    assert config.folder.settings_file.read_text() == ""


@pytest.mark.parametrize("changes", [{"ttl": "off"}, {"shadow": "off"}, {"ttl": ""}, {"shadow": ""}])
def test_off_is_none(config: Config, changes: dict[str, Any]) -> None:
    settings = changed(config, {"ttl": "8h", "shadow": "films-2"} | changes)
    (name,) = changes
    assert getattr(settings, name) == ""


def test_an_unknown_serving_is_told_before_what_does_not_go_with_it(config: Config) -> None:
    with pytest.raises(SettingsError, match=r"deploy\.serving cannot be"):
        changed(config, {"serving": "train", "rollout": "canary", "shadow": "a", "rollback_on": ["errors"]})
    with pytest.raises(SettingsError, match=r"deploy\.rollout_percent cannot be 99"):
        changed(config, {"instance_count": 2, "rollout": "linear", "rollout_percent": 99})
    with pytest.raises(SettingsError, match=r"deploy\.instance_count cannot be 99"):
        changed(config, {"instance_count": 99, "rollout": "linear"})


@pytest.mark.parametrize(
    ("ttl", "length"), [("30m", timedelta(minutes=30)), ("8h", timedelta(hours=8)), ("3d", timedelta(days=3))]
)
def test_a_time_to_live_is_minutes_hours_or_days(ttl: str, length: timedelta) -> None:
    assert duration(ttl) == length


def test_another_time_is_told() -> None:
    with pytest.raises(ValueError, match="3 weeks is not a time such as 30m, 8h or 3d"):
        duration("3 weeks")


@pytest.mark.parametrize(
    ("rollout", "percent", "instances", "shares"),
    [
        ("all-at-once", 25, 4, [1.0]),
        ("canary", 25, 4, [0.25, 1.0]),
        ("canary", 25, 2, [0.5, 1.0]),
        ("linear", 25, 4, [0.25, 0.5, 0.75, 1.0]),
        ("linear", 50, 5, [0.4, 0.8, 1.0]),
        ("linear", 40, 5, [0.4, 0.8, 1.0]),
    ],
)
def test_each_step_of_a_rollout_turns_on_whole_machines(
    rollout: str, percent: int, instances: int, shares: list[float]
) -> None:
    assert rollout_steps(rollout, percent, instances) == shares


def test_what_is_watched_follows_from_the_rollout() -> None:
    def watched(**given: Any) -> tuple[tuple[str, ...], bool]:
        settings = DeploySettings(instance_count=2, **given)
        return settings.watched, settings.guarded

    assert watched() == ((), False)
    assert watched(rollout="canary") == (("errors", "latency"), True)
    assert watched(rollout="linear", rollback_on="latency, latency") == (("latency",), True)
    assert watched(rollback_on='["undecided", "errors"]') == (("undecided", "errors"), True)
    assert not DeploySettings(serving="serverless").guarded


def test_how_many_machines_of_which_types() -> None:
    fixed = DeploySettings(instance_count=3)
    assert (fixed.scales, fixed.machine_counts, fixed.machine_types) == (False, (3, 3), ["ml.m5.large"])
    scaled = DeploySettings(instance_count=3, min_instances=2, max_instances=4, fallback_types=["ml.c5.large"])
    assert (scaled.scales, scaled.machine_counts) == (True, (2, 4))
    assert scaled.machine_types == ["ml.m5.large", "ml.c5.large"]


def test_the_hours_are_a_share_of_the_week_in_their_time_zone() -> None:
    always = DeploySettings().hours
    morning = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)  # a Monday
    assert (always.share, always.week, always.closed_at(morning)) == (1.0, None, False)
    assert HoursSettings(up="mon 8:00").share == 1.0
    hours = HoursSettings(up="daily 8:00", down="daily 14:00", timezone="Europe/Berlin")
    assert hours.share == 0.25
    assert not hours.closed_at(morning)
    assert hours.closed_at(morning - timedelta(hours=1))
    assert hours.minute(morning) == 8 * 60 + 30
    assert str(hours) == "daily 8:00 to daily 14:00, Europe/Berlin"
