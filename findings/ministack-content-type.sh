#!/usr/bin/env bash
# ministack has application/octet-stream for an object that came without a type, where S3 has binary/octet-stream.
#
# Packages: ministack==1.5.33, boto3==1.43.106, botocore==1.43.106.
# Expected: binary/octet-stream, the default of the system-defined metadata Content-Type:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ministack==1.5.33 boto3==1.43.106 botocore==1.43.106

cat >"$folder/try.py" <<'PYTHON'
import boto3

storage = boto3.client("s3")
storage.create_bucket(Bucket="films")
storage.put_object(Bucket="films", Key="model", Body=b"1")
print(storage.head_object(Bucket="films", Key="model")["ContentType"])
PYTHON

cat >"$folder/seen" <<'SEEN'
application/octet-stream
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_ENDPOINT_URL="http://127.0.0.1:$port"
TMPDIR="$folder" HOME="$folder" BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" SERVICES=s3 \
    "$folder/venv/bin/ministack" >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 150); do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.2
done
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" "$folder/log" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
