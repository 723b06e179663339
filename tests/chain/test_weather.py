"""The chain in rough weather: each refusal that AWS gives at first is met, and survived."""

import re
import tomllib
from dataclasses import replace
from typing import Any

import pytest

from tests.chain.shell import Shell

REFUSED = re.compile(r"took when asked again: ((?:\w+(?: \d+ times)?(?:, )?)+)")


@pytest.fixture(scope="module")
def rough(shell: Shell) -> Shell:
    return replace(shell, variables={"SENTICTL_TWIN_WEATHER": "rough"})


def refused(done: Any) -> set[str]:
    """The operations that AWS refused at first."""
    found = REFUSED.search(" ".join(done.stderr.split()))
    return {part.split()[0] for part in found[1].split(", ")} if found else set()


def test_the_chain_comes_up(rough: Shell) -> None:
    done = rough.run("up")
    assert refused(done) == {
        "CreateEndpoint",
        "CreateFunction",
        "CreateModel",
        "CreateTrainingJob",
        "PutPublicAccessBlock",
        "PutRolePolicy",
        "UpdateAccount",
    }
    assert "Waiting for the first answers" in done.stderr
    assert "Missing" not in done.stdout
    assert {entry["status"] for entry in rough.json("status")["resources"]} <= {"Active", "Completed", "InService"}


def test_it_changes(rough: Shell) -> None:
    rough.run("config", "set", "deploy.ttl", "8h")
    rough.run("config", "set", "lambda.memory_mb", "320")
    rough.run("config", "set", "site.publish", "s3")
    done = rough.run("up")
    assert refused(done) == {
        "CreateDeployment",
        "CreateSchedule",
        "PutBucketPolicy",
        "PutRolePolicy",
        "UpdateFunctionConfiguration",
    }
    assert rough.run("predict", "--via", "api", "A wonderful plot").stdout


def test_a_second_run_changes_nothing(rough: Shell) -> None:
    before = rough.journal()
    assert refused(rough.run("up")) == set()
    assert rough.journal() == before


def test_it_goes_down_and_nothing_is_called_left_that_is_only_listed_still(rough: Shell) -> None:
    done = rough.run("down", "--yes")
    assert refused(done) == {"DeleteRestApi", "DeleteRole"}
    assert "left" not in done.stdout.lower()
    assert "state" not in tomllib.loads((rough.folder / "sentictl.toml").read_text())
