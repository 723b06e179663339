"""What settings take, and how a value that is not allowed is refused."""

import json
from pathlib import Path

import pytest

from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import SettingsError


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "sentictl.toml").write_text("[site]\n# ours\n")
    return Config.load(ProjectFolder(tmp_path))


def test_examples_are_set_as_json_and_kept_as_a_list(config: Config) -> None:
    examples = ['So "good"!', "Naïve\nand dull."]
    assert config.set({"site.examples": json.dumps(examples)}) == {"site.examples": examples}
    assert Config.load(config.folder).settings.site.examples == examples
    assert "# ours" in config.folder.settings_file.read_text()


def test_a_variable_gives_examples_as_json(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTICTL_SITE_EXAMPLES", '["one"]')
    assert Config.load(config.folder).settings.site.examples == ["one"]


def test_fallback_types_are_a_list_or_a_text_with_commas(config: Config) -> None:
    types = ["ml.m6i.large", "ml.c5.large"]
    assert config.set({"deploy.fallback_types": " ml.m6i.large, ml.c5.large"}) == {"deploy.fallback_types": types}
    assert Config.load(config.folder).settings.deploy.machine_types == ["ml.m5.large", *types]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"deploy.hours.up": "weekdays 8:00"},
            "deploy.hours.up cannot be .*days and a time of day, such as mon-fri 08:00",
        ),
        ({"deploy.hours.timezone": "Europe/Berlín"}, "deploy.hours.timezone cannot be .*there is no such time zone"),
        ({"deploy.hours.timezone": "/etc/passwd"}, "there is no such time zone"),
        ({"deploy.min_instances": 2}, "deploy.min_instances cannot be 2: deploy.max_instances is 0"),
        (
            {"deploy.max_instances": 2, "deploy.min_instances": 3},
            "deploy.min_instances cannot be 3: deploy.max_instances is 2",
        ),
        (
            {"deploy.max_instances": 3, "deploy.min_instances": 2},
            "deploy.instance_count cannot be 1: deploy.min_instances",
        ),
        (
            {"deploy.max_instances": 3, "deploy.instance_count": 4},
            "deploy.instance_count cannot be 4: deploy.max_instances",
        ),
        ({"deploy.max_instances": 11}, "deploy.max_instances cannot be 11: .*less than or equal to 10"),
        (
            {"deploy.max_instances": 2, "deploy.instance_type": "ml.t2.large"},
            "deploy.max_instances cannot be 2: burstable machines such as ml.t2.large do not scale",
        ),
        (
            {"deploy.max_instances": 2, "deploy.serving": "serverless"},
            "deploy.max_instances cannot be 2: deploy.serving",
        ),
        ({"deploy.max_instances": 2, "deploy.serving": "lambda"}, "deploy.max_instances cannot be 2: deploy.serving"),
        (
            {"deploy.max_instances": 2, "deploy.hours.up": "mon 8:00"},
            "deploy.max_instances cannot be 2: how an endpoint scales is forgotten",
        ),
        ({"deploy.ttl": "8h", "deploy.hours.down": "mon 8:00"}, 'deploy.ttl cannot be "8h": deploy.hours.down takes'),
        ({"deploy.ttl": "8h", "deploy.hours.up": "mon 8:00"}, 'deploy.ttl cannot be "8h": deploy.hours.up would bring'),
        (
            {"deploy.hours.up": "mon 8:00", "deploy.serving": "lambda"},
            "deploy.hours.up cannot be .*deploy.serving is lambda",
        ),
        ({"deploy.fallback_types": ["ml.g5.xlarge"]}, "deploy.fallback_types cannot be .*another container image"),
        ({"deploy.fallback_types": ["ml.c7g.large"]}, "deploy.fallback_types cannot be .*another container image"),
        ({"deploy.fallback_types": ["ml.m5.large"]}, "deploy.fallback_types cannot be .*a type is named twice"),
        ({"deploy.fallback_types": ["ml.m5.lrge"]}, 'deploy.fallback_types cannot be "ml.m5.lrge": there is no such'),
        ({"deploy.fallback_types": ["ml.m6i.large"], "deploy.serving": "lambda"}, "deploy.fallback_types cannot be"),
        ({"deploy.fallback_types": [f"ml.c5.{n}xlarge" for n in (2, 4, 9, 18)] + ["ml.c5.large"]}, "at most 4 items"),
    ],
)
def test_what_does_not_go_together_is_refused_as_a_fault_of_one_setting(
    config: Config, changes: dict[str, object], message: str
) -> None:
    before = config.folder.settings_file.read_bytes()
    with pytest.raises(SettingsError, match=message):
        config.set(changes)
    assert config.folder.settings_file.read_bytes() == before


def test_a_time_zone_that_is_nearly_right_gets_a_suggestion(config: Config) -> None:
    with pytest.raises(SettingsError) as refusal:
        config.set({"deploy.hours.timezone": "Europe/berlin"})
    assert refusal.value.hint.startswith("Did you mean Europe/Berlin?")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("site.examples", "What a film!", "a list of texts such as"),
        ("site.examples", '["open', "a list of texts such as"),
        ("site.examples", '{"a": "b"}', "a list of texts such as"),
        ("site.examples", ["fine", 3], "a list of texts such as"),
        ("site.examples", ["fine", " "], "each is 1 to 1000 characters long"),
        ("site.examples", ["x" * 1_001], "each is 1 to 1000 characters long"),
        ("site.examples", ["x"] * 9, "there are 8 examples at most"),
        ("site.accent", "teal", "a color such as #2a5f7a"),
        ("site.accent", "#12345", "a color such as #2a5f7a"),
        ("site.accent", "#1234567", "a color such as #2a5f7a"),
        ("site.accent", "#12345g", "a color such as #2a5f7a"),
        ("site.title", "", "at least 1 character"),
        ("site.title", "x" * 81, "at most 80 characters"),
        ("site.intro", "x" * 401, "at most 400 characters"),
        ("site.footer", "x" * 401, "at most 400 characters"),
    ],
)
def test_what_the_page_cannot_show_is_refused(config: Config, key: str, value: object, reason: str) -> None:
    before = config.folder.settings_file.read_bytes()
    with pytest.raises(SettingsError, match=reason) as refusal:
        config.set({key: value})
    assert f"The setting {key} cannot be " in refusal.value.message
    assert config.folder.settings_file.read_bytes() == before
