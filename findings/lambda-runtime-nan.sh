#!/usr/bin/env bash
# A function that answers NaN sends a document that is no JSON (RFC 8259), without an error.
#
# Packages: awslambdaric==4.2.2.
# Expected: a value that JSON does not have is refused as other values are that cannot be written, or becomes null.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check awslambdaric==4.2.2

cat >"$folder/try.py" <<'PYTHON'
import json

from awslambdaric.lambda_runtime_marshaller import to_json

answer = to_json({"probability": float("nan")})
print(answer)


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


try:
    json.loads(answer, parse_constant=refuse)
except ValueError as error:
    print(error)
PYTHON

cat >"$folder/seen" <<'SEEN'
{"probability": NaN}
NaN is no JSON
SEEN

"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
