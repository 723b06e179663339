"""Hints after an error: what they tell to type must work where the command failed."""

import json
from pathlib import Path

import pytest

from sentictl.cli.hints import in_environment
from tests.cli.conftest import Run


@pytest.fixture
def prod(tmp_path: Path) -> None:
    """A project without a model, with an environment on AWS."""
    (tmp_path / "sentictl.toml").write_text('[project]\nname = "toy"\n\n[env.prod]\nregion = "eu-west-1"\n')


@pytest.mark.parametrize(
    ("hint", "in_prod"),
    [
        ("Make it with: sentictl wire-api", "Make it with: sentictl wire-api --env prod"),
        ("Serve it: sentictl deploy --model 3 --force.", "Serve it: sentictl deploy --env prod --model 3 --force."),
        ("sentictl config set train.epochs 5", "sentictl config set --env prod train.epochs 5"),
        (
            "Train one: sentictl train, or: sentictl up",
            "Train one: sentictl train --env prod, or: sentictl up --env prod",
        ),
        ("First: sentictl down --env old", "First: sentictl down --env old"),
        ("sentictl predict - --env prod --resume", "sentictl predict - --env prod --resume"),
        (
            "Make it: sentictl wire-api\nGo on with: sentictl predict - --env prod --resume",
            "Make it: sentictl wire-api --env prod\nGo on with: sentictl predict - --env prod --resume",
        ),
        (
            "Have an endpoint: sentictl deploy --env prod, or look: sentictl models",
            "Have an endpoint: sentictl deploy --env prod, or look: sentictl models --env prod",
        ),
        ("sentictl config set env.prod.region eu-west-1", "sentictl config set env.prod.region eu-west-1"),
        ("Begin a project here with: sentictl init", "Begin a project here with: sentictl init"),
        ("Start it: sentictl local start", "Start it: sentictl local start --env prod"),
        ("Correct it in sentictl.toml; all that sentictl does", "Correct it in sentictl.toml; all that sentictl does"),
    ],
)
def test_the_environment_that_was_named_goes_into_every_command(hint: str, in_prod: str) -> None:
    assert in_environment(hint, "prod") == in_prod
    assert in_environment(hint, "") == hint


@pytest.mark.usefixtures("prod")
def test_a_failed_command_tells_what_to_do_in_its_environment(run: Run) -> None:
    here, there = run("predict", "superb"), run("predict", "superb", "--env", "prod")
    assert here.returncode == there.returncode == 1
    assert "sentictl train," in here.stderr
    assert "--env" not in here.stderr
    assert "sentictl train --env prod," in there.stderr
    assert "sentictl predict --env prod --via api" in there.stderr
    document = json.loads(run("predict", "superb", "--env", "prod", "--json").stdout)
    assert "sentictl train --env prod" in document["error"]["hint"]
