"""The endpoint's entry point in AWS's Ray Serve image, which finds it by `config.yaml` beside it.

It answers what `inference.py` answers. The image has `code/` on Python's path, and hands over every body as bytes.
"""

import os
from pathlib import Path

from inference import ID_HEADER, JSON, answer, input_fn, model_fn, output_fn
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

MOST_REQUESTS = 100  # that wait, as many as TorchServe's queue holds; those beyond are answered with 503


class Sentiment:
    """The model, loaded once in each replica."""

    def __init__(self) -> None:
        self._model = model_fn(str(Path(__file__).parent))

    async def __call__(self, request: Request) -> Response:
        """Answer one request: its errors, too, as `inference.py` does."""
        asked = input_fn(await request.body(), request.headers.get("content-type"))
        answered = answer(asked, self._model, request.headers.get(ID_HEADER, ""))
        content, content_type = output_fn(answered, request.headers.get("accept", JSON))
        return Response(content, media_type=content_type)


# A replica for each core, as reviews come one by one; none of them waits for Ray to call a core free.
app = serve.deployment(
    num_replicas=os.cpu_count() or 1, max_queued_requests=MOST_REQUESTS, ray_actor_options={"num_cpus": 0}
)(Sentiment).bind()
