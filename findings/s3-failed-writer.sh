#!/usr/bin/env bash
# A `with` block that fails has s3fs and pyarrow put half an object in the place of the whole one that was there.
#
# Packages: s3fs==2026.9.0, pyarrow==26.0.1, smart_open==9.0.2, moto[s3]==5.2.5, flask==3.1.3, flask-cors==6.0.5,
# boto3==1.43.117, botocore==1.43.117.
# Expected: S3 replaces an object whole or not at all, so a writer that is left by an exception abandons its upload, as
# smart_open's does.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  s3fs==2026.9.0 pyarrow==26.0.1 smart_open==9.0.2 'moto[s3]==5.2.5' flask==3.1.3 flask-cors==6.0.5 \
  boto3==1.43.117 botocore==1.43.117

cat >"$folder/try.py" <<'PYTHON'
import logging

import boto3
import fsspec
import pyarrow.fs
import smart_open
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").disabled = True
server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://{host}:{port}"
client = boto3.client("s3", endpoint_url=address)
client.create_bucket(Bucket="reviews")
s3fs = fsspec.filesystem("s3", endpoint_url=address)
arrow = pyarrow.fs.S3FileSystem(endpoint_override=f"{host}:{port}", scheme="http", region="us-east-1")
WRITERS = {
    "s3fs": lambda: s3fs.open("reviews/part.jsonl", "wb"),
    "smart_open": lambda: smart_open.open("s3://reviews/part.jsonl", "wb", transport_params={"client": client}),
    "pyarrow": lambda: arrow.open_output_stream("reviews/part.jsonl"),
}
for name, open_writer in WRITERS.items():
    for size in (1_000, 20_000_000):
        client.put_object(Bucket="reviews", Key="part.jsonl", Body=b"yesterday's, whole")
        try:
            with open_writer() as stream:
                stream.write(b"x" * size)
                raise ValueError("the rest could not be made")
        except ValueError:
            pass
        left = client.get_object(Bucket="reviews", Key="part.jsonl")["Body"].read()
        print(f"{name:<10} fails after {size:>8} bytes; then there are {len(left)} of them, yesterday's are", end=" ")
        print("there" if left.startswith(b"yesterday") else "gone")
server.stop()
PYTHON

cat >"$folder/seen" <<'SEEN'
s3fs       fails after     1000 bytes; then there are 1000 of them, yesterday's are gone
s3fs       fails after 20000000 bytes; then there are 20000000 of them, yesterday's are gone
smart_open fails after     1000 bytes; then there are 18 of them, yesterday's are there
smart_open fails after 20000000 bytes; then there are 18 of them, yesterday's are there
pyarrow    fails after     1000 bytes; then there are 1000 of them, yesterday's are gone
pyarrow    fails after 20000000 bytes; then there are 20000000 of them, yesterday's are gone
SEEN

export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
