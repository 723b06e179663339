#!/usr/bin/env bash
# boto3's waiter for an endpoint waits an hour for one whose update and rollback have both failed.
#
# Packages: boto3==1.44.8, botocore==1.44.8.
# Expected: the waiter ends at once with an error for UpdateRollbackFailed, as it does for Failed: SageMaker does
# nothing more by itself (DescribeEndpoint in botocore).
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 botocore==1.44.8

cat >"$folder/try.py" <<'PYTHON'
import boto3
from botocore.exceptions import WaiterError

client = boto3.client("sagemaker")


def wait(*told):
    """Wait for an endpoint that tells these states, the last one for ever, without the time between the questions."""
    asked = []

    def answer(**_):
        asked.append(told[min(len(asked), len(told) - 1)])
        return {"EndpointStatus": asked[-1]}

    client.describe_endpoint = answer
    waiter = client.get_waiter("endpoint_in_service")
    seconds = waiter.config.delay
    try:
        waiter.wait(EndpointName="films", WaiterConfig={"Delay": 0})
        said = "in service"
    except WaiterError as error:
        said = error.kwargs["reason"].partition(":")[0]
    print(f"{' '.join(told)}: {said} after {len(asked)} questions, {(len(asked) - 1) * seconds / 60:g} minutes")


wait("Updating", "Failed")
wait("Updating", "UpdateRollbackFailed")
PYTHON

cat >"$folder/seen" <<'SEEN'
Updating Failed: Waiter encountered a terminal failure state after 2 questions, 0.5 minutes
Updating UpdateRollbackFailed: Max attempts exceeded after 120 questions, 59.5 minutes
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
