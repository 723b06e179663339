"""The model inside of the function: asked with what an endpoint is sent, by the code that answers there.

In the function's zip the artifact lies in the folder `MODEL_FOLDER`, and the inference code that it was trained with
beside this file. Of that code all is used but `model_fn`, which takes torch: here ONNX Runtime runs the network.
"""

import json
import os
from pathlib import Path
from typing import Any

import inference
from sentimodel.predictor import Predictor

JSON = "application/json"
# One thread: most requests are about one review, and Lambda has a second processor only from 1,769 MB on.
PREDICTOR = Predictor.load(Path(__file__).with_name(os.environ["MODEL_FOLDER"]), threads=1)


def answer(body: bytes) -> Any:
    """What the model says, for the body of a request to an endpoint: a list of predictions, or an error object."""
    request = inference.input_fn(body, JSON)
    said, _ = inference.output_fn(inference.predict_fn(request, PREDICTOR), JSON)
    return json.loads(said)
