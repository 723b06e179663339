"""A trained network as an ONNX model, which predicts without torch."""

import importlib.util
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, SimpleNamespace

import torch
from torch import Tensor

from sentimodel.network import SentimentNetwork
from sentimodel.ngrams import LONGEST

_LENGTHS = {"rows": "ngrams", "ids": "time", "ends": "time"}  # what the second dimension of each input is called
_OPSET = 17  # old enough for every ONNX Runtime of the last years


def to_onnx(network: SentimentNetwork) -> bytes:
    """Return the network as an ONNX model.

    Its inputs have the names of `network.inputs` and are what `INPUTS` says, int64. Its outputs have the names of the
    parts, float32 `[batch]`, and are their shares of the logit.
    """
    parts = list(network.parts)
    with TemporaryDirectory() as folder, warnings.catch_warnings(), _onnx_package():
        path = Path(folder, "model.onnx")
        warnings.simplefilter("ignore")  # the exporter announces its successor, which needs two more packages
        torch.onnx.export(
            network.eval(),
            tuple(_example(name) for name in network.inputs),
            path,
            input_names=list(network.inputs),
            output_names=parts,
            dynamic_axes={name: {0: "batch", 1: _LENGTHS[name]} for name in network.inputs}
            | {part: {0: "batch"} for part in parts},
            opset_version=_OPSET,
            dynamo=False,
        )
        return path.read_bytes()


def _example(name: str) -> Tensor:
    return torch.ones(2, 8, LONGEST, dtype=torch.int64) if name == "ends" else torch.ones(2, 8, dtype=torch.int64)


@contextmanager
def _onnx_package() -> Iterator[None]:
    """Let the exporter do without the package `onnx`, which training containers may lack.

    The exporter writes the model itself. It imports `onnx` for one thing: to list the finished model's nodes and look
    for functions that a program registered. There are none here, so an empty list is the right answer.
    """
    if importlib.util.find_spec("onnx") is not None:
        yield
        return
    package = ModuleType("onnx")
    nodeless = SimpleNamespace(graph=SimpleNamespace(node=[]))
    vars(package)["load_model_from_string"] = lambda content: nodeless  # noqa: ARG005 (called with the model)
    sys.modules["onnx"] = package
    try:
        yield
    finally:
        del sys.modules["onnx"]
