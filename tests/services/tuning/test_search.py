"""What is asked of SageMaker for `[train.tune]`, and what is refused before anything is."""

from dataclasses import replace

import pytest

from sentictl.errors import SettingsError
from sentictl.lifecycle.resource import Context
from sentictl.services.tuning.search import check_search, trials, tuning_config
from tests.services.conftest import ContextOf

PROJECT = '[project]\nname = "films"\n'


def context(context_of: ContextOf, tune: str, train: str = "") -> Context:
    return context_of(f"{PROJECT}[train]\n{train}\n[train.tune]\n{tune}\n")


def test_bounds_are_strings_and_the_values_of_a_list_json(context_of: ContextOf) -> None:
    tune = """
learning_rate = { min = 0.00005, max = 0.005, scale = "log" }
dropout = { min = 0, max = 0.5 }
epochs = { min = 2, max = 5 }
hidden_dim = [32, 64]
architecture = ["lstm", "wide-lstm"]
early_stopping = true
"""
    config = tuning_config(context(context_of, tune).settings.train)
    assert config["ParameterRanges"] == {
        "IntegerParameterRanges": [{"Name": "epochs", "MinValue": "2", "MaxValue": "5", "ScalingType": "Linear"}],
        "ContinuousParameterRanges": [
            {"Name": "learning_rate", "MinValue": "5e-05", "MaxValue": "0.005", "ScalingType": "Logarithmic"},
            {"Name": "dropout", "MinValue": "0", "MaxValue": "0.5", "ScalingType": "Linear"},
        ],
        "CategoricalParameterRanges": [
            {"Name": "architecture", "Values": ['"lstm"', '"wide-lstm"']},
            {"Name": "hidden_dim", "Values": ["32", "64"]},
        ],
    }
    assert config["Strategy"] == "Bayesian"
    assert config["TrainingJobEarlyStoppingType"] == "Auto"
    assert config["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 12, "MaxParallelTrainingJobs": 2}


def test_hyperband_never_ends_a_trial_that_is_about_to_write_its_model(context_of: ContextOf) -> None:
    tune = 'strategy = "hyperband"\nhidden_dim = [32, 64]'
    config = tuning_config(context(context_of, tune, "epochs = 4").settings.train)
    # Four epochs and the whole model are reported; whoever reaches the most is ended.
    assert config["StrategyConfig"] == {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 6}}


@pytest.mark.parametrize(
    ("tune", "most"),
    [
        ("hidden_dim = [32, 64]\ndropout = [0.3, 0.5]", 4),
        ("hidden_dim = [32, 64]\nmax_trials = 1", 1),
        ("hidden_dim = { min = 32, max = 64 }", 12),
    ],
)
def test_there_are_no_more_trials_than_combinations(context_of: ContextOf, tune: str, most: int) -> None:
    assert trials(context(context_of, tune).settings.train) == most


@pytest.mark.parametrize(
    ("tune", "train", "says"),
    [
        ("", "", "nothing to tune"),
        ('strategy = "grid"\nepochs = { min = 2, max = 5 }', "", r"train\.tune\.epochs has bounds"),
        ('strategy = "grid"\nmax_trials = 3\nepochs = [1, 2]\nhidden_dim = [8, 16]', "", "have 4 combinations"),
        ('strategy = "hyperband"\nearly_stopping = true\nhidden_dim = [8, 16]', "", "ends weak trials by itself"),
        ('strategy = "hyperband"\nepochs = [1, 2]', "", r"train\.tune\.epochs cannot be tuned with it"),
        ('strategy = "hyperband"\nngrams = [1000, 2000]', 'architecture = "ngram"', r"train\.tune\.strategy is about"),
        ("hidden_dim = [8, 16]", 'architecture = "ngram"', r"train\.tune\.hidden_dim is about the LSTM"),
        ('hidden_dim = [8, 16]\narchitecture = ["ngram", "lstm"]', "", r"train\.tune\.hidden_dim is about the LSTM"),
    ],
)
def test_a_search_that_cannot_be_is_refused(context_of: ContextOf, tune: str, train: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as refusal:
        check_search(context(context_of, tune, train))
    assert "sentictl config set train." in refusal.value.hint


def test_a_name_that_leaves_no_room_is_refused(context_of: ContextOf) -> None:
    short = context(context_of, "hidden_dim = [8, 16]")
    check_search(short)
    project = short.settings.project.model_copy(update={"name": "twenty-letters-twenty"[:20]})
    settings = short.settings.model_copy(update={"project": project})
    with pytest.raises(SettingsError, match="32 characters"):
        check_search(replace(short, config=replace(short.config, settings=settings)))
