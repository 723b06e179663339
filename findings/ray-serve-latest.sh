#!/usr/bin/env bash
# Asked for the latest image for Ray Serve the SDK gives another than asked for none in particular.
#
# Packages: sagemaker-core==2.27.0.
# Expected: no version and the version "latest" mean the same image, the newest (1.4).
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sagemaker-core==2.27.0

cat >"$folder/try.py" <<'PYTHON'
from sagemaker.core import image_uris

for version in (None, "latest", "1", "1.4"):
    address = image_uris.retrieve("ray-serve", "eu-west-1", version=version, instance_type="ml.m5.large")
    print(version, "->", address.rpartition(":")[2])
PYTHON

cat >"$folder/seen" <<'SEEN'
None -> serve-ml-sagemaker-cpu-v1.4
latest -> serve-ml-sagemaker-cpu-v1
1 -> serve-ml-sagemaker-cpu-v1
1.4 -> serve-ml-sagemaker-cpu-v1.4
SEEN

"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
