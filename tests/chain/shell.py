"""A shell in a project with reviews and a model small enough to be trained in seconds."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from sentictl.twin import daemon
from tests.prepared import popen as prepared

SETTINGS = """\
[project]
name = "toy"
id = "0123456789ab"

[data]
source = "reviews.csv"
vocabulary_size = 200

[train]
epochs = 8
batch_size = 16
learning_rate = 0.02
embedding_dim = 8
hidden_dim = 8
max_tokens = 32
"""
SENTICTL = Path(sys.executable).with_name("sentictl")
GOOD, BAD = ("wonderful", "superb", "moving", "charming"), ("dreadful", "boring", "awful", "tedious")
SUBJECTS = ("plot", "acting", "music", "camera", "ending", "script", "hero", "villain", "dialogue", "pacing")


@dataclass(frozen=True)
class Shell:
    """A person's shell in a project's folder, with environment variables of its own."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def twin(self) -> Path:
        """The folder of the project's own twin."""
        return self.folder / ".sentictl" / "local"

    def run(self, *arguments: str, stdin: str = "", expect: int | None = 0) -> "subprocess.CompletedProcess[str]":
        """Run sentictl; its exit code must be the expected one, where there is one."""
        done = prepared.run(
            [SENTICTL, *arguments],
            cwd=self.folder,
            env=environment() | dict(self.variables),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert expect in (None, done.returncode), done.stdout + done.stderr
        return done

    def json(self, *arguments: str, stdin: str = "", expect: int = 0) -> Any:
        """Run sentictl with --json; its stdout must be one document."""
        return json.loads(self.run(*arguments, "--json", stdin=stdin, expect=expect).stdout)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """boto3's client of a service, as somebody has it who works by hand on what this shell's AWS is."""
        ours = "AWS_ENDPOINT_URL" in self.variables
        found = self.variables if ours else daemon.access(self.twin).variables(region)
        session = boto3.Session(found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"], region_name=region)
        return session.client(service, endpoint_url=found["AWS_ENDPOINT_URL"])

    def journal(self) -> bytes:
        """Every call so far that changed something in the twin."""
        return (self.twin / "journal" / "calls.jsonl").read_bytes()


def environment() -> dict[str, str]:
    """The environment of a shell without anything of AWS or sentictl in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SENTICTL_"))}


def begin(folder: Path) -> Shell:
    """A project with 240 reviews, in which good words make a review positive."""
    folder.mkdir(exist_ok=True)
    (folder / "sentictl.toml").write_text(SETTINGS)
    with (folder / "reviews.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("review", "label"))
        for number in range(240):
            words, subject = (GOOD, BAD)[number % 2], SUBJECTS[number // 2 % len(SUBJECTS)]
            text = f"A {words[number // 2 % 4]} {subject}, {words[number // 20 % 4]}. Film number {number}."
            table.writerow((text, 1 - number % 2))
    return Shell(folder)


def copy(standing: Path, folder: Path) -> Shell:
    """A shell in a copy of a project whose twin does not run."""
    shutil.copytree(standing, folder, symlinks=True)
    return Shell(folder)


def up(shell: Shell, **variables: str) -> "subprocess.Popen[str]":
    """`sentictl up`, begun, with these variables besides."""
    return prepared.Popen(
        [SENTICTL, "up"],
        cwd=shell.folder,
        env=environment() | variables,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(process: "subprocess.Popen[str]", words: str) -> None:
    """Read what it says until it says these words."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
