"""Networks as ONNX models, which say what the networks say."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from sentimodel.artifact import PARTS
from sentimodel.onnx_export import to_onnx

from tests.model_code.networks import CONFIG, LENGTHS, padded_reviews, random_network
from tests.model_code.scripts import MODEL_CODE


@pytest.mark.parametrize("architecture", PARTS)
@pytest.mark.parametrize("blocked", [False, True])
def test_onnx_gives_the_same_logits_for_every_shape(
    architecture: str, blocked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if blocked:
        for package in ("onnx", "onnxscript"):
            monkeypatch.setitem(sys.modules, package, None)
    network = random_network(replace(CONFIG, architecture=architecture))
    session = onnxruntime.InferenceSession(to_onnx(network))
    assert [each.name for each in session.get_inputs()] == network.inputs
    assert [each.name for each in session.get_outputs()] == list(PARTS[architecture])
    for lengths in ((1,), (40,), LENGTHS, (3,) * 70):
        ids, ends = padded_reviews(lengths)
        inputs = {"rows": torch.randint(0, CONFIG.ngrams + 1, (len(lengths), 13)), "ids": ids, "ends": ends}
        expected = network(*[inputs[name] for name in network.inputs])
        found = session.run(None, {name: inputs[name].numpy() for name in network.inputs})
        for logits, values in zip(expected, found, strict=True):
            np.testing.assert_allclose(values, logits.detach().numpy(), atol=1e-5)


def test_export_leaves_no_stand_in_for_onnx_behind() -> None:
    program = """
import json, sys
from sentimodel.network import NetworkConfig, SentimentNetwork
from sentimodel.onnx_export import to_onnx
to_onnx(SentimentNetwork(NetworkConfig("wide-lstm", 3, 10, 2, 2, 0.0, 0.0)))
module = sys.modules.get("onnx")
print(json.dumps(module is None or hasattr(module, "__file__")))
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=MODEL_CODE, capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(answer.stdout) is True
