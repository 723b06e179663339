"""A project whose state is in a bucket of moto's, and writers of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sentictl.aws.environment import Environment
from sentictl.aws.remote_state import lease
from sentictl.aws.remote_state.store import RemoteState
from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder

BUCKET = "shared"
PLACE = f"s3://{BUCKET}/films"
STATE_KEY, LEASE_KEY = "films/prod.json", "films/prod.lease"
SETTINGS = f"""\
[project]
name = "films"
id = "0123456789ab"
state = "{PLACE}"
state_wait_seconds = 0

[env.prod]
region = "eu-west-1"
"""
Writer = tuple[Config, RemoteState]
WriterOf = Callable[..., Writer]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """S3's client, and a bucket that keeps older versions."""
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.01)
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-1")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody renews a lease: of one that holds for less than no time, it is as if its machine had slept."""
    monkeypatch.setattr(lease.Lease, "_keep", lambda _: None)


@pytest.fixture
def writer_of(tmp_path: Path, s3: Any) -> WriterOf:
    """Makes writers, each in a clone of the project of its own."""

    def make(name: str, settings: str = SETTINGS, **options: Any) -> Writer:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "sentictl.toml").write_text(settings)
        config = Config.load(ProjectFolder(folder), "prod")
        environment = Environment("prod", "eu-west-1", recognize=config.recognize)
        store = RemoteState(lambda: environment, config, command="up", **options)
        config.store = store
        return config, store

    return make
