"""Versions of the model on the twin: listing them, going back and forth between them, and refusing a worse one."""

from typing import Any

import pytest

from tests.chain.shell import Shell
from tests.chain.terminal import on_terminal
from tests.chain.visitors import Visitors

REVIEW = "a superb film"


@pytest.fixture(scope="module")
def names(live: Shell) -> list[str]:
    """The names of two versions, the first of which was brought up before the second."""
    (first,) = live.json("models")["models"]
    live.run("config", "set", "train.ngrams", "4000")
    return [first["name"], live.json("up")["model"]]


def listed(live: Shell, mark: str) -> list[str]:
    """The names of the versions that have this mark, "live" or "current"."""
    return [model["name"] for model in live.json("models")["models"] if model[mark]]


def served(live: Shell, via: str = "endpoint") -> str:
    """The name of the model that answers."""
    return str(live.json("predict", REVIEW, "--via", via)["model"])


def trainings(live: Shell) -> int:
    """How many training jobs were ever created."""
    return live.journal().count(b"CreateTrainingJob")


def test_models_lists_what_each_training_made(live: Shell, names: list[str]) -> None:
    models: list[dict[str, Any]] = live.json("models")["models"]
    assert [(model["number"], model["name"]) for model in models] == list(enumerate(names, start=1))
    assert [(model["live"], model["current"]) for model in models] == [(False, False), (True, True)]
    for model in models:
        assert model["architecture"] == "ngram"
        assert model["validation_accuracy"] > 0.9
        assert model["test"]["reviews"] == 24
    assert models[0]["trained"] < models[1]["trained"]
    text = live.run("models").stdout
    assert f" 2  {names[1]} · ngram · " in text
    assert text.count("live, here") == 1


def test_going_back_trains_nothing_and_fails_no_request(live: Shell, names: list[str]) -> None:
    first, second = names
    before, url = trainings(live), live.json("status")["api_url"]
    with Visitors(url, REVIEW) as visitors:
        said = live.run("deploy", "--model", "previous").stderr
    assert f'wrote env.local.deploy.model = "{first}"' in said
    assert f"pinned to {first}; sentictl deploy --model latest" in said
    assert served(live) == served(live, "api") == served(live, "local") == first
    assert trainings(live) == before
    assert visitors.answers
    assert all(f'"{first}"' in answer or f'"{second}"' in answer for answer in visitors.answers)


def test_up_keeps_the_choice_and_says_so(live: Shell, names: list[str]) -> None:
    journal = live.journal()
    again = live.run("up")
    assert live.journal() == journal
    assert again.stderr.count("unchanged") == 6
    assert f"pinned to {names[0]}" in again.stderr
    assert listed(live, "live") == listed(live, "current") == names[:1]
    told = " ".join(live.json("status")["warnings"])
    assert "Version 2 is trained, version 1 is live, to which deploy.model is set." in told
    for other in ("2", "latest"):
        assert live.json("evaluate", "--against", other)["comparison"]["against"] == names[1]


def test_before_the_first_there_is_none(live: Shell, names: list[str]) -> None:
    assert "none before" in live.json("deploy", "--model", "previous", expect=1)["error"]["message"]


def test_latest_ends_it(live: Shell, names: list[str]) -> None:
    said = live.run("deploy", "--model", "latest").stderr
    assert "pinned" not in said
    assert served(live) == served(live, "local") == names[1]
    assert live.json("models")["pinned"] == ""


def test_what_is_not_there_is_refused_and_nothing_is_written(live: Shell, names: list[str]) -> None:
    settings = (live.folder / "sentictl.toml").read_bytes()
    error = live.json("deploy", "--model", f"{names[0]}x", expect=1)["error"]
    assert error["hint"] == f"Did you mean {names[0]}?"
    assert (live.folder / "sentictl.toml").read_bytes() == settings


def test_a_worse_model_does_not_take_the_live_ones_place(live: Shell, names: list[str]) -> None:
    """An LSTM that has learned next to nothing."""
    for setting in ("architecture=lstm", "epochs=1", "learning_rate=0.0000001"):
        live.run("config", "set", *f"train.{setting}".split("="))
    for command in ("up", "deploy"):
        error = live.json(command, expect=1)["error"]
        assert error["code"] == "worse-model"
        assert f"worse than {names[1]} (version 2), which is live" in error["message"]
    assert served(live) == served(live, "api") == names[1]

    live.run("deploy", "--model", "2")  # keep the live one: now `up` has nothing against it
    assert live.json("up")["model"] == names[1]

    settings = (live.folder / "sentictl.toml").read_bytes()
    assert "--model latest --force" in live.json("deploy", "--model", "latest", expect=1)["error"]["hint"]
    assert (live.folder / "sentictl.toml").read_bytes() == settings
    live.run("deploy", "--model", "latest", "--force")
    assert served(live) not in names
    assert live.json("up")["model"] == served(live)


def test_prune_deletes_what_serves_nothing_once_it_is_told_to(live: Shell, names: list[str]) -> None:
    shown = live.run("prune", "--keep", "1")
    assert names[0] in shown.stdout
    assert "Delete it: sentictl prune --keep 1 --yes" in shown.stderr
    assert on_terminal(live, "prune", "--keep", "1", typing={"Type yes:": b"no\n"}).code == 2
    assert live.json("models")["models"][0]["pruned"] == ""

    found = live.json("prune", "--keep", "1", "--yes")
    assert [(each["kind"], each["name"]) for each in found["unused"]] == [("version", names[0])]
    assert found["bytes"] > 0
    assert found["kept"][0] == names[1]
    assert live.json("prune", "--keep", "1")["unused"] == []
    assert [bool(model["pruned"]) for model in live.json("models")["models"]] == [True, False, False]
    assert "(version 1) was deleted" in live.json("deploy", "--model", "1", expect=1)["error"]["message"]
    assert live.run("up").stderr.count("unchanged") == 6


def test_down_takes_the_models_along_where_another_environment_stands(live: Shell, names: list[str]) -> None:
    with (live.folder / "sentictl.toml").open("a") as settings:
        settings.write('\n[env.staging]\ntwin = true\n[state.staging]\nversion = 3\naccount = ""\nregion = ""\n')
        settings.write('project_id = ""\nresources = [{ kind = "bucket", name = "toy-staging", arn = "arn" }]\n')
    live.run("down", "--yes")
    assert list((live.folder / ".sentictl" / "models").iterdir()) == []
    assert "no model of the environment local" in live.json("predict", REVIEW, expect=1)["error"]["message"]
