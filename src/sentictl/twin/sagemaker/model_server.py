"""One process that serves one model, and the requests that are under way in it."""

import json
import shutil
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from sentictl.twin.core import processes
from sentictl.twin.core.processes import StartFailedError
from sentictl.twin.iam.roles import AccessDeniedError
from sentictl.twin.s3.objects import BadArchiveError, ObjectMissingError, Objects
from sentictl.twin.sagemaker.images.stand_ins import stand_in
from sentictl.twin.sagemaker.model_connections import open_connection, receive, send

START_SECONDS = 120.0
INVOKE_SECONDS = 60.0  # SageMaker's own limit for a model's answer
DRAIN_SECONDS = INVOKE_SECONDS
MOST_REQUESTS = 100  # under way in one server, as many as TorchServe keeps in its queue


class ModelTimeoutError(Exception):
    """The model did not answer in time."""


class ModelUnavailableError(Exception):
    """There is no process that could answer now: it ended and is being replaced, or has too much to do already."""


class ModelDiedError(Exception):
    """The process ended while it was to answer."""


@dataclass(frozen=True)
class Variant:
    """A production variant: the model that it serves, in which role (an ARN), and on what.

    `serverless` is its ServerlessConfig; where there is none it has `instances`. `weight` is its share of the requests
    beside other variants'.
    """

    name: str
    role: str
    model_data: str
    environment: dict[str, str]
    image: str
    instances: int = 1
    serverless: Mapping[str, int] | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class ModelAnswer:
    """What a model's process answers: an HTTP status, and a body of a content type."""

    status: int
    content_type: str
    body: bytes


class ModelServer:
    """What stands in for the model's image, in a child process, with one model.

    Raises:
        StartFailedError: no artifact, an archive that cannot be unpacked, or a model that does not load.
    """

    def __init__(
        self,
        variant: Variant,
        folder: Path,
        objects: Objects,
        environment: dict[str, str],
        on_line: Callable[[str], None],
    ) -> None:
        self.variant = variant
        self._folder = folder
        self._idle = threading.Condition()
        self._under_way = 0
        self._stopped = False
        try:
            self._unpack(objects)
            self._process, self._control = self._start(environment | variant.environment, on_line)
        except StartFailedError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._connections: list[Connection] = []  # that no request is under way on

    @property
    def under_way(self) -> int:
        """How many requests are counted in."""
        return self._under_way

    def begin(self) -> None:
        """Count a request in: the server is not stopped before `invoke` is over."""
        with self._idle:
            self._under_way += 1

    def invoke(
        self, body: bytes, content_type: str, accept: str, attributes: str = "", seconds: float = INVOKE_SECONDS
    ) -> ModelAnswer:
        """Hand on a request that was counted in, and wait for its answer so many seconds.

        Raises:
            ModelUnavailableError: it was not handed on.
            ModelTimeoutError: no answer in time.
            ModelDiedError: no answer any more.
        """
        try:
            if self._under_way > MOST_REQUESTS:
                raise ModelUnavailableError(f"{MOST_REQUESTS} requests are under way")
            return self._ask(body, [content_type, accept, attributes], seconds)
        finally:
            with self._idle:
                self._under_way -= 1
                self._idle.notify_all()

    def _ask(self, body: bytes, head: list[str], seconds: float) -> ModelAnswer:
        try:
            connection = self._connect()
            send(connection, head, body)
        except OSError as error:
            raise ModelUnavailableError(str(error)) from error
        try:
            if not connection.poll(seconds):
                connection.close()
                raise ModelTimeoutError(f"no answer after {seconds:.0f} s")
            (status, content_type), content = receive(connection)
            answer = ModelAnswer(status, content_type, content)
        except (EOFError, OSError) as error:
            raise ModelDiedError(str(error)) from error
        with self._idle:
            self._connections.append(connection)
        return answer

    def _connect(self) -> Connection:
        """Return a connection of this caller's own, one that was used before if there is one."""
        with self._idle:
            return self._connections.pop() if self._connections else open_connection(self._control)

    def ends_by_itself(self) -> bool:
        """Wait until the process has ended, and return whether nobody told it to."""
        self._process.wait()
        return not self._stopped

    def stop(self, *, drain: bool = True) -> None:
        """End the process, after the requests under way if `drain`, and remove its folder."""
        if drain:
            with self._idle:
                self._idle.wait_for(lambda: self._under_way == 0, DRAIN_SECONDS)
        self._stopped = True
        processes.terminate(self._process, grace=1.0)
        self._control.close()
        with self._idle:
            for connection in self._connections:
                connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _unpack(self, objects: Objects) -> None:
        uri = self.variant.model_data
        self._folder.mkdir(parents=True)
        try:
            objects.extract(uri, self._folder)
        except ObjectMissingError as error:
            raise StartFailedError(
                f'Failed to download model data for container "container_1" from URL: "{uri}". '
                "Please ensure that there is an object located at the URL."
            ) from error
        except AccessDeniedError as error:
            raise StartFailedError(
                f'Could not access model data at {uri}. Please ensure that the role "{self.variant.role}" exists and '
                'that its trust relationship policy allows the action "sts:AssumeRole" for the service principal '
                f'"sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the '
                f"object is located in the endpoint's region. ({error})"
            ) from error
        except BadArchiveError as error:
            raise StartFailedError(f"Failed to extract model data archive for container: {error}") from error

    def _start(
        self, environment: dict[str, str], on_line: Callable[[str], None]
    ) -> tuple[processes.Process, socket.socket]:
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = [stand_in(self.variant.image), str(self._folder), str(theirs.fileno())]
            process = processes.start_child(arguments, self._folder, environment, pass_fds=[theirs.fileno()])
        for pipe in processes.pipes(process):
            processes.OutputReader(pipe, on_line)
        told = _read_line(ours)
        if told != {}:
            ours.close()
            processes.terminate(process, grace=0)
            why = f" ({told['error']})" if told else ""
            raise StartFailedError(
                f"The primary container for production variant {self.variant.name} did not pass the ping health check. "
                f"Please check CloudWatch logs for this endpoint.{why}"
            )
        return process, ours


def _read_line(control: socket.socket) -> dict[str, str] | None:
    """Return what a model's process says when it has loaded the model; None if it ends, or takes too long."""
    control.settimeout(START_SECONDS)
    with suppress(OSError, ValueError), control.makefile("rb") as stream:
        told: dict[str, str] = json.loads(stream.readline())
        control.settimeout(None)
        return told
    return None
