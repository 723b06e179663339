#!/usr/bin/env bash
# moto takes another architecture with a function's code and keeps the old one, in its answer as well.
#
# Packages: moto[awslambda]==5.2.5, boto3==1.44.8, botocore==1.44.8.
# Expected: after UpdateFunctionCode with Architectures ["arm64"] the function is of arm64, as botocore's model of the call says.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[awslambda]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat >"$folder/try.py" <<'PYTHON'
import io
import json
import zipfile

import boto3
from moto import mock_aws


def package() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", "def handle(event, context):\n    return 1\n")
    return content.getvalue()


with mock_aws():
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = boto3.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    client = boto3.client("lambda")
    client.create_function(
        FunctionName="predict", Runtime="python3.13", Role=role, Handler="handler.handle", Code={"ZipFile": package()}
    )
    changed = client.update_function_code(FunctionName="predict", ZipFile=package(), Architectures=["arm64"])
    print("UpdateFunctionCode answers", changed["Architectures"])
    print("GetFunctionConfiguration answers", client.get_function_configuration(FunctionName="predict")["Architectures"])
PYTHON

cat >"$folder/seen" <<'SEEN'
UpdateFunctionCode answers ['x86_64']
GetFunctionConfiguration answers ['x86_64']
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
