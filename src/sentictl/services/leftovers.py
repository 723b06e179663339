"""What is left on AWS with the project's tags, whatever made it."""

from collections.abc import Iterable

from sentictl.lifecycle.resource import Context
from sentictl.state import Record


def leftovers(context: Context, deleted: Iterable[Record]) -> list[dict[str, str]]:
    """Everything in the region that carries the project's tags, by the service that knows all tags.

    Args:
        context: the project and environment.
        deleted: what was deleted just now; the service forgets it only after some minutes.

    Returns:
        Their ARNs, as `{"kind", "name", "arn"}` with the service as the kind.
    """
    gone = {_plain(record.arn) for record in deleted}
    filters = [{"Key": key, "Values": [value]} for key, value in context.naming.tags.items()]
    pages = context.environment.client("resourcegroupstaggingapi").get_paginator("get_resources")
    arns = [
        entry["ResourceARN"] for page in pages.paginate(TagFilters=filters) for entry in page["ResourceTagMappingList"]
    ]
    return [
        {"kind": arn.split(":")[2], "name": arn.split(":", 5)[5], "arn": arn} for arn in arns if _plain(arn) not in gone
    ]


def _plain(arn: str) -> str:
    """Log groups are told both with and without the wildcard of their streams."""
    return arn.removesuffix(":*")
