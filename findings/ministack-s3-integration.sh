#!/usr/bin/env bash
# ministack's API Gateway answers 504 where an integration with S3 gives an object on AWS.
#
# Packages: ministack==1.5.33, boto3==1.43.106, botocore==1.43.106.
# Expected: 200, text/html and the object, as in "Create a REST API as an Amazon S3 proxy":
# https://docs.aws.amazon.com/apigateway/latest/developerguide/integrating-api-with-aws-services-s3.html
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ministack==1.5.33 boto3==1.43.106 botocore==1.43.106

cat >"$folder/try.py" <<'PYTHON'
import json
import os
import urllib.error
import urllib.request

import boto3

storage = boto3.client("s3")
storage.create_bucket(Bucket="films")
storage.put_object(Bucket="films", Key="page.html", Body=b"<p>Films</p>", ContentType="text/html")
iam = boto3.client("iam")
trust = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
reading = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::films/page.html"}
trust, reading = (json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, reading))
role = iam.create_role(RoleName="page", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
iam.put_role_policy(RoleName="page", PolicyName="reading", PolicyDocument=reading)

gateway = boto3.client("apigateway")
api = gateway.create_rest_api(name="films")["id"]
(root,) = gateway.get_resources(restApiId=api)["items"]
method = {"restApiId": api, "resourceId": root["id"], "httpMethod": "GET"}
header = "method.response.header.Content-Type"
gateway.put_method(**method, authorizationType="NONE")
gateway.put_method_response(**method, statusCode="200", responseParameters={header: False})
gateway.put_integration(
    **method,
    type="AWS",
    integrationHttpMethod="GET",
    uri="arn:aws:apigateway:us-east-1:s3:path/films/page.html",
    credentials=role,
)
gateway.put_integration_response(
    **method, statusCode="200", responseParameters={header: "integration.response.header.Content-Type"}
)
gateway.create_deployment(restApiId=api, stageName="prod")
try:
    answer = urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/restapis/{api}/prod/_user_request_/")
except urllib.error.HTTPError as refusal:
    answer = refusal
print(answer.status, answer.headers["Content-Type"], answer.read().decode())
PYTHON

cat >"$folder/seen" <<'SEEN'
504 application/json {"message": "Internal server error"}
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_ENDPOINT_URL="http://127.0.0.1:$port"
TMPDIR="$folder" HOME="$folder" BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" SERVICES=iam,s3,apigateway \
    "$folder/venv/bin/ministack" >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 150); do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.2
done
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" "$folder/log" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
