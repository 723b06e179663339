#!/usr/bin/env bash
# moto's FilterLogEvents matches every line with a pattern over JSON fields, alternatives or an exclusion.
#
# Packages: moto[logs]==5.2.5, boto3==1.44.8, botocore==1.44.8.
# Expected: the lines that CloudWatch Logs' filter pattern syntax matches (its user guide), or an error for what moto
# lacks.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[logs]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat >"$folder/try.py" <<'PYTHON'
import time

import boto3
from moto import mock_aws

LINES = ('{"level": "ERROR", "status": 500}', '{"level": "INFO", "status": 200}', "plain ERROR", "plain words")
PATTERNS = {
    "ERROR": [0, 2],
    '"plain ERROR"': [2],
    '{ $.level = "ERROR" }': [0],
    "{ $.status >= 500 }": [0],
    "?INFO ?words": [1, 3],
    "-plain": [0, 1],
    "ERROR -plain": [0],
}

with mock_aws():
    client = boto3.client("logs")
    client.create_log_group(logGroupName="group")
    client.create_log_stream(logGroupName="group", logStreamName="stream")
    now = int(time.time() * 1000)
    client.put_log_events(
        logGroupName="group",
        logStreamName="stream",
        logEvents=[{"timestamp": now + number, "message": line} for number, line in enumerate(LINES)],
    )
    for pattern, right in PATTERNS.items():
        found = client.filter_log_events(logGroupName="group", filterPattern=pattern)["events"]
        print(f"{pattern:<22} right: lines {right}, found: lines {[LINES.index(event['message']) for event in found]}")
PYTHON

cat >"$folder/seen" <<'SEEN'
ERROR                  right: lines [0, 2], found: lines [0, 2]
"plain ERROR"          right: lines [2], found: lines [2]
{ $.level = "ERROR" }  right: lines [0], found: lines [0, 1, 2, 3]
{ $.status >= 500 }    right: lines [0], found: lines [0, 1, 2, 3]
?INFO ?words           right: lines [1, 3], found: lines [0, 1, 2, 3]
-plain                 right: lines [0, 1], found: lines [0, 1, 2, 3]
ERROR -plain           right: lines [0], found: lines []
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
