#!/usr/bin/env bash
# moto's tagging service names an endpoint config by the text of a Python tuple, and does not know REST APIs.
#
# Packages: moto[apigateway,sagemaker,resourcegroupstaggingapi]==5.2.5 boto3==1.44.5 botocore==1.44.5.
# Expected: GetResources lists the ARNs of all that carries the tag, each as the call that made it gave it.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[apigateway,sagemaker,resourcegroupstaggingapi]==5.2.5' boto3==1.44.5 botocore==1.44.5

cat >"$folder/try.py" <<'PYTHON'
import boto3
from moto import mock_aws

TAGS = [{"Key": "project", "Value": "films"}]
ROLE = "arn:aws:iam::123456789012:role/r"

with mock_aws():
    session = boto3.Session("a", "b", region_name="us-east-1")
    sagemaker = session.client("sagemaker")
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "i"}, Tags=TAGS)
    variant = {"VariantName": "a", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    made = sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant], Tags=TAGS)
    session.client("apigateway").create_rest_api(name="api", tags={"project": "films"})
    tagging = session.client("resourcegroupstaggingapi")
    found = tagging.get_resources(TagFilters=[{"Key": "project", "Values": ["films"]}])["ResourceTagMappingList"]
    print("made  ", made["EndpointConfigArn"])
    for entry in found:
        print("listed", entry["ResourceARN"])
PYTHON

cat >"$folder/seen" <<'SEEN'
made   arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/c
listed ('arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/c',)
listed arn:aws:sagemaker:us-east-1:123456789012:model/m
SEEN

"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
