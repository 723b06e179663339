"""Two people in clones of one project, with its state in the project's bucket: one changes it at a time."""

import os
import signal
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sentictl.twin import daemon
from tests.chain.shell import SENTICTL, Shell, begin, environment, wait_for
from tests.chain.workflow import clone, run_job
from tests.prepared import popen as prepared

BUCKET = "toy-prod-123456789012"


@pytest.fixture(scope="module")
def ana(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Who began the project, with its state on S3; AWS is a twin."""
    home = tmp_path_factory.mktemp("aws") / "twin"
    shell = begin(tmp_path_factory.mktemp("ana") / "toy")
    identity = 'id = "0123456789ab"'
    settings = (shell.folder / "sentictl.toml").read_text().replace(identity, f'{identity}\nstate = "s3"')
    (shell.folder / "sentictl.toml").write_text(settings + '\n[env.prod]\nregion = "eu-west-1"\n')
    shell.run("init")
    daemon.start(home)
    access = daemon.access(home)
    variables = {"AWS_ACCESS_KEY_ID": access.key, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": access.url}
    try:
        yield replace(shell, variables=variables | {"SENTICTL_ENV": "prod"})
    finally:
        daemon.destroy(home)


def names(changes: list[dict[str, Any]], kind: str) -> list[str]:
    return [name for change in changes for name in change[kind]]


def test_two_people_and_a_workflow_change_one_environment_one_after_the_other(ana: Shell, tmp_path: Path) -> None:
    ben = clone(ana, tmp_path / "ben")
    assert ana.json("history")["changes"] == []
    up = prepared.Popen(
        [SENTICTL, "up"],
        cwd=ana.folder,
        env=environment() | dict(ana.variables),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with up:
        wait_for(up, "making training-job")
        os.kill(up.pid, signal.SIGSTOP)  # it stays where it is, however long the others take
        try:
            # Who looks is not held up; who would change something is told who does.
            assert f"s3://{BUCKET}/datasets/" in ben.run("status").stdout
            impatient = replace(ben, variables={**ben.variables, "SENTICTL_PROJECT_STATE_WAIT_SECONDS": "0"})
            for arguments in (("deploy", "--instance-count", "2"), ("down", "--confirm", "toy")):
                error = impatient.json(*arguments, expect=1)["error"]
                assert error["code"] == "lease"
                assert f"process {up.pid}), running `up` since" in error["message"]
                assert "sentictl state unlock" in error["hint"]
            assert "instance_count" not in (ben.folder / "sentictl.toml").read_text()
        finally:
            os.kill(up.pid, signal.SIGKILL)
    # Nobody renews the lease of the dead, and on its machine that is known at once. The workflow goes on from there.
    assert "Page: " in run_job(clone(ana, tmp_path / "run"), "up").summary
    changes = ana.json("history")["changes"]
    assert [change["command"] for change in changes] == ["up", "up"]
    assert len(set(names(changes, "added"))) == len(names(changes, "added"))
    assert {name.split()[0] for name in names(changes, "added")} >= {"bucket", "training-job", "function", "rest-api"}
    assert ana.client("sagemaker", "eu-west-1").list_training_jobs()["TrainingJobSummaries"][1:] == []
    for shell in (ana, ben):
        shell.run("plan", "--exit-code")
        assert "state" not in tomllib.loads((shell.folder / "sentictl.toml").read_text())
    told = {check["name"]: check["status"] for check in ana.json("doctor")["checks"]}
    assert told["state"] == "ok"

    # There and back, and gone, with the bucket and all its versions.
    before = ana.json("state", "pull")["state"]["resources"]
    ana.run("state", "move", "file")
    assert "was moved from" in ben.json("up", expect=1)["error"]["message"]
    ana.run("state", "move", "s3")
    assert ana.json("state", "pull")["state"]["resources"] == before
    ana.run("up")
    assert ana.json("down", "--confirm", "toy")["left"] == []
    assert ana.client("s3").list_buckets()["Buckets"] == []
    assert ana.json("history")["changes"] == []
