"""What a notebook instance on AWS would run, run here: the script that AWS was given, a real pip and a real kernel."""

import base64
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sentictl.twin.core.environment import Access
from tests.chain.shell import Shell
from tests.services.notebook.machine import Machine

NAME = "toy-prod-notebook"
REGION = "eu-west-1"
BUCKET = "toy-prod-123456789012"
# What these tests have installed is found, except what the instance is to install itself.
OWN = ("pip", "sentictl", "_sentictl", "_editable", "sentimodel")
AWS_CLI = """\
#!{python}
# Stands for the AWS CLI: aws s3 cp --only-show-errors s3://BUCKET/KEY FILE
import sys
import boto3
source, target = sys.argv[4:]
bucket, _, key = source.removeprefix("s3://").partition("/")
boto3.client("s3").download_file(bucket, key, target)
"""


@pytest.fixture(scope="module")
def made(aws: Shell) -> Shell:
    aws.run("notebook", "create", "--env", "prod")
    return aws


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("instance") / "machine")
    machine.program("python3.13", f'#!/bin/bash\nexec "{sys.executable}" "$@"\n')
    machine.program("aws", AWS_CLI.format(python=sys.executable))
    yield machine
    machine.end()


@pytest.fixture(scope="module")
def variables(made: Shell, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What programs on the instance are told: where AWS is, and that there is no package index."""
    packages = tmp_path_factory.mktemp("packages")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(OWN):
            (packages / path.name).symlink_to(path)
    where = Access(made.variables["AWS_ENDPOINT_URL"], made.variables["AWS_ACCESS_KEY_ID"]).variables(REGION)
    return where | {"PYTHONPATH": str(packages), "PIP_NO_INDEX": "1"}


@pytest.fixture(scope="module")
def started(made: Shell, machine: Machine, variables: dict[str, str]) -> Machine:
    """The machine after the start of the instance."""
    describe = client(made, "sagemaker").describe_notebook_instance_lifecycle_config
    (hook,) = describe(NotebookInstanceLifecycleConfigName=NAME)["OnStart"]
    machine.start(base64.b64decode(hook["Content"]).decode(), variables)
    machine.installed(seconds=120)
    return machine


def client(shell: Shell, service: str) -> Any:
    return shell.client(service, REGION)


def test_the_kernel_has_this_sentictl_and_finds_the_project(started: Machine, variables: dict[str, str]) -> None:
    kernel = json.loads((started.root / "home/.local/share/jupyter/kernels/sentictl/kernel.json").read_text())
    assert (kernel["display_name"], kernel["env"]) == ("sentictl (prod)", {"SENTICTL_ENV": "prod"})
    python = started.folder / ".sentictl-notebook" / "venv" / "bin" / "python"
    assert Path(kernel["argv"][0]) == python
    code = (
        "import os, sentictl; from sentictl import Project; project = Project(environment=os.environ['SENTICTL_ENV']);"
        "print(sentictl.__file__); print(project.settings.project.name, project.settings.train.epochs);"
        "print([finding.record.kind for finding in project.status().findings])"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(started.root / "home"), **variables, **kernel["env"]}
    done = subprocess.run(
        [python, "-c", code], cwd=started.folder, env=environment, capture_output=True, text=True, check=True
    )
    where, settings, kinds = done.stdout.splitlines()
    assert Path(where).is_relative_to(started.folder)
    assert settings == "toy 7"
    assert kinds == "[]"  # what stands is found by `import`: the state of the other machine did not travel


def test_status_says_what_it_costs_while_it_runs_and_how_to_stop_it(made: Shell) -> None:
    (warning,) = made.json("status", "--env", "prod")["warnings"]
    assert "The notebook (ml.t3.medium) runs and costs $0.05 an hour (built-in table of" in warning
    assert warning.endswith("sentictl notebook stop --env prod")
    told = made.run("notebook", "stop", "--env", "prod").stderr
    assert "account 123456789012" in told
    assert told.index("account") < told.index(f"stopping {NAME}")
    assert made.json("status", "--env", "prod")["warnings"] == []


def test_the_walkthrough_lies_beside_the_project_and_its_reviews(started: Machine) -> None:
    assert {"sentictl.toml", "reviews.csv", "walkthrough.ipynb"} <= {path.name for path in started.folder.iterdir()}


def test_the_wheel_and_the_project_go_with_the_notebook_and_the_bucket_stays(started: Machine, made: Shell) -> None:
    s3 = client(made, "s3")
    kept = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert sorted(key.rpartition("/")[2].partition("-")[0] for key in kept) == ["project.tar.gz", "sentictl"]
    assert all(key.startswith("notebook/") for key in kept)
    made.run("notebook", "delete", "--env", "prod", "--yes")
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)
