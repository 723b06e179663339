"""Writers as threads of one process, which ask the twin's control plane without any network: a thousand races quickly.

What is raced is the real thing: leases, conditional writes and documents here, moto behind its lock there. In place of
processes that die there are threads that make no more calls, and that are known to be dead as those are.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config as ClientConfig

from sentictl.aws.environment import RETRIES, Environment
from sentictl.aws.remote_state import lease, signature
from sentictl.aws.remote_state.store import RemoteState
from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import SentictlError
from sentictl.twin.control_plane.control_plane import ControlPlane
from sentictl.twin.control_plane.journal import Journal
from sentictl.twin.control_plane.weather import Weather
from sentictl.twin.core.messages import Request
from sentictl.twin.s3.buckets import Buckets
from sentictl.twin.s3.conditional_writes import ConditionalWrites
from tests.races.account import BUCKET, REGION, make_bucket
from tests.races.writer import SETTINGS, Field, make
from tests.sweep.faults import Body

OK, REFUSED, DEAD = "done", "refused", "dead"
POLL_SECONDS = 0.002


class DiedError(BaseException):
    """The end of a writer."""


class InProcess:
    """An account in this process.

    Args:
        home: an empty folder.
        weather: "calm" or "rough".
    """

    def __init__(self, home: Path, weather: str) -> None:
        home.mkdir(parents=True)
        (home / "weather").write_text(weather)
        self._control = ControlPlane(Journal(home / "journal"), Weather(home / "weather"))
        Buckets(self._control)
        ConditionalWrites(self._control)
        self._thread = threading.local()
        self._dead: set[int] = set()
        self._writers = 0
        session = boto3.Session("writer", "secret", region_name=REGION)
        config = ClientConfig(retries=RETRIES, proxies={})
        self.clients: dict[str, Any] = {
            service: session.client(service, endpoint_url="http://127.0.0.1:9", config=config)
            for service in ("s3", "sts")
        }
        for client in self.clients.values():
            client.meta.events.register("before-send", self._answer)
        make_bucket(self.clients["s3"])

    @contextlib.contextmanager
    def races(self) -> Iterator[None]:
        """Have leases know the writers that are threads, in this block."""
        patches = pytest.MonkeyPatch()
        patches.setattr(lease, "POLL_SECONDS", POLL_SECONDS)
        patches.setattr(lease.Lease, "_keep", lambda _: None)  # no race takes so long
        patches.setattr(signature.Process, "this", lambda: signature.Process("", self._thread.number, ""))
        patches.setattr(signature.Process, "is_dead", property(lambda process: process.pid in self._dead))
        try:
            yield
        finally:
            patches.undo()

    def begin(
        self,
        name: str,
        field: Field,
        ended: Callable[[str, str, str], object],
        *,
        calls: int = 0,
        asleep: bool = False,
        pause: float = 0.0,
    ) -> threading.Thread:
        """Begin a writer.

        Args:
            name: of what it makes.
            field: where it runs.
            ended: called with its name, how it ended and what it said.
            calls: how many calls it makes before it dies; 0: it lives.
            asleep: whether its lease has run out as soon as it has it.
            pause: seconds between the announcement and the making.
        """
        self._writers += 1
        number = self._writers
        folder = field.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "sentictl.toml").write_text(SETTINGS.format(bucket=BUCKET, prefix=field.prefix, region=REGION))

        def work() -> None:
            self._thread.number, self._thread.calls = number, calls
            try:
                config, store = self._project(folder, name, asleep=asleep)
                make(name, config, store, field.ledger, pause)
                ended(name, OK, "")
            except SentictlError as problem:
                ended(name, REFUSED, problem.message)
            except DiedError:
                self._dead.add(number)
                ended(name, DEAD, "")
            except Exception as problem:  # noqa: BLE001  (whatever it is, it is wrong)
                ended(name, type(problem).__name__, str(problem))

        thread = threading.Thread(target=work, name=name)
        thread.start()
        return thread

    def _project(self, folder: Path, name: str, *, asleep: bool) -> tuple[Config, RemoteState]:
        config = Config.load(ProjectFolder(folder), "prod")
        config.settle(REGION)
        environment = Environment("prod", REGION, recognize=config.recognize)
        environment._clients.update(self.clients)
        seconds = -9.0 if asleep else lease.SECONDS
        store = RemoteState(lambda: environment, config, command=f"make {name}", lease_seconds=seconds)
        config.store = store
        return config, store

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        """Carry out a request, unless whoever makes it is dead."""
        calls = getattr(self._thread, "calls", 0)
        if calls < 0:
            raise DiedError
        url = urlsplit(request.url)
        headers = {key: value.decode() if isinstance(value, bytes) else value for key, value in request.headers.items()}
        made = Request.make(request.method, url.path, url.query, headers, _content(request.body))
        answer = self._control.handle(made)
        if calls > 0:
            self._thread.calls = calls - 1 or -1
            if self._thread.calls < 0:
                raise DiedError
        told = {**dict(answer.headers), "date": formatdate(usegmt=True)}
        return AWSResponse(request.url, answer.status_code, told, Body(answer.get_data()))


def _content(body: Any) -> bytes:
    """The bytes of a request's body, which botocore has in several forms."""
    if hasattr(body, "read"):
        body.seek(0)
        body = body.read()
    return body if isinstance(body, bytes) else (body or "").encode()
