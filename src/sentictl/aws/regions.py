"""The parts of AWS and their differences: commercial regions, China's, the European Union's own, isolated ones."""

import re

from botocore.loaders import create_loader


def dns_suffix(region: str) -> str:
    """Return the end of AWS's host names in a region, such as "amazonaws.com"; from botocore's table of partitions."""
    partitions = create_loader().load_data("partitions")["partitions"]
    suffixes = (part["outputs"]["dnsSuffix"] for part in partitions if re.match(part["regionRegex"], region))
    return str(next(suffixes, "amazonaws.com"))
