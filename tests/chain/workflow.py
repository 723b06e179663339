"""The shell steps of the GitHub Actions workflow that `init` writes, run here as GitHub runs them."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from tests.chain.shell import Shell, environment
from tests.prepared import popen as prepared

WORKFLOW = ".github/workflows/sentictl.yml"
INSTALL = "Install sentictl"  # it is installed here


def clone(shell: Shell, folder: Path) -> Shell:
    """The project as another machine checks it out: without what .gitignore names, and without state."""
    shutil.copytree(shell.folder, folder, ignore=shutil.ignore_patterns(".sentictl", "__pycache__"))
    return replace(shell, folder=folder)


@dataclass(frozen=True)
class Ran:
    """A job that came to its end.

    Args:
        summary: what it wrote for people to read on GitHub.
        log: all that its steps said.
    """

    summary: str
    log: str


def run_job(shell: Shell, job: str) -> Ran:
    """Run the shell steps of a job; each must succeed."""
    steps: list[Mapping[str, Any]] = yaml.safe_load((shell.folder / WORKFLOW).read_text())["jobs"][job]["steps"]
    summary = shell.folder.with_name(f"{shell.folder.name}-summary.md")
    summary.write_text("")
    variables = environment() | dict(shell.variables) | {"SENTICTL_ENV": "prod", "GITHUB_STEP_SUMMARY": str(summary)}
    with tempfile.TemporaryDirectory(prefix="path-") as path:
        log = _run(
            [step["run"] for step in steps if "run" in step and step["name"] != INSTALL],
            shell.folder,
            variables | prepared.on_path(Path(path)),
        )
    return Ran(summary.read_text(), log)


def _run(scripts: Sequence[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Run them one after the other. Returns all that they said."""
    log = ""
    for script in scripts:
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        log += done.stdout + done.stderr
        assert done.returncode == 0, log
    return log
