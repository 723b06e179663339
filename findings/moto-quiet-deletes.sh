#!/usr/bin/env bash
# moto tells of every object that a quiet DeleteObjects deleted, where AWS tells of failures alone.
#
# Packages: moto[s3]==5.2.5, boto3==1.44.8, botocore==1.44.8.
# Expected: no Deleted. "In quiet mode the response includes only keys where the delete operation encountered an error":
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[s3]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat >"$folder/try.py" <<'PYTHON'
import boto3
from moto import mock_aws

with mock_aws():
    client = boto3.client("s3")
    client.create_bucket(Bucket="films")
    client.put_object(Bucket="films", Key="a")
    answer = client.delete_objects(Bucket="films", Delete={"Objects": [{"Key": "a"}], "Quiet": True})
    print([each["Key"] for each in answer.get("Deleted", [])])
PYTHON

cat >"$folder/seen" <<'SEEN'
['a']
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
