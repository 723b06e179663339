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
