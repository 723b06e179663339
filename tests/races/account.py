"""An AWS for races: the twin's control plane behind its HTTP server, and a bucket that keeps older versions."""

import contextlib
import os
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from sentictl.aws.environment import RETRIES
from sentictl.twin.control_plane.control_plane import ControlPlane
from sentictl.twin.control_plane.journal import Journal
from sentictl.twin.control_plane.weather import Weather
from sentictl.twin.core.messages import Request
from sentictl.twin.core.web_server import MAX_BODY, Server
from sentictl.twin.s3.buckets import Buckets
from sentictl.twin.s3.conditional_writes import ConditionalWrites
from tests.sweep import process

BUCKET, REGION = "shared", "eu-west-1"


@contextlib.contextmanager
def account(home: Path, weather: str) -> Iterator[str]:
    """One that answers within the `with`, in a process of its own.

    Args:
        home: an empty folder.
        weather: "calm" or "rough".

    Yields:
        Its address.
    """
    home.mkdir(parents=True)
    (home / "weather").write_text(weather)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        pid = process.fork(lambda: _serve(home, listener), home / "log")
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        make_bucket(s3(url))
        yield url
    finally:
        process.kill(pid)


def make_bucket(client: Any) -> None:
    """Make the bucket. In rough weather it is not known everywhere at first, when it is to keep older versions."""
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    while True:
        with contextlib.suppress(client.exceptions.NoSuchBucket):
            client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
            return


def s3(url: str) -> Any:
    """S3's client there, for whoever looks: one for each process, as forks would share its connections."""
    return _looker(url, os.getpid())


@cache
def _looker(url: str, _pid: int) -> Any:
    return _clients(url)["s3"]


@cache
def unused_clients(url: str) -> dict[str, Any]:
    """Clients by service, for forks: to make one takes longer than a race, and this process never uses them."""
    return _clients(url)


def _clients(url: str) -> dict[str, Any]:
    session = boto3.Session("writer", "secret", region_name=REGION)
    config = Config(retries=RETRIES, proxies={})
    return {service: session.client(service, endpoint_url=url, config=config) for service in ("s3", "sts")}


def _serve(home: Path, listener: socket.socket) -> None:
    control = ControlPlane(Journal(home / "journal"), Weather(home / "weather"))
    Buckets(control)
    ConditionalWrites(control)

    def answer(environ: Any, start_response: Any) -> Any:
        return control.handle(Request(environ, populate_request=False))(environ, start_response)

    Server(answer, listener, lambda _path: MAX_BODY).run()
