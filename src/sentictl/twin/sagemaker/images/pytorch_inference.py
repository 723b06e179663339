"""The stand-in for AWS's PyTorch image: answers by the artifact's `code/inference.py`.

By the contract of AWS's sagemaker-pytorch-inference: JSON and CSV bodies reach `input_fn` as str, all others as bytes;
`output_fn` may answer `(body, content_type)`; an exception is a 500 with its message. A function that the script leaves
out is an error here: the defaults of AWS's container are for TorchScript models only.
"""

import importlib.util
import os
import sys
from pathlib import Path

from sentictl.twin.sagemaker.images.serving import Answer, run

TEXT_TYPES = ("application/json", "text/csv")
HANDLERS = ("model_fn", "input_fn", "predict_fn", "output_fn")


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

    def answer(body: bytes, content_type: str, accept: str) -> tuple[int, str, bytes]:
        media_type = content_type.partition(";")[0].strip().lower()
        data = script.input_fn(body.decode() if media_type in TEXT_TYPES else body, content_type)
        output = script.output_fn(script.predict_fn(data, model), accept)
        content, answered_type = output if isinstance(output, tuple) else (output, accept)
        return 200, answered_type, content if isinstance(content, bytes) else str(content).encode()

    return answer


if __name__ == "__main__":
    run(load)
