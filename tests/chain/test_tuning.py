"""Tuning on the twin: trials that really train, the best of them served like any other version, and what is refused."""

import json
import signal
from typing import Any

import pytest

from sentictl.twin import daemon
from tests.chain.shell import SENTICTL, Shell, environment
from tests.golden.requests import Request, complaints
from tests.prepared import popen as prepared

TUNE = """
[train.tune]
strategy = "random"
max_trials = 3
parallel_trials = 2
ngrams = { min = 1000, max = 9000 }
"""


@pytest.fixture(scope="module")
def tuned(shell: Shell) -> dict[str, Any]:
    """What a tuning of three trials came to, in a project that had one model before."""
    path = shell.folder / "sentictl.toml"
    path.write_text(path.read_text().replace("[train]\n", '[train]\narchitecture = "ngram"\n') + TUNE)
    shell.run("data")
    planned = shell.json("train", "--tune", "--dry-run")
    assert [(step["action"], step["kind"]) for step in planned["steps"]][-1] == (
        "create",
        "hyper-parameter-tuning-job",
    )
    assert planned["tuning"]["trials"] == 3
    assert planned["tuning"]["most"] == pytest.approx(3 * planned["training_hourly_cost"])
    found: dict[str, Any] = shell.json("train", "--tune")
    return found


def runs(shell: Shell, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shell.json("runs", *options)["runs"]
    return found


def test_the_best_trial_is_a_version_and_its_values_the_settings(shell: Shell, tuned: dict[str, Any]) -> None:
    (version,) = shell.json("models")["models"]
    assert version["name"] == tuned["name"]
    assert version["current"]
    assert version["validation_accuracy"] == pytest.approx(tuned["metrics"]["validation_accuracy"], abs=1e-3)
    best = runs(shell, "--sort", "accuracy")[0]
    assert (best["name"], best["number"]) == (tuned["name"], 1)
    assert shell.json("config", "get", "train.ngrams") == best["settings"]["ngrams"]


def test_it_is_served_and_up_trains_nothing_more(shell: Shell, tuned: dict[str, Any]) -> None:
    before = shell.journal().count(b"CreateTrainingJob")
    assert shell.json("up")["model"] == tuned["name"]
    assert shell.json("predict", "a superb film", "--via", "endpoint")["model"] == tuned["name"]
    assert shell.journal().count(b"CreateTrainingJob") == before
    assert [run["live"] for run in runs(shell) if run["name"] == tuned["name"]] == [True]


def test_runs_tells_trials_apart_by_what_differs(shell: Shell, tuned: dict[str, Any]) -> None:
    found = shell.json("runs")
    assert found["differing"] == ["ngrams"]
    assert len(found["runs"]) == 3
    for run in found["runs"]:
        assert run["status"] == "Completed"
        assert run["interval"][0] < run["validation_accuracy"] <= run["interval"][1] + 1e-9
        assert run["price"] > 0
        assert run["name"].startswith(run["tuning_job"])
    drawing = shell.folder / "runs.svg"
    text = shell.run("runs", "--plot", str(drawing)).stdout
    assert text.count("validation") == text.count("ngrams") == 3
    assert drawing.read_text().count("<circle") == 2 * 3


def test_status_has_a_row_for_it(shell: Shell, tuned: dict[str, Any]) -> None:
    shown = shell.run("status").stdout
    assert f"tune         {tuned['name'].rsplit('-', 2)[0]} · 3 trials · Completed" in shown
    assert f"train        {tuned['name']}" in shown


def test_the_same_search_again_trains_nothing(shell: Shell, tuned: dict[str, Any]) -> None:
    before = shell.journal()
    assert shell.json("train", "--tune")["name"] == tuned["name"]
    assert shell.journal() == before


def test_a_restart_of_the_twin_brings_all_back(shell: Shell, tuned: dict[str, Any]) -> None:
    before = runs(shell)
    shell.run("local", "stop")
    assert runs(shell) == before


def test_what_is_asked_is_what_the_service_model_allows(shell: Shell, tuned: dict[str, Any]) -> None:
    """Against AWS's own lengths, patterns and bounds."""
    calls = [json.loads(line).get("call", {}) for line in shell.journal().splitlines()]
    wanted = "SageMaker.CreateHyperParameterTuningJob"
    (asked,) = [call for call in calls if call.get("headers", {}).get("x-amz-target") == wanted]
    body = asked.get("body") or (shell.folder / ".sentictl/local/journal/bodies" / asked["sha256"]).read_text()
    model = shell.client("sagemaker").meta.service_model.operation_model("CreateHyperParameterTuningJob")
    request = Request("sagemaker", model.name, json.loads(body), model)
    assert complaints(request) == []
    assert request.parameters["TrainingJobDefinition"]["StaticHyperParameters"]["sagemaker_program"] == '"train.py"'


def test_what_cannot_be_searched_is_refused_before_any_call(shell: Shell, tuned: dict[str, Any]) -> None:
    before, settings = shell.journal(), (shell.folder / "sentictl.toml").read_bytes()
    assert shell.json("train", "--tune", "--strategy", "grid", expect=2)["error"]["code"] == "settings"
    shell.json("train", "--tune", "--max-trials", "0", expect=2)
    assert (shell.journal(), (shell.folder / "sentictl.toml").read_bytes()) == (before, settings)


def test_more_at_a_time_than_the_quota_allows_is_told_as_that(shell: Shell, tuned: dict[str, Any]) -> None:
    error = shell.json("train", "--tune", "--max-trials", "9", "--parallel-trials", "9", expect=1)["error"]
    assert "ml.m5.xlarge for training job usage" in error["message"]
    for name, value in (("max_trials", "3"), ("parallel_trials", "2")):
        shell.run("config", "set", f"train.tune.{name}", value)


def test_ctrl_c_leaves_it_running_and_stop_ends_it(shell: Shell, tuned: dict[str, Any]) -> None:
    for name, value in (("train.architecture", "lstm"), ("train.epochs", "100"), ("train.patience", "100")):
        shell.run("config", "set", name, value)
    shell.run("config", "set", "train.tune.ngrams", "[]")
    shell.run("config", "set", "train.tune.hidden_dim", "[8, 16, 24]")
    following = prepared.Popen(
        [SENTICTL, "train", "--tune"],
        cwd=shell.folder,
        env=environment(),
        stderr=-1,
        stdout=-1,
        text=True,
    )
    assert following.stderr is not None
    for line in following.stderr:
        if "3 trials, 2 at a time" in line:
            break
    following.send_signal(signal.SIGINT)
    _, said = following.communicate(timeout=60)
    assert following.returncode == 130, said
    assert "sentictl train --stop" in said
    name = shell.json("train", "--stop")["stopped"]
    job = shell.client("sagemaker").describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert job["HyperParameterTuningJobStatus"] == "Stopped"


def test_prune_takes_the_trials_that_are_no_version(shell: Shell, tuned: dict[str, Any]) -> None:
    found = shell.json("prune", "--yes")
    gone = {each["name"] for each in found["unused"] if each["kind"] == "trial"}
    assert len(gone) >= 2
    assert tuned["name"] not in gone
    assert not [each for each in found["untouched"] if "models/" in each["where"]]
    assert shell.json("prune")["unused"] == []


def test_down_takes_everything(shell: Shell, tuned: dict[str, Any]) -> None:
    assert shell.json("down", "--yes")["left"] == []
    assert not daemon.status(shell.twin).running
