#!/usr/bin/env bash
# Hyperparameters that look like JSON numbers reach the training script as other text than was sent.
#
# Packages: sagemaker-training==5.1.4 setuptools==81.0.0.
# Expected: the script's arguments are the strings that CreateTrainingJob was given, since its hyperparameters are strings.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sagemaker-training==5.1.4 setuptools==81.0.0

cat >"$folder/try.py" <<'PYTHON'
import json
import os
import pathlib
import tempfile

base = pathlib.Path(tempfile.mkdtemp())
os.environ["SAGEMAKER_BASE_DIR"] = str(base)
config = base / "input" / "config"
config.mkdir(parents=True)
# CreateTrainingJob takes strings only; these are as a person writes them.
sent = {"revision": "90e339455353", "framework": "2.10", "batch": "1e3", "shard": "007", "resume": "null"}
(config / "hyperparameters.json").write_text(json.dumps(sent))

from sagemaker_training import environment, mapping

for name, value in environment.read_hyperparameters().items():
    print(f"{sent[name]} -> {' '.join(mapping.to_cmd_args({name: value}))}")
PYTHON

cat >"$folder/seen" <<'SEEN'
90e339455353 -> --revision inf
2.10 -> --framework 2.1
1e3 -> --batch 1000.0
007 -> --shard 007
null -> --resume 
SEEN

"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
