#!/usr/bin/env bash
# ministack's API Gateway tells callers what a function failed of, where AWS tells nothing.
#
# Packages: ministack==1.5.33, boto3==1.43.106, botocore==1.43.106.
# Expected: 502 and {"message": "Internal server error"}. "If the function runs but returns an error, or returns a response in the
# wrong format, API Gateway returns a 502. In both cases, the body of the response from API Gateway is {"message": "Internal
# server error"}": https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html, under errors.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ministack==1.5.33 boto3==1.43.106 botocore==1.43.106

cat >"$folder/try.py" <<'PYTHON'
import io
import os
import urllib.error
import urllib.request
import zipfile

import boto3

content = io.BytesIO()
with zipfile.ZipFile(content, "w") as archive:
    archive.writestr("handler.py", "def handle(event, context):\n    raise ValueError('the review was: dreadful')\n")
function = boto3.client("lambda").create_function(
    FunctionName="predict",
    Runtime="python3.13",
    Role="arn:aws:iam::000000000000:role/predict",
    Handler="handler.handle",
    Code={"ZipFile": content.getvalue()},
)
gateway = boto3.client("apigateway")
api = gateway.create_rest_api(name="films")["id"]
(root,) = gateway.get_resources(restApiId=api)["items"]
method = {"restApiId": api, "resourceId": root["id"], "httpMethod": "POST"}
gateway.put_method(**method, authorizationType="NONE")
gateway.put_integration(
    **method,
    type="AWS_PROXY",
    integrationHttpMethod="POST",
    uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function['FunctionArn']}/invocations",
)
gateway.create_deployment(restApiId=api, stageName="prod")
url = f"{os.environ['AWS_ENDPOINT_URL']}/restapis/{api}/prod/_user_request_/"
try:
    urllib.request.urlopen(url, b"dreadful")
except urllib.error.HTTPError as answer:
    print(answer.code, answer.read().decode())
PYTHON

cat >"$folder/seen" <<'SEEN'
502 {"message": "{\"errorMessage\": \"the review was: dreadful\", \"errorType\": \"Runtime.HandlerError\"}"}
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_ENDPOINT_URL="http://127.0.0.1:$port"
TMPDIR="$folder" HOME="$folder" BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" SERVICES=iam,lambda,apigateway,logs \
    "$folder/venv/bin/ministack" >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 150); do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.2
done
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" "$folder/log" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
