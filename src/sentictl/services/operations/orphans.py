"""Orphans: all that is left on AWS with the project's tags, whatever made it."""

from collections.abc import Sequence

from sentictl.aws.names import tags_in
from sentictl.lifecycle.resource import Context, Resource


def find_orphans(context: Context, kinds: Sequence[Resource]) -> list[dict[str, str]]:
    """Everything in the region that carries the project's tags, by the service that knows all tags.

    That service lists for hours what was deleted, so each thing is asked for itself before it is called left.

    Args:
        context: the project and environment.
        kinds: the kinds of resources that can be asked for.

    Returns:
        Their ARNs, as `{"kind", "name", "arn"}` with the service as the kind.
    """
    filters = [{"Key": key, "Values": [value]} for key, value in context.naming.names.items()]
    pages = context.environment.client("resourcegroupstaggingapi").get_paginator("get_resources")
    entries = (entry for page in pages.paginate(TagFilters=filters) for entry in page["ResourceTagMappingList"])
    arns = [entry["ResourceARN"] for entry in entries if context.owns(tags_in(entry["Tags"]))]
    return [_entry(arn) for arn in arns if not any(kind.is_gone(arn) for kind in kinds)]


def _entry(arn: str) -> dict[str, str]:
    return {"kind": arn.split(":")[2], "name": arn.split(":", 5)[5], "arn": arn}
