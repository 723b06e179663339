"""CloudWatch's embedded metric format: log lines that tell metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sentictl.twin.cloudwatch.metrics import Metrics

MARK = '"_aws"'


def tell(metrics: Metrics, region: str, line: str) -> None:
    """Note the metrics that a log line tells. A line that is not of the format tells none."""
    if MARK not in line:
        return
    try:
        told = list(_read(json.loads(line)))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return
    for namespace, sets, values in told:
        metrics.put(region, namespace, sets, values)


def _read(document: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, str]], dict[str, float]]]:
    """Yield the namespace, the sets of dimensions and the values of each directive."""
    for directive in document["_aws"]["CloudWatchMetrics"]:
        sets = [{name: str(document[name]) for name in names} for names in directive["Dimensions"]]
        values = {metric["Name"]: float(document[metric["Name"]]) for metric in directive["Metrics"]}
        yield str(directive["Namespace"]), sets, values
