#!/usr/bin/env bash
# ONNX's own reference evaluator ignores the lengths of the sequences in LSTM, GRU and RNN, without an error.
#
# Packages: onnx==1.23.2, onnxruntime==1.32.0, numpy==2.4.6.
# Expected: `sequence_lens`, an input of the three operators, ends each sequence of a padded batch, as in ONNX Runtime;
# what the reference does not implement it refuses.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6

cat >"$folder/try.py" <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

STEPS, REVIEWS, WIDTH, HIDDEN = 5, 2, 3, 4
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
rng = np.random.default_rng(0)


def weights(name, *shape):
    return numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)


def model(kind):
    rows = GATES[kind] * HIDDEN
    inner = [weights("w", 1, rows, WIDTH), weights("r", 1, rows, HIDDEN), weights("b", 1, 2 * rows)]
    node = helper.make_node(kind, ["x", "w", "r", "b", "lengths"], ["", "end"], hidden_size=HIDDEN)
    given = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [STEPS, REVIEWS, WIDTH]),
        helper.make_tensor_value_info("lengths", TensorProto.INT32, [REVIEWS]),
    ]
    end = helper.make_tensor_value_info("end", TensorProto.FLOAT, [1, REVIEWS, HIDDEN])
    made = helper.make_model(
        helper.make_graph([node], kind, given, [end], inner), opset_imports=[helper.make_opsetid("", 22)], ir_version=10
    )
    onnx.checker.check_model(made, full_check=True)
    return made


def end(evaluator, x, length):
    """Return what it says at the end of the second review."""
    return evaluator.run(["end"], {"x": x, "lengths": np.array([STEPS, length], np.int32)})[0][0, 1]


x = rng.normal(size=(STEPS, REVIEWS, WIDTH)).astype(np.float32)
changed = np.concatenate([x[:2], 9 + x[2:]])
for kind in GATES:
    made = model(kind)
    session = onnxruntime.InferenceSession(made.SerializeToString())
    for name, evaluator in (("onnx.reference", ReferenceEvaluator(made)), ("onnxruntime", session)):
        counts = not np.allclose(end(evaluator, x, STEPS), end(evaluator, x, 2))
        beyond = not np.allclose(end(evaluator, x, 2), end(evaluator, changed, 2))
        print(f"{kind:<4} {name:<14} the length counts: {counts}; what lies beyond it counts: {beyond}")
PYTHON

cat >"$folder/seen" <<'SEEN'
LSTM onnx.reference the length counts: False; what lies beyond it counts: True
LSTM onnxruntime    the length counts: True; what lies beyond it counts: False
GRU  onnx.reference the length counts: False; what lies beyond it counts: True
GRU  onnxruntime    the length counts: True; what lies beyond it counts: False
RNN  onnx.reference the length counts: False; what lies beyond it counts: True
RNN  onnxruntime    the length counts: True; what lies beyond it counts: False
SEEN

export ORT_DISABLE_TELEMETRY=1 # else it leaves files in the home folder: onnxruntime-telemetry.sh
"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
