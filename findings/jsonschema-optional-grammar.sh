#!/usr/bin/env bash
# `import jsonschema` becomes many times as expensive by a package beside it of which the program knows nothing.
#
# Packages: jsonschema==4.26.0 alone, and beside jupyter-events==0.12.1, which JupyterLab needs and which asks for
# jsonschema[format-nongpl], and so for rfc3987-syntax==1.1.0 and lark==1.3.1.
# Expected: a checker of an optional format, which no schema asks for, costs next to nothing until one does. So a program that
# imports jsonschema, such as moto's part for API Gateway, starts as quickly in an environment that has JupyterLab.
# Seen: the text under `seen` below: the import looks for every checker, and that of IRIs builds the grammar of RFC 3987 by
# lark while it is imported. Calls of Python functions are counted, in tens of what they are without. The script fails if the
# packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jsonschema==4.26.0

cat >"$folder/calls.py" <<'PYTHON'
import sys

calls = 0


def count(frame, event, argument):
    global calls
    calls += event == "call"


sys.setprofile(count)
import jsonschema  # noqa: E402

sys.setprofile(None)
jsonschema.validate("superb", {"type": "string"})
print(calls, "lark" in sys.modules)
PYTHON

try() { "$folder/venv/bin/python" "$folder/calls.py" 2>>"$folder/err" || { cat "$folder/err" >&2; exit 1; }; }
try >/dev/null # the first one compiles what it imports
alone=$(try)
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  jsonschema==4.26.0 jupyter-events==0.12.1 rfc3987-syntax==1.1.0 lark==1.3.1
try >/dev/null
beside=$(try)

{
  echo "jsonschema alone: lark is imported: ${alone#* }"
  echo "beside jupyter-events: lark is imported: ${beside#* }"
  echo "ten times as many calls and more: $((${beside% *} >= 10 * ${alone% *}))"
} >"$folder/said"
cat >"$folder/seen" <<'SEEN'
jsonschema alone: lark is imported: False
beside jupyter-events: lark is imported: True
ten times as many calls and more: 1
SEEN
diff "$folder/seen" "$folder/said" && cat "$folder/said" && echo "calls: ${alone% *} alone, ${beside% *} beside"
