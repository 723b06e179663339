#!/usr/bin/env bash
# What ONNX Runtime's quantised model says of a review depends on the reviews that are in the batch with it.
#
# Packages: onnx==1.23.2, onnxruntime==1.32.0, numpy==2.4.6.
# Expected: quantize_dynamic costs precision, but a row's answer is its own, as in the model it was made of: the
# operators (MatMul, LSTM) take the rows of a batch one by one. So tests with one row at a time tell what the service
# will say.
# Seen: the text under `seen` below. The scale of the activations is taken from the whole batch, so that one loud
# neighbour coarsens all the others. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6

cat >"$folder/try.py" <<'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

STEPS, WIDTH, HIDDEN = 20, 8, 16
rng = np.random.default_rng(0)


def weights(name, *shape):
    return numpy_helper.from_array(rng.normal(scale=0.3, size=shape).astype(np.float32), name)


def model(kind):
    """A layer over embedded reviews: what an LSTM says of each at its end, or a product of each one's vectors."""
    if kind == "LSTM":
        inner = [weights("w", 1, 4 * HIDDEN, WIDTH), weights("r", 1, 4 * HIDDEN, HIDDEN)]
        node = helper.make_node("LSTM", ["x", "w", "r"], ["", "y"], hidden_size=HIDDEN)
    else:
        inner = [weights("w", WIDTH, HIDDEN)]
        node = helper.make_node("MatMul", ["x", "w"], ["y"])
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["steps", "reviews", WIDTH])
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["first", "reviews", HIDDEN])
    graph = helper.make_graph([node], kind, [given], [answer], inner)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


review, other = (rng.normal(scale=scale, size=(STEPS, 1, WIDTH)).astype(np.float32) for scale in (1, 5))
for kind in ("MatMul", "LSTM"):
    path, quantised = f"{sys.argv[1]}/{kind}.onnx", f"{sys.argv[1]}/{kind}-quantised.onnx"
    onnx.save(model(kind), path)
    quantize_dynamic(path, quantised, weight_type=QuantType.QUInt8)
    for name, file in (("float", path), ("quantised", quantised)):
        session = onnxruntime.InferenceSession(file)
        [alone], [beside] = (session.run(["y"], {"x": x}) for x in (review, np.concatenate([review, other], axis=1)))
        same = np.allclose(alone[:, 0], beside[:, 0], atol=0.002)
        print(f"{kind:<6} {name:<9} a review alone and beside another: {'the same' if same else 'not the same'}")
PYTHON

cat >"$folder/seen" <<'SEEN'
MatMul float     a review alone and beside another: the same
MatMul quantised a review alone and beside another: not the same
LSTM   float     a review alone and beside another: the same
LSTM   quantised a review alone and beside another: not the same
SEEN

export ORT_DISABLE_TELEMETRY=1 # else it leaves files in the home folder: onnxruntime-telemetry.sh
"$folder/venv/bin/python" "$folder/try.py" "$folder" \
  2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
