#!/usr/bin/env bash
# The time-out that a model's environment asks for is written behind another setting, on the same line.
#
# Packages: sagemaker-pytorch-inference==2.0.25 torchserve==0.12.0 pyyaml==6.0.3 setuptools==81.0.0.
# Expected: a line of its own, default_response_timeout=300; so TorchServe's own 120 s stay in force.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sagemaker-pytorch-inference==2.0.25 torchserve==0.12.0 pyyaml==6.0.3 setuptools==81.0.0

cat >"$folder/try.py" <<'PYTHON'
import os

os.environ["SAGEMAKER_MODEL_SERVER_TIMEOUT"] = "300"

from sagemaker_pytorch_serving_container import torchserve

written = torchserve._generate_ts_config_properties("handler.py").splitlines()
print(*[line for line in written if "timeout" in line], sep="\n")
PYTHON

cat >"$folder/seen" <<'SEEN'
enable_model_api=truedefault_response_timeout=300
SEEN

"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
