#!/usr/bin/env bash
# ONNX Runtime's StringSplit leaves words together that a tab or a line feed separates.
#
# Packages: onnx==1.23.2, onnxruntime==1.32.0, numpy==2.4.6.
# Expected: without a delimiter "the input is split on consecutive whitespace" (the operator's description, opset 20),
# as by onnx.reference and by Python.
# Seen: the text under `seen` below. ONNX Runtime takes the blank alone for whitespace. The script fails if the
# packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6

cat >"$folder/try.py" <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

node = helper.make_node("StringSplit", ["x"], ["words", "count"])
given = [helper.make_tensor_value_info("x", TensorProto.STRING, [1])]
found = [
    helper.make_tensor_value_info("words", TensorProto.STRING, [1, None]),
    helper.make_tensor_value_info("count", TensorProto.INT64, [1]),
]
graph = helper.make_graph([node], "split", given, found)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
onnx.checker.check_model(model, full_check=True)
readers = {
    "python": lambda text: text.split(),
    "onnx.reference": lambda text: ReferenceEvaluator(model).run(["words"], {"x": np.array([text])})[0][0].tolist(),
    "onnxruntime": lambda text: session.run(["words"], {"x": np.array([text])})[0][0].tolist(),
}
session = onnxruntime.InferenceSession(model.SerializeToString())
for text in (" a  fine film ", "a\tfine film", "a fine\nfilm"):
    print(repr(text))
    for name, split in readers.items():
        print(f"  {name:<15}", split(text))
PYTHON

cat >"$folder/seen" <<'SEEN'
' a  fine film '
  python          ['a', 'fine', 'film']
  onnx.reference  ['a', 'fine', 'film']
  onnxruntime     ['a', 'fine', 'film']
'a\tfine film'
  python          ['a', 'fine', 'film']
  onnx.reference  ['a', 'fine', 'film']
  onnxruntime     ['a\tfine', 'film']
'a fine\nfilm'
  python          ['a', 'fine', 'film']
  onnx.reference  ['a', 'fine', 'film']
  onnxruntime     ['a', 'fine\nfilm']
SEEN

export ORT_DISABLE_TELEMETRY=1 # else it leaves files in the home folder: onnxruntime-telemetry.sh
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
