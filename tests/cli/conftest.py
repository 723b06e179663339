"""A project folder with a model in it, and sentictl run in it as a program."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.prepared import popen as prepared

SENTICTL = Path(sys.executable).with_name("sentictl")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path, toy_artifact: Path) -> Path:
    """A project's folder whose current model is the toy model."""
    (tmp_path / "sentictl.toml").write_text('[project]\nname = "toy"\n')
    models = tmp_path / ".sentictl" / "models"
    models.mkdir(parents=True)
    shutil.copytree(toy_artifact, models / "toy")
    (models / "current-local").symlink_to("toy")
    return tmp_path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs sentictl in the test's folder."""

    def run(
        *arguments: str, stdin: str | bytes = "", variables: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SENTICTL_")}
        environment |= variables or {}
        done = prepared.run(
            [SENTICTL, *arguments],
            cwd=tmp_path,
            env=environment | {"COLUMNS": "80"},
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=60,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        )

    return run
