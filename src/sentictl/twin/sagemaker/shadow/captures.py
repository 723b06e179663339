"""Data capture: what an endpoint is asked and answers, kept in S3 as JSON Lines in SageMaker's layout."""

import base64
import json
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sentictl.twin.core.messages import Request, Response
from sentictl.twin.iam.roles import AccessDeniedError
from sentictl.twin.s3.objects import ObjectMissingError, Objects

MOST_IN_A_FILE = 100
INFERENCE_ID = "x-amzn-sagemaker-inference-id"


@dataclass(frozen=True)
class Event:
    """A request, under the id that its captures have in common."""

    request: Request
    identifier: str
    when: datetime

    @classmethod
    def of(cls, request: Request) -> "Event":
        """Return a request as one that was made now."""
        return cls(request, str(uuid.uuid4()), datetime.now(UTC))


class Captures:
    """The captures of an endpoint: kept for a moment, then written in one file for each variant.

    Args:
        config: the endpoint config's DataCaptureConfig; an empty one captures nothing.
        endpoint: the endpoint's name.
        objects: where they are written, as the endpoint's role reaches it.
        tell: writes a line to the endpoint's log.
    """

    def __init__(self, config: Mapping[str, Any], endpoint: str, objects: Objects, tell: Callable[[str], None]) -> None:
        self._config = config
        self._endpoint = endpoint
        self._objects = objects
        self._tell = tell
        self._pending: dict[str, list[str]] = {}

    def chooses(self) -> bool:
        """Return whether a request is one of the share that is captured."""
        on = bool(self._config) and self._config.get("EnableCapture", True)
        return on and random.uniform(0, 100) < self._config["InitialSamplingPercentage"]  # noqa: S311  (no secret)

    def add(self, variant: str, event: Event, answer: Response) -> None:
        """Capture a request and what a variant answered."""
        lines = self._pending.setdefault(variant, [])
        lines.append(json.dumps(self._record(event, answer)))
        if len(lines) >= MOST_IN_A_FILE:
            self.flush()

    def flush(self) -> None:
        """Write what is kept."""
        pending, self._pending = self._pending, {}
        for variant, lines in pending.items():
            now = datetime.now(UTC)
            name = f"{now:%Y/%m/%d/%H/%M-%S}-{now.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
            uri = f"{self._config['DestinationS3Uri'].rstrip('/')}/{self._endpoint}/{variant}/{name}"
            try:
                self._objects.write(uri, "".join(f"{line}\n" for line in lines).encode())
            except (AccessDeniedError, ObjectMissingError) as refusal:
                self._tell(f"data capture: {len(lines)} records are not kept: {refusal}")

    def _record(self, event: Event, answer: Response) -> dict[str, Any]:
        modes = {option["CaptureMode"] for option in self._config["CaptureOptions"]}
        request = event.request
        sides = {
            "Input": ("endpointInput", request.headers.get("content-type", ""), request.get_data()),
            "Output": ("endpointOutput", answer.headers.get("Content-Type", ""), answer.get_data()),
        }
        named = {"inferenceId": request.headers[INFERENCE_ID]} if INFERENCE_ID in request.headers else {}
        return {
            "captureData": {
                member: self._side(mode, content_type, body)
                for mode, (member, content_type, body) in sides.items()
                if mode in modes
            },
            "eventMetadata": {
                "eventId": event.identifier,
                **named,
                "inferenceTime": f"{event.when:%Y-%m-%dT%H:%M:%SZ}",
            },
            "eventVersion": "0",
        }

    def _side(self, mode: str, content_type: str, body: bytes) -> dict[str, str]:
        encoding = self._encoding(content_type)
        data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode("utf-8", "replace")
        return {"observedContentType": content_type, "mode": mode.upper(), "data": data, "encoding": encoding}

    def _encoding(self, content_type: str) -> str:
        types = self._config.get("CaptureContentTypeHeader") or {}
        kind = content_type.partition(";")[0].strip().lower()
        for encoding, member in (("JSON", "JsonContentTypes"), ("CSV", "CsvContentTypes")):
            if kind in [each.lower() for each in types.get(member) or []]:
                return encoding
        return "BASE64"


def capture_summary(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what DescribeEndpoint tells of a DataCaptureConfig; nothing of an empty one."""
    if not config:
        return {}
    on = config.get("EnableCapture", True)
    return {
        "EnableCapture": on,
        "CaptureStatus": "Started" if on else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
