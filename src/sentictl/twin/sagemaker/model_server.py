"""One process that serves one model, and the requests that are under way in it."""

import json
import os
import select
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from sentictl.twin.core import processes
from sentictl.twin.core.messages import Response
from sentictl.twin.core.processes import StartFailedError
from sentictl.twin.iam.roles import AccessDeniedError
from sentictl.twin.s3.objects import BadArchiveError, ObjectMissingError, Objects
from sentictl.twin.sagemaker import inference_container

START_SECONDS = 120.0
INVOKE_SECONDS = 60.0  # SageMaker's own limit for a model's answer
DRAIN_SECONDS = INVOKE_SECONDS
HANDED_ON = ("content-type", "accept", "x-amzn-sagemaker-custom-attributes")


MOST_REQUESTS = 100  # under way in one server, as many as TorchServe keeps in its queue


class ModelTimeoutError(Exception):
    """The model did not answer within 60 s."""


class ModelUnavailableError(Exception):
    """There is no process that could answer now: it ended and is being replaced, or has too much to do already."""


class ModelDiedError(Exception):
    """The process ended while it was to answer."""


@dataclass(frozen=True)
class Variant:
    """A production variant: the model that it serves, and in which role (an ARN)."""

    name: str
    role: str
    model_data: str
    environment: dict[str, str]
    image: str


class ModelServer:
    """`inference_container.py` in a child process, with one model.

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
            self._process, port = self._start(environment | variant.environment, on_line)
        except StartFailedError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=32, retries=False, timeout=INVOKE_SECONDS)

    def begin(self) -> None:
        """Count a request in: the server is not stopped before `invoke` is over."""
        with self._idle:
            self._under_way += 1

    def invoke(self, body: bytes, headers: dict[str, str]) -> Response:
        """Hand on a request that was counted in.

        Raises:
            ModelUnavailableError: it was not handed on.
            ModelTimeoutError: no answer in time.
            ModelDiedError: no answer any more.
        """
        try:
            if self._under_way > MOST_REQUESTS:
                raise ModelUnavailableError(f"{MOST_REQUESTS} requests are under way")
            answer = self._pool.urlopen("POST", "/invocations", body=body, headers=headers)
        except urllib3.exceptions.NewConnectionError as error:
            raise ModelUnavailableError(str(error)) from error
        except urllib3.exceptions.TimeoutError as error:
            raise ModelTimeoutError(str(error)) from error
        except urllib3.exceptions.HTTPError as error:
            raise ModelDiedError(str(error)) from error
        finally:
            with self._idle:
                self._under_way -= 1
                self._idle.notify_all()
        return Response(answer.data, answer.status, answer.headers.items())

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

    def _start(self, environment: dict[str, str], on_line: Callable[[str], None]) -> tuple[processes.Process, int]:
        reading, writing = os.pipe()
        arguments = [inference_container.__file__, str(self._folder), str(writing), str(os.getpid())]
        process = processes.start_child(arguments, self._folder, environment, pass_fds=[writing])
        os.close(writing)
        for pipe in processes.pipes(process):
            processes.pump(pipe, on_line)
        told = _read_line(reading)
        if "port" not in told:
            processes.terminate(process, grace=0)
            why = f" ({told['error']})" if told else ""
            raise StartFailedError(
                f"The primary container for production variant {self.variant.name} did not pass the ping health check. "
                f"Please check CloudWatch logs for this endpoint.{why}"
            )
        return process, told["port"]


def _read_line(descriptor: int) -> dict[str, Any]:
    with os.fdopen(descriptor, "rb") as stream:
        readable, _, _ = select.select([stream], [], [], START_SECONDS)
        told: dict[str, Any] = {}
        if readable:
            with suppress(ValueError):  # the child died without a word
                told = json.loads(stream.read1())
        return told
