#!/usr/bin/env bash
# moto refuses three quarters of the instance types on which SageMaker hosts models.
#
# Packages: moto[sagemaker]==5.2.5 boto3==1.44.5 botocore==1.44.5.
# Expected: CreateEndpointConfig takes every instance type that botocore's own model of the call lists.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[sagemaker]==5.2.5' boto3==1.44.5 botocore==1.44.5

cat >"$folder/try.py" <<'PYTHON'
import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

with mock_aws():
    client = boto3.client("sagemaker", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    client.create_model(
        ModelName="m", ExecutionRoleArn="arn:aws:iam::123456789012:role/r", PrimaryContainer={"Image": "i"}
    )
    listed = client.meta.service_model.shape_for("ProductionVariantInstanceType").enum
    refused = []
    for number, name in enumerate(listed):
        variant = {"VariantName": "a", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": name}
        try:
            client.create_endpoint_config(EndpointConfigName=f"c{number}", ProductionVariants=[variant])
        except ClientError as refusal:
            assert refusal.response["Error"]["Code"] == "ValidationException"
            refused.append(name)
print(f"{len(refused)} of {len(listed)} refused")
for name in ("ml.m5.large", "ml.c7g.large", "ml.m7i.large", "ml.g5.xlarge"):
    print(name, "refused" if name in refused else "taken")
PYTHON

cat >"$folder/seen" <<'SEEN'
211 of 277 refused
ml.m5.large taken
ml.c7g.large refused
ml.m7i.large refused
ml.g5.xlarge refused
SEEN

"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
