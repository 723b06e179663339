"""`[train.tune]`: ranges of hyperparameters, checked against what `[train]` takes."""

from pathlib import Path
from typing import Any

import pytest

from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import SettingsError

TUNED = """\
[train]
epochs = 4

[train.tune]
max_trials = 20  # ours
learning_rate = { min = 0.0005, max = 0.005, scale = "log" }
hidden_dim = [32, 64]
"""


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    (tmp_path / "sentictl.toml").write_text(TUNED)
    return ProjectFolder(tmp_path)


def test_bounds_and_lists_are_ranges_and_all_else_is_not_tuned(folder: ProjectFolder) -> None:
    tune = Config.load(folder).settings.train.tune
    assert tune.ranges == {"learning_rate": {"min": 0.0005, "max": 0.005, "scale": "log"}, "hidden_dim": [32, 64]}
    assert (tune.max_trials, tune.strategy) == (20, "bayesian")


def test_a_range_is_set_as_json_and_kept_on_one_line(folder: ProjectFolder) -> None:
    given = {"min": 2, "max": 5}
    assert Config.load(folder).set({"train.tune.epochs": '{"min": 2, "max": 5}'}) == {"train.tune.epochs": given}
    text = folder.settings_file.read_text()
    assert "epochs = {min = 2, max = 5}\n" in text
    assert "# ours" in text
    assert Config.load(folder).settings.train.tune.epochs == given
    Config.load(folder).set({"train.tune.hidden_dim": "[]", "train.tune.strategy": "random"})
    tune = Config.load(folder).settings.train.tune
    assert (sorted(tune.ranges), tune.strategy) == (["epochs", "learning_rate"], "random")


def test_another_environment_has_a_range_of_its_own(folder: ProjectFolder) -> None:
    folder.settings_file.write_text(TUNED + '\n[env.prod]\nregion = "eu-west-1"\n')
    Config.load(folder, "prod").set({"train.tune.max_trials": "40"})
    assert Config.load(folder, "prod").settings.train.tune.max_trials == 40
    assert Config.load(folder).settings.train.tune.max_trials == 20


def test_a_variable_gives_a_setting(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTICTL_TRAIN_TUNE_MAX_TRIALS", "3")
    monkeypatch.setenv("SENTICTL_TRAIN_TUNE_DROPOUT", "[0.3, 0.5]")
    tune = Config.load(folder).settings.train.tune
    assert (tune.max_trials, tune.dropout) == (3, [0.3, 0.5])


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("learning_rate", {"min": 0.1, "max": 1.5}, r"train.learning_rate cannot be 1.5: input should be less than 1"),
        ("learning_rate", {"min": 0.1, "max": 0.1}, "its min is below its max"),
        ("max_tokens", {"min": 64}, "a list of values, or a table such as"),
        ("learning_rate", {"min": 0.1, "max": 0.2, "step": 0.1}, "step means nothing in it"),
        ("dropout", {"min": 0, "max": 0.5, "scale": "log"}, "on a log scale its min is above 0"),
        ("dropout", {"min": 0.1, "max": 0.5, "scale": "cubic"}, "its scale is linear or log"),
        ("hidden_dim", [32, 0], "train.hidden_dim cannot be 0"),
        ("hidden_dim", [32, "wide"], 'train.hidden_dim cannot be "wide"'),
        ("hidden_dim", [32, 32], "a value stands in it twice"),
        ("hidden_dim", list(range(1, 32)), "it has 30 values at most"),
        ("hidden_dim", {"min": 1.5, "max": 8}, "train.hidden_dim cannot be 1.5"),
        ("hidden_dim", 64, "a list of values, or a table such as"),
        ("architecture", ["ngram", "deep"], 'train.architecture cannot be "deep"'),
        ("architecture", {"min": "lstm", "max": "ngram"}, "nothing between two words"),
        ("max_trials", 0, "greater than or equal to 1"),
        ("parallel_trials", 101, "less than or equal to 100"),
        ("strategy", "guess", "input should be 'bayesian'"),
    ],
)
def test_what_train_does_not_take_is_refused(folder: ProjectFolder, name: str, value: Any, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as refusal:
        Config.load(folder).set({f"train.tune.{name}": value})
    assert f"The setting train.tune.{name} cannot be " in refusal.value.message
    assert folder.settings_file.read_text() == TUNED


def test_an_unknown_hyperparameter_is_refused_with_the_one_that_was_meant(folder: ProjectFolder) -> None:
    folder.settings_file.write_text("[train.tune]\nlearning_rat = [0.1]\n")
    with pytest.raises(SettingsError, match=r"no setting called train\.tune\.learning_rat") as refusal:
        Config.load(folder)
    assert refusal.value.hint == "Did you mean train.tune.learning_rate?"
