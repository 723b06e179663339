"""The script that a notebook instance runs at its start, run on a machine made of a folder."""

import base64
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from sentictl.lifecycle.resource import Context
from sentictl.services.notebook import package
from sentictl.services.notebook.instance import script
from tests.services.notebook.machine import LONG_AGO, STARTED, Machine

SHELLCHECK = Path(sys.executable).with_name("shellcheck")
NAME = "films-prod-notebook"
WHEEL = "s3://films/notebook/1/sentictl-1-py3-none-any.whl"
STOPPING = f"aws sagemaker stop-notebook-instance --notebook-instance-name {NAME}"
KERNELS = '[{"id": "1", "last_activity": "%s", "execution_state": "%s"}]'
TERMINALS = '[{"name": "1", "last_activity": "%s"}]'


@pytest.fixture
def machine(tmp_path: Path, offline: Context) -> Iterator[Machine]:
    machine = Machine(tmp_path / "machine")
    (machine.root / "project.tar.gz").write_bytes(package.project(offline))
    yield machine
    machine.end()


@pytest.fixture
def text(offline: Context) -> str:
    return script(offline, WHEEL)


@pytest.fixture
def old(text: str) -> str:
    """The script of an instance that started long ago."""
    assert STARTED in text
    return text.replace(STARTED, LONG_AGO)


def test_it_is_one_that_bash_reads_and_aws_takes(text: str) -> None:
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    assert text.startswith("#!/bin/bash\n")
    assert len(base64.b64encode(text.encode())) <= 16_384


def test_shellcheck_finds_nothing(text: str) -> None:
    checked = subprocess.run([SHELLCHECK, "-"], input=text, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_it_installs_sentictl_and_puts_the_project_and_the_walkthrough_there(text: str, machine: Machine) -> None:
    machine.start(text)
    machine.installed()
    calls = machine.calls()
    assert f"aws s3 cp --only-show-errors {WHEEL} ./.sentictl-notebook/sentictl-1-py3-none-any.whl" in calls
    assert "-m pip install --no-cache-dir ./.sentictl-notebook/sentictl-1-py3-none-any.whl[notebook]" in calls
    assert any("ipykernel install" in call and "--env SENTICTL_ENV prod" in call for call in calls)
    settings = tomllib.loads((machine.folder / "sentictl.toml").read_text())
    assert settings["project"]["name"] == "films"
    assert settings["env"] == {"prod": {"region": "eu-west-1"}}
    assert settings["train"]["epochs"] == 7
    assert settings["site"]["intro"] == "It's $HOME `here`"
    notebook: Any = json.loads((machine.folder / "walkthrough.ipynb").read_text())
    assert notebook["metadata"]["kernelspec"]["name"] == "sentictl"
    validate: Any = nbformat.validate
    validate(notebook)


def test_the_next_start_installs_nothing_again_and_leaves_what_a_person_changed(text: str, machine: Machine) -> None:
    machine.start(text)
    machine.installed()
    (machine.root / "calls").unlink()
    (machine.root / "logs" / "sentictl-install_sentictl.log").unlink()
    (machine.folder / "walkthrough.ipynb").write_text("mine")
    machine.start(text)
    machine.installed()
    assert not any("pip" in call or "venv" in call or "s3 cp" in call for call in machine.calls())
    assert any("ipykernel" in call for call in machine.calls())
    assert (machine.folder / "walkthrough.ipynb").read_text() == "mine"


def test_another_wheel_is_installed_at_the_next_start(offline: Context, text: str, machine: Machine) -> None:
    machine.start(text)
    machine.installed()
    (machine.root / "logs" / "sentictl-install_sentictl.log").unlink()
    machine.start(script(offline, WHEEL.replace("/1/", "/2/")))
    machine.installed()
    assert len([call for call in machine.calls() if "pip install" in call]) == 2


def test_an_instance_in_use_goes_on(old: str, machine: Machine) -> None:
    machine.jupyter(kernels=KERNELS % (_minutes_ago(200), "busy"), terminals="[]")
    machine.start(old)
    machine.rounds()
    machine.jupyter(kernels=KERNELS % (_minutes_ago(50), "idle"), terminals="[]")
    machine.rounds()
    assert STOPPING not in machine.calls()


def test_a_kernel_that_rests_too_long_stops_it(old: str, machine: Machine) -> None:
    machine.jupyter(kernels=KERNELS % (_minutes_ago(61), "idle"), terminals="[]")
    machine.start(old)
    machine.wait_for(STOPPING)


def test_a_terminal_in_use_counts_as_well(old: str, machine: Machine) -> None:
    machine.jupyter(kernels=KERNELS % (_minutes_ago(61), "idle"), terminals=TERMINALS % _minutes_ago(2))
    machine.start(old)
    machine.rounds()
    assert STOPPING not in machine.calls()


def test_where_jupyter_has_no_terminals_its_kernels_count(old: str, machine: Machine) -> None:
    machine.jupyter(kernels=KERNELS % (_minutes_ago(2), "idle"))
    machine.start(old)
    machine.rounds()
    assert STOPPING not in machine.calls()


def test_an_instance_that_nobody_opens_is_stopped(old: str, machine: Machine) -> None:
    machine.jupyter(kernels="[]", terminals="[]")
    machine.start(old)
    machine.wait_for(STOPPING)


def test_an_instance_whose_jupyter_does_not_answer_is_stopped_too_but_not_at_once(
    text: str, old: str, machine: Machine
) -> None:
    machine.start(text)
    machine.rounds()
    assert STOPPING not in machine.calls()
    machine.start(old)
    machine.wait_for(STOPPING)


def _minutes_ago(minutes: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() - 60 * minutes))
