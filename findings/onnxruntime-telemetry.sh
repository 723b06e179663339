#!/usr/bin/env bash
# Importing ONNX Runtime on Linux writes a device ID and a database of events into the home folder, since 1.29.
#
# Packages: onnxruntime==1.28.0 and onnxruntime==1.32.0, numpy==2.4.6. It needs Linux.
# Expected: an import for inference leaves no files in the home folder and starts no thread, in both versions.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
# ORT_DISABLE_TELEMETRY=1, set before the import, keeps the newer one from both; so does a variable CI.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/try.py" <<'PYTHON'
import os
import pathlib
import time

import onnxruntime

time.sleep(2)  # what the thread writes comes a moment later
home = pathlib.Path.home()
print(onnxruntime.__version__, "ORT_DISABLE_TELEMETRY =", os.environ.get("ORT_DISABLE_TELEMETRY"))
print("  threads:", len(os.listdir("/proc/self/task")))
for path in sorted(home.rglob("*")):
    if path.is_file():
        print("  file:   ", path.relative_to(home))
PYTHON

for version in 1.28.0 1.32.0; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "onnxruntime==$version" numpy==2.4.6
done

run() { # VERSION [SETTING]: with a home of its own, and without threads of numpy's
  mkdir "$folder/home"
  env -i PATH="$PATH" HOME="$folder/home" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 "${@:2}" \
    "$folder/$1/bin/python" "$folder/try.py" 2>>"$folder/err" >>"$folder/said" || { cat "$folder/err" >&2; exit 1; }
  rm -r "${folder:?}/home"
}
run 1.28.0
run 1.32.0
run 1.32.0 ORT_DISABLE_TELEMETRY=1

cat >"$folder/seen" <<'SEEN'
1.28.0 ORT_DISABLE_TELEMETRY = None
  threads: 1
1.32.0 ORT_DISABLE_TELEMETRY = None
  threads: 2
  file:    .cache/Microsoft/DeveloperTools/.onnxruntime/deviceid
  file:    .cache/Microsoft/DeveloperTools/.onnxruntime/onnxruntime.db
  file:    .cache/Microsoft/DeveloperTools/.onnxruntime/onnxruntime.db-shm
  file:    .cache/Microsoft/DeveloperTools/.onnxruntime/onnxruntime.db-wal
1.32.0 ORT_DISABLE_TELEMETRY = 1
  threads: 1
SEEN

diff "$folder/seen" "$folder/said" && cat "$folder/said"
