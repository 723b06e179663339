#!/usr/bin/env bash
# A function that answers a named tuple sends a JSON object, where Python's own json makes an array of it.
#
# Packages: awslambdaric==4.2.2.
# Expected: the runtime client writes what json.dumps writes: a tuple, named or not, is an array.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check awslambdaric==4.2.2

cat >"$folder/try.py" <<'PYTHON'
import json
from typing import NamedTuple

from awslambdaric.lambda_runtime_marshaller import to_json


class Prediction(NamedTuple):
    label: str
    probability: float


answer = [Prediction("positive", 0.9), ("positive", 0.9)]
print("json:       ", json.dumps(answer))
print("awslambdaric:", to_json(answer))
PYTHON

cat >"$folder/seen" <<'SEEN'
json:        [["positive", 0.9], ["positive", 0.9]]
awslambdaric: [{"label": "positive", "probability": 0.9}, ["positive", 0.9]]
SEEN

"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
