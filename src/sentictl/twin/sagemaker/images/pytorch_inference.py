"""The stand-in for AWS's PyTorch image: answers by the artifact's `code/inference.py`.

By the contract of AWS's sagemaker-pytorch-inference: JSON and CSV bodies reach `input_fn` as str, all others as bytes;
`output_fn` may answer `(body, content_type)`; an exception is a 500 with its message. A function that the script leaves
out is an error here: the defaults of AWS's container are for TorchScript models only.
"""

import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sentictl.twin.sagemaker.images.serving import CUSTOM_ATTRIBUTES, Answer, run

TEXT_TYPES = ("application/json", "text/csv")
HANDLERS = ("model_fn", "input_fn", "predict_fn", "output_fn")


class RequestContext:
    """What the image's server says of a request to the functions that ask for it: its headers.

    Args:
        headers: of the request.
        attributes: what InvokeEndpoint calls CustomAttributes.
    """

    def __init__(self, headers: Mapping[str, str], attributes: str) -> None:
        self._headers = {**headers, **({CUSTOM_ATTRIBUTES: attributes} if attributes else {})}

    def get_all_request_header(self, idx: int) -> dict[str, str]:  # noqa: ARG002  (of the requests in a batch, of one)
        return self._headers

    def get_request_header(self, idx: int, key: str) -> str | None:  # noqa: ARG002
        return self._headers.get(key)


def load(model_dir: Path) -> Answer:
    """Load the model with its script. Returns what answers."""
    code = model_dir / "code"
    sys.path.insert(0, str(code))
    program = code / os.environ.get("SAGEMAKER_PROGRAM", "inference.py")
    spec = importlib.util.spec_from_file_location(program.stem, program)
    if spec is None or spec.loader is None:
        raise ImportError(f"{program.name} is not a Python script")
    script = importlib.util.module_from_spec(spec)
    sys.modules[program.stem] = script
    spec.loader.exec_module(script)
    missing = [name for name in HANDLERS if not hasattr(script, name)]
    if missing:
        raise ImportError(f"{program.name} has no {', '.join(missing)}")
    model = script.model_fn(str(model_dir))

    def answer(body: bytes, content_type: str, accept: str, attributes: str) -> tuple[int, str, bytes]:
        context = RequestContext({"content-type": content_type, "accept": accept}, attributes)
        media_type = content_type.partition(";")[0].strip().lower()
        handed = body.decode() if media_type in TEXT_TYPES else body
        data = _call(script.input_fn, handed, content_type, context)
        output = _call(script.output_fn, _call(script.predict_fn, data, model, context), accept, context)
        content, answered_type = output if isinstance(output, tuple) else (output, accept)
        return 200, answered_type, content if isinstance(content, bytes) else str(content).encode()

    return answer


def _call(function: Callable[..., Any], first: Any, second: Any, context: RequestContext) -> Any:
    """Call one of the script's functions: with the context where it has a third parameter, as AWS's toolkit does."""
    takes_context = len(inspect.signature(function).parameters) > 2
    return function(first, second, context) if takes_context else function(first, second)


if __name__ == "__main__":
    run(load)
