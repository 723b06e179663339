#!/usr/bin/env bash
# moto finds a metric by some of its dimensions or by none, where CloudWatch has no data for such a question.
#
# Packages: moto[cloudwatch]==5.2.5, boto3==1.44.8, botocore==1.44.8.
# Expected: "You must specify the same dimensions that were used when the metrics were created" (GetMetricStatistics in
# botocore): three of the four questions find nothing.
# Seen: the text under `seen` below. A dashboard that forgets a dimension passes its tests and is empty on AWS. The
# script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'moto[cloudwatch]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat >"$folder/try.py" <<'PYTHON'
from datetime import datetime, timedelta, timezone

import boto3
from moto import mock_aws

begin = datetime(2026, 11, 1, tzinfo=timezone.utc)
ENDPOINT = {"Name": "EndpointName", "Value": "films"}
VARIANT = {"Name": "VariantName", "Value": "live"}

with mock_aws():
    client = boto3.client("cloudwatch")
    datum = {"MetricName": "Errors", "Timestamp": begin, "Value": 5, "Dimensions": [ENDPOINT, VARIANT]}
    client.put_metric_data(Namespace="reviews", MetricData=[datum])
    for dimensions in ([ENDPOINT, VARIANT], [ENDPOINT], [], [{"Name": "EndpointName", "Value": "other"}]):
        found = client.get_metric_statistics(
            Namespace="reviews",
            MetricName="Errors",
            Dimensions=dimensions,
            StartTime=begin,
            EndTime=begin + timedelta(minutes=5),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        named = ", ".join(f"{each['Name']}={each['Value']}" for each in dimensions) or "no dimensions"
        print(f"{named}:", [point["Sum"] for point in found])
PYTHON

cat >"$folder/seen" <<'SEEN'
EndpointName=films, VariantName=live: [5.0]
EndpointName=films: [5.0]
no dimensions: [5.0]
EndpointName=other: []
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
