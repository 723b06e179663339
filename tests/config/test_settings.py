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


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("api.cors_origins", "films.example", "films.example is no origin"),
        ("api.cors_origins", "https://films.example/", "https://films.example/ is no origin"),
        ("api.cors_origins", "https://Films.example", "https://Films.example is no origin"),
        ("api.cors_origins", "https://*.example", r"https://\*.example is no origin"),
        ("api.cors_origins", "*,https://films.example", "stands alone"),
        ("api.cors_origins", "[", "a list of origins such as"),
        ("api.cors_origins", [], "a list of origins such as"),
        ("api.cors_origins", [1], "a list of origins such as"),
        ("api.cors_origins", [f"https://a{n}.example" for n in range(21)], "20 origins at most"),
        ("api.key_quota", "1000", "a day, week or month"),
        ("api.key_quota", "0/day", "a day, week or month"),
        ("api.key_quota", "10/hour", "a day, week or month"),
        ("api.key_rate", "0", "greater than 0"),
        ("api.auth", "password", "'none', 'key'"),
    ],
)
def test_who_may_ask_is_said_in_few_words(config: Config, key: str, value: object, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        config.set({key: value})


def test_origins_are_a_list_or_a_text_with_commas(config: Config) -> None:
    origins = ["https://films.example", "http://localhost:8000", "http://[::1]:80"]
    for given in (origins, json.dumps(origins), f" {json.dumps(origins)}", ", ".join(origins)):
        assert config.change({"api.cors_origins": given}) in ({"api.cors_origins": origins}, {})
        assert config.settings.api.cors_origins == origins
    assert config.set({"api.key_quota": "5/month"}) == {"api.key_quota": "5/month"}
    assert config.set({"api.key_quota": ""}) == {"api.key_quota": ""}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("site.examples", ["x" * 1_000] * 8),
        ("api.cors_origins", [f"https://a{n}.example" for n in range(20)]),
        ("api.cors_origins", ["*"]),
        ("api.caller_rate_limit", 10),
        ("api.caller_rate_limit", 0),
        ("data.delimiter", "tab"),
        ("data.delimiter", r"\t"),
        ("data.delimiter", "|"),
        ("project.state", "s3://our-bucket/films"),
        ("logs.days", 3288),
    ],
)
def test_what_lies_on_the_limits_is_taken(config: Config, key: str, value: object) -> None:
    config.change({key: value})
    assert config.get(key) == value


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("api.caller_rate_limit", 9, "it is 10 requests in five minutes at least, or 0 for no limit"),
        ("data.delimiter", "\n", "it is one character, such as ; or |, or the word tab"),
        ("data.delimiter", "ab", "it is one character, such as ; or |, or the word tab"),
        ("project.state", "ftp://films", "it is file, s3 or an address such as s3://our-bucket/films"),
        ("project.name", "Films", "2 to 20 lower-case letters"),
        ("logs.days", 3289, "3288"),
    ],
)
def test_what_lies_beyond_them_is_refused(config: Config, key: str, value: object, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as refusal:
        config.change({key: value})
    assert f"The setting {key} cannot be " in refusal.value.message


def test_the_place_of_a_state_ends_without_a_slash(config: Config) -> None:
    config.change({"project.state": "s3://our-bucket/films/"})
    assert config.settings.project.state == "s3://our-bucket/films"


def test_where_the_state_is_cannot_be_set_while_there_is_one(config: Config) -> None:
    config.folder.settings_file.write_text("[state.local]\nversion = 3\nresources = []\n")
    with pytest.raises(SettingsError) as refusal:
        Config.load(config.folder).set({"project.state": "s3"})
    assert refusal.value.message == ("project.state cannot be set by itself: what is recorded would stay where it is.")
    assert refusal.value.hint == "Move it: sentictl state move s3"
