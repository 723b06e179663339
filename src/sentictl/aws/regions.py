"""The parts of AWS and their differences: commercial regions, China's, the European Union's own, isolated ones."""

import re
from collections.abc import Mapping
from typing import Any

from sentictl.aws.isolation import installed_data


def dns_suffix(region: str) -> str:
    """Return the end of AWS's host names in a region, such as "amazonaws.com"."""
    return str(_part_of(region)["outputs"]["dnsSuffix"])


def partition(region: str) -> str:
    """Return the name of the part of AWS that a region belongs to, such as "aws"."""
    return str(_part_of(region)["id"])


def _part_of(region: str) -> Mapping[str, Any]:
    """Return what botocore's table says of a region's part; of a region that it does not know, the commercial one."""
    parts = installed_data().load_data("partitions")["partitions"]
    found: Mapping[str, Any] = next((part for part in parts if re.match(part["regionRegex"], region)), parts[0])
    return found
