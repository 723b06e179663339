#!/usr/bin/env bash
# moto drops the shadow variants of an endpoint config without an error: neither the config nor its endpoint has them.
#
# Packages: moto[sagemaker]==5.2.5, boto3==1.44.8, botocore==1.44.8.
# Expected: what CreateEndpointConfig takes DescribeEndpointConfig tells, as it does of the production variants.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[sagemaker]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat >"$folder/try.py" <<'PYTHON'
import boto3
from moto import mock_aws

ROLE = "arn:aws:iam::123456789012:role/role"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1"


def variant(name: str) -> dict[str, object]:
    return {"VariantName": name, "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}


with mock_aws():
    client = boto3.client("sagemaker")
    for name in ("live", "shadow"):
        client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    client.create_endpoint_config(
        EndpointConfigName="config", ProductionVariants=[variant("live")], ShadowProductionVariants=[variant("shadow")]
    )
    client.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
    config = client.describe_endpoint_config(EndpointConfigName="config")
    endpoint = client.describe_endpoint(EndpointName="endpoint")
    for what, answer in (("config", config), ("endpoint", endpoint)):
        print(what, [each["VariantName"] for each in answer["ProductionVariants"]], answer.get("ShadowProductionVariants"))
PYTHON

cat >"$folder/seen" <<'SEEN'
config ['live'] None
endpoint ['live'] None
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
