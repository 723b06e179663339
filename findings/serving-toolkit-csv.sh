#!/usr/bin/env bash
# SageMaker's serving toolkit decodes text/csv into shapes that depend on the rows, and cuts it at `#`.
#
# Packages: sagemaker-pytorch-inference==2.0.25, numpy==2.4.6, scipy==1.17.1.
# Expected: an array of rows and columns, also for one row; quoted fields as RFC 4180 has them; nothing lost; and what
# the toolkit encodes it can decode.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  sagemaker-pytorch-inference==2.0.25 numpy==2.4.6 scipy==1.17.1

cat >"$folder/try.py" <<'PYTHON'
from sagemaker_inference import decoder, encoder

for text in ("5,7\n2,3\n", "5,7\n", "good,7\nbad,3\n", "good\n", "Our #1 film\n", '"long, but good"\n'):
    found = decoder.decode(text, "text/csv")
    print(f"{text!r:<22} shape {found.shape!s:<7} {found.tolist()}")
print(repr(encoder.encode([["long, but good", "1"]], "text/csv")))
PYTHON

cat >"$folder/seen" <<'SEEN'
'5,7\n2,3\n'           shape (2, 2)  [[5, 7], [2, 3]]
'5,7\n'                shape (2,)    [5, 7]
'good,7\nbad,3\n'      shape (2,)    [('good', 7), ('bad', 3)]
'good\n'               shape ()      good
'Our #1 film\n'        shape ()      Our
'"long, but good"\n'   shape (2,)    ['"long', ' but good"']
'long, but good,1\n'
SEEN

"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
