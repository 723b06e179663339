"""One machine of a transform job: a model server, which is asked about one input after the other."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

from sentictl.twin.sagemaker.model_server import (
    ModelDiedError,
    ModelServer,
    ModelTimeoutError,
    ModelUnavailableError,
)
from sentictl.twin.sagemaker.transform.payloads import Form, InputFailedError

DEFAULT_SECONDS, DEFAULT_RETRIES = 600, 3
RETRY_PAUSE = 0.05  # seconds; AWS says none


@dataclass(frozen=True)
class Asking:
    """How a machine asks its model.

    Args:
        form: how inputs become requests, and answers outputs.
        content_type: of the requests.
        accept: what the answers are to be.
        at_once: requests under way.
        seconds: that an answer may take.
        retries: how often a request that failed is sent again.
    """

    form: Form
    content_type: str
    accept: str
    at_once: int
    seconds: float
    retries: int

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Self:
        """Read it from the parameters of CreateTransformJob.

        What is left out would be told by the container's `/execution-parameters`. AWS's PyTorch and Ray Serve images,
        which are the ones that the twin stands in for, have no such path, so AWS's defaults hold.
        """
        client = request.get("ModelClientConfig") or {}
        return cls(
            form=Form.of(dict(request)),
            content_type=request["TransformInput"].get("ContentType") or "application/octet-stream",
            accept=request["TransformOutput"].get("Accept") or "*/*",
            at_once=request.get("MaxConcurrentTransforms") or 1,
            seconds=client.get("InvocationsTimeoutInSeconds", DEFAULT_SECONDS),
            retries=client.get("InvocationsMaxRetries", DEFAULT_RETRIES),
        )


class Instance:
    """A machine.

    Args:
        server: what answers on it.
        asking: how it is asked.
        over: tells whether the job has been told to end.
    """

    def __init__(self, server: ModelServer, asking: Asking, over: Callable[[], bool]) -> None:
        self._server = server
        self._asking = asking
        self._over = over

    def transform(self, content: bytes) -> bytes:
        """Return the output of an input object.

        Raises:
            InputFailedError: a request failed, however often it was sent, so that there is none.
        """
        form = self._asking.form
        payloads = list(form.payloads(content))
        with ThreadPoolExecutor(self._asking.at_once) as pool:
            answers = list(pool.map(self._ask, payloads))
        return b"".join(form.assembled(*each) for each in zip(payloads, answers, strict=True))

    def _ask(self, records: list[bytes]) -> bytes:
        body = b"\n".join(records)
        for attempt in range(self._asking.retries + 1):
            if self._over():
                raise InputFailedError("The job was stopped")
            try:
                return self._answer(body)
            except _RetryableError as error:
                if attempt == self._asking.retries:
                    raise InputFailedError(str(error)) from error
                time.sleep(RETRY_PAUSE)
        raise AssertionError("the last attempt answers or raises")

    def _answer(self, body: bytes) -> bytes:
        asking = self._asking
        self._server.begin()
        try:
            answer = self._server.invoke(body, asking.content_type, asking.accept, seconds=asking.seconds)
        except ModelTimeoutError as error:
            raise _RetryableError(f"Model server did not respond to /invocations request: {error}") from error
        except (ModelDiedError, ModelUnavailableError) as error:
            raise _RetryableError(f"Error invoking the model server: {error}") from error
        if answer.status == HTTPStatus.OK:
            return answer.body
        problem = f"Bad HTTP status received from algorithm: {answer.status}"
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _RetryableError(problem)
        raise InputFailedError(problem)


class _RetryableError(Exception):
    """A request failed, and may succeed when it is sent again."""
