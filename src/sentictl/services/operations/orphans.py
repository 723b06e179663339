"""Orphans: all that is left on AWS with the project's tags, whatever made it."""

from collections.abc import Iterable

from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context, Resource


def find_orphans(context: Context, kept: Iterable[Resource], deleted: Iterable[Record]) -> list[dict[str, str]]:
    """Everything in the region that carries the project's tags, by the service that knows all tags.

    That service forgets what was deleted only after minutes or hours, so it is not taken at its word.

    Args:
        context: the project and environment.
        kept: the chain's resources, which are asked whether they are there.
        deleted: what was deleted just now.

    Returns:
        Their ARNs, as `{"kind", "name", "arn"}` with the service as the kind.
    """
    gone, readers = {_plain(record.arn) for record in deleted}, {resource.kind: resource for resource in kept}
    filters = [{"Key": key, "Values": [value]} for key, value in context.naming.tags.items()]
    pages = context.environment.client("resourcegroupstaggingapi").get_paginator("get_resources")
    found = (entry for page in pages.paginate(TagFilters=filters) for entry in page["ResourceTagMappingList"])
    arns = [entry["ResourceARN"] for entry in found if _plain(entry["ResourceARN"]) not in gone]
    return [_entry(arn) for arn in arns if not _is_stale(arn, readers)]


def _is_stale(arn: str, readers: dict[str, Resource]) -> bool:
    """Whether it is of a kind that can be asked about, as SageMaker's are, and not there any more."""
    kind, _, name = arn.split(":", 5)[5].partition("/")
    return kind in readers and readers[kind].read(name) is None


def _plain(arn: str) -> str:
    """Log groups are told both with and without the wildcard of their streams."""
    return arn.removesuffix(":*")


def _entry(arn: str) -> dict[str, str]:
    return {"kind": arn.split(":")[2], "name": arn.split(":", 5)[5], "arn": arn}
