"""Settings by their dotted keys."""

import pytest

from sentictl.config.dotted_keys import TABLES, all_keys, get, holds, merge, variable, with_values
from sentictl.config.settings import Settings
from sentictl.errors import SettingsError


def test_a_key_is_of_a_setting_and_not_of_a_table() -> None:
    keys = list(all_keys())
    assert {"train.epochs", "lambda.memory_mb", "deploy.hours.up", "batch.schedule.every"} <= set(keys)
    assert len(keys) == len(set(keys))
    assert not TABLES.keys() & set(keys)
    assert {"train", "train.tune", "deploy.hours"} <= TABLES.keys()


def test_a_setting_or_a_whole_table_is_got_by_its_key() -> None:
    settings = with_values(Settings(), {"train.epochs": "7", "deploy.hours.up": "mon 8:00"}, str)
    assert get(settings, "train.epochs") == 7
    assert get(settings, "deploy.hours") == {"up": "mon 8:00", "down": "", "timezone": "UTC"}
    assert get(settings, "lambda.memory_mb") == get(settings, "lambda")["memory_mb"]


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("train.epoch", "train.epochs"),
        ("deploy.hours.time_zone", "deploy.hours.timezone"),
        ("train.epochs.x", "train.epochs"),
    ],
)
def test_one_that_there_is_not_is_told_with_the_one_that_was_meant(key: str, meant: str) -> None:
    for ask in (lambda: get(Settings(), key), lambda: with_values(Settings(), {key: "1"}, str)):
        with pytest.raises(SettingsError) as refusal:
            ask()
        assert refusal.value.message == f"There is no setting called {key}."
        assert refusal.value.hint == f"Did you mean {meant}?"


def test_one_like_no_other_is_told_with_all_that_there_are() -> None:
    with pytest.raises(SettingsError) as refusal:
        get(Settings(), "0")
    assert refusal.value.hint == f"Known: {', '.join(all_keys())}."


@pytest.mark.parametrize("key", ["train.ngram_epochs", "env.prod.train.ngram_epochs"])
def test_one_that_there_was_is_told_with_why_it_went(key: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        get(Settings(), key)
    assert refusal.value.message == f"There is no setting {key} any more: the linear part is trained until it fits."
    assert refusal.value.hint == "Take it out of sentictl.toml."


def test_a_long_value_is_shown_in_part() -> None:
    for value, shown in (("x" * 78, f'"{"x" * 78}"'), ("x" * 79, f'"{"x" * 78}…')):
        with pytest.raises(SettingsError) as refusal:
            with_values(Settings(), {"project.name": value}, lambda key: f"Set {key} to VALUE.")
        assert refusal.value.message.startswith(f"The setting project.name cannot be {shown}: ")
        assert refusal.value.hint == "Set project.name to VALUE."


def test_tables_are_merged_and_values_replaced() -> None:
    base = {"a": {"b": 1, "c": {"d": 2}}, "e": [1]}
    assert merge(base, {"a": {"c": {"f": 3}}, "e": [2], "g": 4}) == {
        "a": {"b": 1, "c": {"d": 2, "f": 3}},
        "e": [2],
        "g": 4,
    }
    assert merge(base, {"a": 1}) == {"a": 1, "e": [1]}
    assert base == {"a": {"b": 1, "c": {"d": 2}}, "e": [1]}
    assert [holds(base, key) for key in ("a.c.d", "a.c", "a.d", "a.b.x", "x")] == [True, True, False, False, False]


def test_a_variable_is_called_after_its_key() -> None:
    assert variable("deploy.hours.up") == "SENTICTL_DEPLOY_HOURS_UP"


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        ({"deploy.serving": "lambda"}, {"deploy.max_instances": 3, "deploy.serving": "instance"}),
        (
            {"deploy.instance_count": 2, "deploy.rollout": "canary"},
            {"deploy.instance_count": 1, "deploy.rollout": "all-at-once"},
        ),
        (
            {"deploy.instance_count": 4, "deploy.rollout": "linear"},
            {"deploy.rollout_percent": 5, "deploy.rollout": "canary"},
        ),
    ],
)
def test_settings_that_go_together_are_changed_together(before: dict[str, object], changes: dict[str, object]) -> None:
    """However each is given, as a number or as text."""
    settings = with_values(Settings(), before, str)
    for given in (changes, {key: str(value) for key, value in changes.items()}):
        changed = with_values(settings, given, str)
        assert {key: get(changed, key) for key in changes} == changes
