#!/usr/bin/env bash
# A REST API of moto's goes on answering at its address after it was deleted.
#
# Packages: moto[apigateway]==5.2.5, boto3==1.44.8, botocore==1.44.8, responses==0.26.3, requests==2.34.2.
# Expected: after DeleteRestApi the address belongs to no API, so that a request to it fails, as on AWS. moto has the API in
# no list any more. https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteRestApi.html
# Seen: the text under `seen` below. moto adds a mock of HTTP for each method that is deployed, and takes none away, which is
# also why a moto that makes and deletes APIs for long grows. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'moto[apigateway]==5.2.5' boto3==1.44.8 botocore==1.44.8 responses==0.26.3 requests==2.34.2

cat >"$folder/try.py" <<'PYTHON'
import boto3
import requests
import responses
from moto import mock_aws
from moto.core.models import responses_mock

BEHIND = "https://films.example/verdicts"

with mock_aws():
    responses_mock.add(responses.GET, BEHIND, body="positive")
    client = boto3.client("apigateway")
    api = client.create_rest_api(name="films")["id"]
    method = {
        "restApiId": api,
        "resourceId": client.get_resources(restApiId=api)["items"][0]["id"],
        "httpMethod": "GET",
    }
    client.put_method(**method, authorizationType="NONE")
    client.put_method_response(**method, statusCode="200")
    client.put_integration(**method, type="HTTP", uri=BEHIND, integrationHttpMethod="GET")
    client.put_integration_response(**method, statusCode="200")
    client.create_deployment(restApiId=api, stageName="live")
    address = f"https://{api}.execute-api.us-east-1.amazonaws.com/live"
    print("deployed:", requests.get(address).text)
    client.delete_rest_api(restApiId=api)
    print("APIs:", client.get_rest_apis()["items"])
    print("deleted:", requests.get(address).text)
PYTHON

cat >"$folder/seen" <<'SEEN'
deployed: positive
APIs: []
deleted: positive
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
