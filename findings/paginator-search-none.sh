#!/usr/bin/env bash
# The search of a boto3 paginator yields one None where there is nothing to list.
#
# Packages: boto3==1.44.8, botocore==1.44.8.
# Expected: no results of an empty listing, so that `for key in pages.search("Contents[].Key")` does nothing.
# Seen: the text under `seen` below. A page without the field is null to JMESPath, and what is no list is yielded as it
# is. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 botocore==1.44.8

cat >"$folder/try.py" <<'PYTHON'
import boto3
from botocore.stub import Stubber

client = boto3.client("s3")


def keys(answer, expression):
    with Stubber(client) as stub:
        stub.add_response("list_objects_v2", answer)
        return list(client.get_paginator("list_objects_v2").paginate(Bucket="reviews").search(expression))


for what, answer in (("two objects", {"Contents": [{"Key": "a"}, {"Key": "b"}]}), ("no objects", {"KeyCount": 0})):
    for expression in ("Contents[].Key", "Contents"):
        print(f"{what}, {expression}:", keys(answer, expression))
PYTHON

cat >"$folder/seen" <<'SEEN'
two objects, Contents[].Key: ['a', 'b']
two objects, Contents: [{'Key': 'a'}, {'Key': 'b'}]
no objects, Contents[].Key: [None]
no objects, Contents: [None]
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
