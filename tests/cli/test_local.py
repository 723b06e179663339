"""Environments on twins of their own: to rehearse from one to the next without an account."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentictl.config.project_folder import ProjectFolder
from sentictl.twin import daemon
from sentictl.twin.core.messages import authorization
from tests.cli.conftest import Run


@pytest.fixture
def staging(tmp_path: Path, run: Run) -> Iterator[None]:
    """A project with an environment on a twin of its own, and one on AWS."""
    (tmp_path / "sentictl.toml").write_text('[project]\nname = "toy"\n\n[env.prod]\nregion = "eu-west-1"\n')
    assert run("config", "set", "env.staging.twin", "true").returncode == 0
    yield
    for home in ProjectFolder(tmp_path).twin_homes():
        daemon.destroy(home)


@pytest.mark.usefixtures("staging")
def test_each_environment_on_this_machine_has_a_twin_of_its_own(run: Run, tmp_path: Path) -> None:
    here = json.loads(run("local", "start", "--json").stdout)
    there = json.loads(run("local", "start", "--env", "staging", "--json").stdout)
    assert here["port"] != there["port"]
    assert here["home"] != there["home"]
    told = run("local", "run", "--env", "staging", "env").stdout
    assert f"AWS_ENDPOINT_URL={there['url']}\n" in told
    run("local", "stop", "--env", "staging")
    assert json.loads(run("local", "status", "--json").stdout)["running"]
    assert not json.loads(run("local", "status", "--env", "staging", "--json").stdout)["running"]
    assert run("down", "--yes").returncode == 0
    assert not (tmp_path / ".sentictl").exists()


@pytest.mark.usefixtures("staging")
def test_an_environment_on_aws_has_no_twin(run: Run) -> None:
    refused = run("local", "start", "--env", "prod")
    assert refused.returncode == 2
    assert "The environment prod is on AWS" in refused.stderr


@pytest.mark.usefixtures("staging")
def test_a_twin_has_weather_wherever_it_is(run: Run) -> None:
    assert run("config", "set", "env.staging.weather", "rough").returncode == 0
    refused = run("config", "set", "env.prod.weather", "rough")
    assert refused.returncode == 2
    assert "sentictl config set env.prod.twin true" in refused.stderr
    assert run("config", "set", "env.staging.twin", "perhaps").returncode == 2


@pytest.mark.usefixtures("staging")
def test_what_comes_next_is_told_for_the_environment_on_a_twin(run: Run) -> None:
    assert "sentictl keys create NAME --env staging\n" in run("keys", "list", "--env", "staging").stdout
    gone = run("down", "--keep-logs", "--yes", "--env", "staging")
    assert "`sentictl down --env staging` deletes them" in gone.stderr


@pytest.mark.usefixtures("staging")
def test_what_a_twin_of_an_environment_could_not_keep_is_told_for_it(run: Run, tmp_path: Path) -> None:
    started = json.loads(run("local", "start", "--env", "staging", "--json").stdout)
    run("local", "stop", "--env", "staging")
    # A call that is refused now.
    journal = Path(started["home"]) / "journal" / "calls.jsonl"
    headers = {"authorization": authorization("sagemaker", "us-east-1"), "x-amz-target": "SageMaker.DeleteEndpoint"}
    called = {"method": "POST", "target": "/", "query": "", "headers": headers, "body": '{"EndpointName": "none"}'}
    with journal.open("a") as stream:
        stream.write(json.dumps({"call": called, "time": 1.0, "seed": "1"}) + "\n")
    with socket.create_server(("127.0.0.1", started["port"])):
        moved = run("plan", "--env", "staging").stderr
    assert "The page learns of it from: sentictl up --env staging" in " ".join(moved.split())
    told = run("local", "status", "--env", "staging").stdout
    assert told.rstrip().endswith("See: sentictl local logs --env staging")
