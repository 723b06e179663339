"""Which objects a transform job reads, and under which keys it writes what became of them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sentictl.twin.s3.objects import ObjectMissingError, Objects
from sentictl.twin.sagemaker.running_jobs import JobFailedError


class TransformInput(NamedTuple):
    """An object that is read.

    Attributes:
        uri: its address.
        output: the key of its output, below the job's S3OutputPath.
    """

    uri: str
    output: str


def inputs_of(request: Mapping[str, Any], objects: Objects) -> list[TransformInput]:
    """Return the inputs of a job, by their names.

    Args:
        request: the parameters of CreateTransformJob.
        objects: S3, as the job's role reaches it.

    Raises:
        JobFailedError: there are none, or the manifest is none.
        AccessDeniedError: the role does not allow to look.
    """
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    uri = source["S3Uri"]
    found = list(_of_manifest(uri, objects) if source["S3DataType"] == "ManifestFile" else _of_prefix(uri, objects))
    if not found:
        raise JobFailedError(f"ClientError: No S3 objects found under S3 URL {uri}")
    return found


def _of_prefix(uri: str, objects: Objects) -> Iterator[TransformInput]:
    folder = uri[: uri.rfind("/") + 1]  # what a prefix cuts short begins the names of the outputs
    for found in objects.under(uri):
        yield TransformInput(found, f"{found.removeprefix(folder)}.out")


def _of_manifest(uri: str, objects: Objects) -> Iterator[TransformInput]:
    """Read a manifest: a list of an object with the prefix, and of names below it."""
    try:
        head, *names = json.loads(objects.read(uri))
        prefix = str(head["prefix"])
    except (ObjectMissingError, ValueError, KeyError, TypeError) as error:
        raise JobFailedError(f"ClientError: The manifest {uri} cannot be read: {error}") from error
    yield from (TransformInput(f"{prefix}{name}", f"{name}.out") for name in names)
