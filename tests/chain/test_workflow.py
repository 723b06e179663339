"""The workflow that `init` writes, on an AWS that is a twin: each run begins with a checkout that has no state."""

import re
import tomllib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sentictl.cli.app import app
from sentictl.services.iam.permissions import reading_actions
from sentictl.services.kept import KEPT
from sentictl.twin import daemon
from tests.chain.github import BOT, REPOSITORY, GitHub
from tests.chain.shell import Shell, begin
from tests.chain.workflow import Ran, clone, run_job
from tests.golden.requests import record
from tests.services.iam.test_permissions import actions_for


@dataclass(frozen=True)
class Repository:
    """A project as it is committed, and the twin that stands for AWS."""

    committed: Shell
    twin_home: Path

    def calls(self) -> bytes:
        """Every call so far that changed something."""
        return (self.twin_home / "journal" / "calls.jsonl").read_bytes()

    def client(self, service: str) -> Any:
        return self.committed.client(service, "eu-west-1")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """A project that was brought up once by the workflow."""
    home = tmp_path_factory.mktemp("aws") / "twin"
    shell = begin(tmp_path_factory.mktemp("committed") / "toy")
    with (shell.folder / "sentictl.toml").open("a") as settings:
        settings.write('\n[env.prod]\nregion = "eu-west-1"\n')
    shell.run("init")
    daemon.start(home)
    access = daemon.access(home)
    variables = {"AWS_ACCESS_KEY_ID": access.key, "AWS_SECRET_ACCESS_KEY": "secret"}
    shell = replace(shell, variables=variables | {"AWS_ENDPOINT_URL": access.url})
    try:
        first = clone(shell, tmp_path_factory.mktemp("runs") / "first")
        assert "training-job" in run_job(first, "plan").summary
        assert "Page: " in run_job(first, "up").summary
        yield Repository(shell, home)
    finally:
        daemon.destroy(home)


def test_a_run_without_state_finds_everything_and_does_nothing(repository: Repository, tmp_path: Path) -> None:
    fresh = clone(repository.committed, tmp_path / "fresh")
    assert "state" not in tomllib.loads((fresh.folder / "sentictl.toml").read_text())
    before = repository.calls()
    run_job(fresh, "plan")
    fresh.run("plan", "--exit-code", "--env", "prod")
    assert repository.calls() == before
    run_job(fresh, "up")
    assert repository.calls() == before


def test_looking_takes_only_what_the_role_of_pull_requests_allows(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = clone(repository.committed, tmp_path / "fresh")
    for name, value in {**fresh.variables, "SENTICTL_ENV": "prod"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(fresh.folder)
    requests = record(monkeypatch)
    for command in ("import", "plan"):
        done = CliRunner().invoke(app, [command])
        assert done.exit_code == 0, done.output
    taken = {action for request in requests for action in actions_for(request.service, request.operation)}
    assert taken
    assert taken - set(reading_actions(KEPT)) == set()


def test_a_change_is_shown_in_the_pull_request_and_done_on_main(repository: Repository, tmp_path: Path) -> None:
    with (repository.committed.folder / "sentictl.toml").open("a") as settings:
        settings.write("\n[lambda]\nmemory_mb = 512\n\n[logs]\ndays = 7\n\n[deploy]\ninstance_count = 2\n")
    shown = run_job(clone(repository.committed, tmp_path / "branch"), "plan").summary
    assert "toy-prod-predict" in shown
    assert "512" in shown
    run_job(clone(repository.committed, tmp_path / "merged"), "up")
    assert len(repository.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]) == 1
    # What was superseded is known from AWS alone, and deleted.
    assert len(repository.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]) == 1
    following = clone(repository.committed, tmp_path / "next")
    run_job(following, "plan")
    following.run("plan", "--exit-code", "--env", "prod")


def test_a_pull_request_has_an_environment_of_its_own_until_it_is_closed(
    repository: Repository, tmp_path: Path
) -> None:
    github = GitHub(tmp_path / "github")
    github.begin()
    github.pull(12, "open")
    github.comment(12, "ana", "<!-- sentictl --> is what its comments begin with")
    github.comment(12, BOT, "Coverage: 100 %")
    others = github.comments()
    region = dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), "eu-west-1")  # as the action for credentials does
    variables = {**repository.committed.variables, **region, "GITHUB_REPOSITORY": REPOSITORY}
    committed = replace(repository.committed, variables=variables)

    def run(job: str, run: str, commit: str = "") -> Ran:
        values = {
            "github.token": "secret",
            "github.event.number": "12",
            "matrix.number": "12",
            "github.event.pull_request.head.sha": commit,
            "vars.SENTICTL_PREVIEW_DAYS || '7'": "7",
        }
        return run_job(clone(committed, tmp_path / run), job, values, github.folder)

    jobs, endpoints = _trained(repository), _endpoints(repository)
    run("preview", "opened", "1111111aaa")
    comment = github.comments()[-1]
    assert [*others, comment] == github.comments()
    assert "Preview of 1111111\n" in comment["body"]
    assert "training-job" in comment["body"]
    assert "Nothing of the chain costs money by the hour" in comment["body"]
    assert re.search(r"Training: +A training job costs \$\d", comment["body"])
    page = re.search(r"Page: +(\S+)", comment["body"])
    assert page is not None
    with urllib.request.urlopen(page[1]) as answer:
        assert answer.status == 200
    assert len(_trained(repository) - jobs) == 1
    assert _endpoints(repository) == endpoints  # nothing that costs by the hour

    before = repository.calls()
    run("preview", "pushed", "2222222bbb")
    assert repository.calls() == before
    again = github.comments()[-1]
    assert "Preview of 2222222\n" in again["body"]
    assert [*others, again | {"body": comment["body"]}] == [*others, comment]
    assert len(github.comments()) == len(others) + 1

    assert run("stale", "fresh").outputs == {"numbers": "[]"}
    github.pull(12, "open", datetime.now(UTC) - timedelta(days=8))
    assert run("stale", "old").outputs == {"numbers": "[12]"}
    github.pull(12, "closed")
    assert run("stale", "left").outputs == {"numbers": "[12]"}
    run("remove", "closed")
    assert "taken down" in github.comments()[-1]["body"]
    assert github.comments()[:-1] == others
    assert _trained(repository) == jobs
    assert [name for name in _buckets(repository) if "pr-12" in name] == []
    assert run("stale", "gone").outputs == {"numbers": "[]"}
    run("remove", "closed-again")
    assert _endpoints(repository) == endpoints


def _trained(repository: Repository) -> set[str]:
    jobs = repository.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    return {job["TrainingJobName"] for job in jobs}


def _endpoints(repository: Repository) -> list[str]:
    return [each["EndpointName"] for each in repository.client("sagemaker").list_endpoints()["Endpoints"]]


def _buckets(repository: Repository) -> list[str]:
    return [bucket["Name"] for bucket in repository.client("s3").list_buckets()["Buckets"]]
