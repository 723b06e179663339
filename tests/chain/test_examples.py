"""Every example of the help, run as it stands by a shell: on this machine first, then on an AWS that is a twin.

The lines build on one another, so that they run in one order in one project.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sentictl.cli import examples
from sentictl.cli.invocation import INTERRUPTED
from sentictl.config.project_folder import ProjectFolder
from sentictl.twin import daemon
from tests.chain.shell import Shell, environment
from tests.prepared import popen as prepared

# The commands in an order that works. What the program and `config` and `local` show are lines of their commands.
HERE = (
    *("completion", "init", "local start", "doctor", "plan", "up", "status", "costs", "runs", "predict", "evaluate"),
    *("config show", "config get", "config set", "data", "train", "deploy", "models", "wire-lambda", "wire-api"),
    *("keys create", "keys list", "keys revoke", "users add", "users list", "users remove"),
    *(
        "site",
        "alerts",
        "metrics",
        "export",
        "logs",
        "state move",
        "history",
        "state pull",
        "state push",
        "state unlock",
        "notebook create",
        "notebook open",
        "notebook stop",
        "notebook delete",
        "prune",
        "down",
        "local run",
        "local mail",
        "local logs",
        "local stop",
        "local status",
    ),
)
ON_AWS = (
    *("up", "doctor", "train", "deploy", "site", "plan", "status", "metrics", "logs", "import", "export"),
    *("notebook policy", "notebook create", "config show", "config set", "down"),
)
SERVING = "sentictl site --serve"
FOLLOWING = "sentictl logs --follow --env prod"
REQUEST = "sentictl logs --request ID"


def lines_of(path: str, *, on_aws: bool) -> list[str]:
    return [line for line, _ in examples.examples_of(path) if ("--env prod" in line) is on_aws]


LINES = [line for path in HERE for line in lines_of(path, on_aws=False)]
LINES += [line for path in ON_AWS for line in lines_of(path, on_aws=True)]


@pytest.fixture(scope="module")
def films(aws: Shell, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A project called films with the files that the examples name, and a home folder."""
    home = tmp_path_factory.mktemp("home")
    (home / ".config" / "fish" / "completions").mkdir(parents=True)
    settings, reviews = aws.folder / "sentictl.toml", (aws.folder / "reviews.csv").read_text()
    ranges = "\n[train.tune]\nngrams = [1000, 2000]\n"
    settings.write_text(settings.read_text().replace('name = "toy"', 'name = "films"') + ranges)
    (aws.folder / "feedback.csv").write_text(reviews.replace("review,label", "text,label"))
    stars = reviews.replace("review,label", "text,label").replace(",1\n", ",5\n").replace(",0\n", ",2\n") + "So so,3\n"
    (aws.folder / "stars.csv").write_text(stars)
    (aws.folder / "reviews.txt").write_text("A superb film.\nDreadful and boring.\n")
    (aws.folder / "count.py").write_text("import boto3\nprint(len(boto3.client('s3').list_buckets()['Buckets']))\n")
    programs = tmp_path_factory.mktemp("path")
    (programs / "aws").write_text(f"#!/bin/sh\nexec {sys.executable} {aws.folder / 'count.py'}\n")  # stands for it
    (programs / "aws").chmod(0o755)
    path = prepared.on_path(programs)
    yield replace(aws, variables={**aws.variables, "HOME": str(home), "BROWSER": "true", **path})
    daemon.destroy(ProjectFolder(aws.folder).twin_home)


@pytest.mark.parametrize("line", LINES)
def test_the_example_works(films: Shell, tmp_path: Path, line: str) -> None:
    shell = replace(films, folder=tmp_path) if line.startswith("sentictl init") else films
    process = begun(shell, line.replace("--request ID", f"--request {answered(shell)}") if REQUEST in line else line)
    if line == FOLLOWING:
        write_a_line(shell)
        assert process.stdout is not None
        assert any("a line" in told for told in process.stdout)
        os.killpg(process.pid, signal.SIGINT)
    if line == SERVING:
        assert process.stderr is not None
        assert any("until Ctrl-C" in told for told in process.stderr)
        os.killpg(process.pid, signal.SIGINT)
    told, problems = process.communicate(timeout=240)
    assert process.returncode == (INTERRUPTED if line == FOLLOWING else 0), told + problems
    assert told or ">" in line or "logs" in line  # an answer; else a file that it went to, or a log that is empty


def write_a_line(shell: Shell) -> None:
    """Write to the function's log on AWS, as the function would."""
    logs = shell.client("logs", "eu-west-1")
    place = {"logGroupName": "/aws/lambda/films-prod-predict", "logStreamName": "by-hand"}
    logs.create_log_stream(**place)
    event = {"timestamp": int(time.time() * 1000), "message": "a line"}
    logs.put_log_events(**place, logEvents=[event])


def answered(shell: Shell) -> str:
    """The id of a request that the API has answered."""
    events = shell.json("logs", "api")
    return str(json.loads(events[-1]["message"])["request_id"])


def test_every_example_is_run() -> None:
    everywhere = [examples.ROOT, *examples.COMMANDS.values()]
    assert {line for lines in everywhere for line, _ in lines} == set(LINES)


def begun(shell: Shell, line: str) -> "subprocess.Popen[str]":
    """The line, typed into a shell where sentictl is on the path."""
    return subprocess.Popen(
        ["bash", "-c", line],
        cwd=shell.folder,
        env=environment() | dict(shell.variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
