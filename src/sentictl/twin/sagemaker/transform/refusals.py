"""What SageMaker refuses of a transform job before it begins."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.utils import get_service_model

from sentictl.twin.control_plane.quotas import beyond_quota
from sentictl.twin.core.messages import Response, json_rpc_error
from sentictl.twin.sagemaker.transform.payloads import JSON_TYPES

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
MOST_MB = 100  # of MaxPayloadInMB, and of that times MaxConcurrentTransforms
MOST_INSTANCES = 100
# Parts of AWS's API that the twin does not have: what names them in a request, and their values that it does have.
KNOWN: Mapping[tuple[str, ...], tuple[Any, ...]] = {
    ("TransformInput", "SplitType"): (None, "None", "Line"),
    ("TransformInput", "DataSource", "S3DataSource", "S3DataType"): ("S3Prefix", "ManifestFile"),
    ("DataProcessing", "InputFilter"): (None, "$"),
    ("DataProcessing", "OutputFilter"): (None, "$"),
    ("DataCaptureConfig",): (None,),
    ("TransformOutput", "KmsKeyId"): (None, ""),
    ("TransformResources", "VolumeKmsKeyId"): (None, ""),
}
# The least and the most of numbers, by where they are.
BOUNDS = {
    ("TransformResources", "InstanceCount"): (1, MOST_INSTANCES),
    ("ModelClientConfig", "InvocationsTimeoutInSeconds"): (1, 3600),
    ("ModelClientConfig", "InvocationsMaxRetries"): (0, 3),
    ("MaxPayloadInMB",): (0, MOST_MB),
    ("MaxConcurrentTransforms",): (0, None),
}


def refusal(request: Mapping[str, Any]) -> Response | None:
    """Return SageMaker's refusal of a request for a transform job; None where it takes it."""
    problem = next(_problems(request), None)
    if problem:
        return json_rpc_error("ValidationException", problem)
    machines = request["TransformResources"]
    return beyond_quota("transform job usage", machines["InstanceType"], machines["InstanceCount"])


def _problems(request: Mapping[str, Any]) -> Iterator[str]:
    for path, known in KNOWN.items():
        given = _at(request, path)
        if given not in known:
            yield f"The local twin does not know {'.'.join(path)} {given if isinstance(given, str) else ''}".rstrip()
    name = request["TransformJobName"]
    if not NAME.fullmatch(name):
        yield _constraint(name, "transformJobName", f"satisfy regular expression pattern: {NAME.pattern}")
    for path, (least, most) in BOUNDS.items():
        given = _at(request, path)
        if given is not None and (given < least or (most is not None and given > most)):
            sense = f"greater than or equal to {least}" if given < least else f"less than or equal to {most}"
            yield _constraint(given, _spelled(path), f"have value {sense}")
    instance_type = request["TransformResources"]["InstanceType"]
    types = get_service_model("sagemaker").shape_for("TransformInstanceType").enum
    if instance_type not in types:
        where = "transformResources.instanceType"
        yield _constraint(instance_type, where, f"satisfy enum value set: [{', '.join(types)}]")
    yield from _of_payload(request)


def _of_payload(request: Mapping[str, Any]) -> Iterator[str]:
    payload, many = request.get("MaxPayloadInMB"), request.get("MaxConcurrentTransforms")
    if many and payload is not None and many * payload > MOST_MB:
        yield (
            f"The value of MaxConcurrentTransforms ({many}) * MaxPayloadInMB ({payload}) must not exceed {MOST_MB} MB."
        )
    splits = _at(request, ("TransformInput", "SplitType")) == "Line"
    if request.get("BatchStrategy") and not splits:
        yield "BatchStrategy can only be set if SplitType is one of Line, RecordIO, TFRecord."
    if payload == 0 and splits:
        yield "MaxPayloadInMB 0 sends whole objects in chunks, and cannot be used with SplitType."
    if _at(request, ("DataProcessing", "JoinSource")) == "Input":
        kind = (_at(request, ("TransformInput", "ContentType")) or "").partition(";")[0].strip().lower()
        if kind not in JSON_TYPES:
            yield f"The local twin joins JSON alone, not the content type {kind or 'none'}."
        if splits != (_at(request, ("TransformOutput", "AssembleWith")) == "Line"):
            yield "SplitType and AssembleWith must both be Line where JoinSource is Input and records are lines."


def _at(request: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = request
    for name in path:
        value = (value or {}).get(name)
    return value


def _spelled(path: tuple[str, ...]) -> str:
    return ".".join(name[0].lower() + name[1:] for name in path)


def _constraint(value: Any, where: str, rule: str) -> str:
    return f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy constraint: Member must {rule}"
