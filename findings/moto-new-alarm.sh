#!/usr/bin/env bash
# moto's new alarm is OK at once, where AWS has one in INSUFFICIENT_DATA until it was first evaluated.
#
# Packages: moto[cloudwatch]==5.2.5, boto3==1.44.8, botocore==1.44.8.
# Expected: INSUFFICIENT_DATA, as the description of PutMetricAlarm in botocore says of the state right after the creation.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[cloudwatch]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat >"$folder/try.py" <<'PYTHON'
import boto3
from moto import mock_aws

with mock_aws():
    client = boto3.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName="errors",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    print(client.describe_alarms(AlarmNames=["errors"])["MetricAlarms"][0]["StateValue"])
PYTHON

cat >"$folder/seen" <<'SEEN'
OK
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
