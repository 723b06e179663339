"""What differs between the parts of AWS: commercial regions, China's, the European Union's own, isolated ones."""

import re

from botocore.loaders import create_loader


def dns_suffix(region: str) -> str:
    """What AWS's host names end with in a region, such as "amazonaws.com"; from botocore's table of partitions."""
    partitions = create_loader().load_data("partitions")["partitions"]
    suffixes = (part["outputs"]["dnsSuffix"] for part in partitions if re.match(part["regionRegex"], region))
    return str(next(suffixes, "amazonaws.com"))
