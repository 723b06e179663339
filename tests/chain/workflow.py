"""The shell steps of the GitHub Actions workflow that `init` writes, run here as GitHub runs them."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests.chain.shell import Shell, environment
from tests.prepared import popen as prepared

WORKFLOW = ".github/workflows/sentictl.yml"
INSTALL = "Install sentictl"  # it is installed here
EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")
NOTHING: Mapping[str, str] = {}


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
        outputs: what its steps left for other jobs.
    """

    summary: str
    log: str
    outputs: Mapping[str, str] = field(default_factory=dict)


def run_job(shell: Shell, job: str, values: Mapping[str, str] = NOTHING, programs: Path | None = None) -> Ran:
    """Run the shell steps of a job; each must succeed.

    Args:
        shell: the checkout that it begins with.
        job: its name in the workflow.
        values: those of GitHub's expressions in the variables of the job and its steps.
        programs: a folder of programs that GitHub's machines have.
    """
    described: Mapping[str, Any] = yaml.safe_load((shell.folder / WORKFLOW).read_text())["jobs"][job]
    steps = [step for step in described["steps"] if "run" in step and step["name"] != INSTALL]
    summary, outputs = (shell.folder.with_name(f"{shell.folder.name}-{name}") for name in ("summary.md", "outputs"))
    for file in (summary, outputs):
        file.write_text("")
    variables = environment() | {"SENTICTL_ENV": "prod"} | dict(shell.variables)
    variables |= {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(outputs)}
    variables |= _evaluated(described.get("env", {}), values)
    log = ""
    with tempfile.TemporaryDirectory(prefix="path-") as path:
        variables |= prepared.on_path(Path(path))
        if programs:
            variables["PATH"] = f"{programs}{os.pathsep}{variables['PATH']}"
        for step in steps:
            log += _run(step["run"], shell.folder, variables | _evaluated(step.get("env", {}), values))
    lines = (line.partition("=") for line in outputs.read_text().splitlines())
    return Ran(summary.read_text(), log, {name: value for name, _, value in lines})


def _evaluated(variables: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    return {name: EXPRESSION.sub(lambda found: values[found[1]], value) for name, value in variables.items()}


def _run(script: str, folder: Path, variables: Mapping[str, str]) -> str:
    """Run a step's script. Returns all that it said."""
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    return log
