"""Predictions: from the model artifact on this machine, or from the deployed API or endpoint.

The artifact's way imports ONNX Runtime and nothing of AWS, so that a quick question gets a quick answer.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sentictl.errors import EndpointError, ModelError

if TYPE_CHECKING:
    from urllib.error import HTTPError

Item = TypeVar("Item")
Prediction = dict[str, Any]
Asker = Callable[[Sequence[str]], list[Prediction]]

ASK_AT_ONCE = 64  # reviews in one request
ANSWER_SECONDS = 35  # API Gateway itself gives up after 29
MAX_BODY_BYTES = 4 * 1024 * 1024  # what the smallest of the services on the way takes


def from_artifact(folder: Path) -> Asker:
    """Ask the model artifact in a folder.

    Raises:
        ModelError: there is no artifact, or it is damaged.
    """
    if not folder.exists():
        raise ModelError(
            "There is no model on this machine yet.",
            "Train one: sentictl train, or ask the deployed one: sentictl predict --via api",
        )
    from sentimodel.artifact import ArtifactError
    from sentimodel.predictor import Predictor

    try:
        predictor = Predictor.load(folder)
    except ArtifactError as problem:
        raise ModelError(str(problem), "Fetch or train it again: sentictl train") from None
    return lambda texts: [asdict(prediction) for prediction in predictor.predict(texts)]


def from_api(url: str) -> Asker:
    """Ask the public API, as the web page does."""
    import urllib.error  # 25 ms that the model on this machine does not need
    import urllib.request

    def ask(texts: Sequence[str]) -> list[Prediction]:
        request = urllib.request.Request(  # noqa: S310  (the address is the one that API Gateway gave)
            url, _body(texts), {"Content-Type": "application/json", "Accept": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
                return _predictions(answer.read(), "The API")
        except urllib.error.HTTPError as refusal:
            raise EndpointError(
                f"The API answered {refusal.code}: {_reason(refusal)}", "See: sentictl status"
            ) from None
        except OSError as problem:
            raise EndpointError(f"The API at {url} does not answer: {problem}", "See: sentictl status") from None

    return ask


def from_endpoint(client: Any, name: str) -> Asker:
    """Ask the SageMaker endpoint itself.

    Args:
        client: boto3's sagemaker-runtime client.
        name: the endpoint's name.
    """

    def ask(texts: Sequence[str]) -> list[Prediction]:
        try:
            answer = client.invoke_endpoint(
                EndpointName=name, ContentType="application/json", Accept="application/json", Body=_body(texts)
            )
        except client.exceptions.ModelError as problem:
            raise EndpointError(
                f"The model behind the endpoint {name} failed: {problem.response['Error']['Message']}",
                "Its log: sentictl logs endpoint",
            ) from None
        return _predictions(answer["Body"].read(), f"The endpoint {name}")

    return ask


def predict_each(
    ask: Asker, items: Iterable[Item], text_of: Callable[[Item], str], at_once: int = ASK_AT_ONCE
) -> Iterator[tuple[Item, Prediction]]:
    """Each item with the prediction of its text, in order, asked in batches of at most `at_once` reviews."""
    for batch in _batches(items, text_of, at_once):
        yield from zip(batch, ask([text_of(item) for item in batch]), strict=True)


def _batches(items: Iterable[Item], text_of: Callable[[Item], str], at_once: int) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        item_size = len(text_of(item).encode()) + 8
        if batch and (len(batch) == at_once or size + item_size > MAX_BODY_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += item_size
    if batch:
        yield batch


def _body(texts: Sequence[str]) -> bytes:
    return json.dumps({"reviews": list(texts)}).encode()


def _predictions(body: bytes, who: str) -> list[Prediction]:
    try:
        answer = json.loads(body)
    except ValueError:
        raise EndpointError(f"{who} answered something that is not JSON.", "See: sentictl logs lambda") from None
    if isinstance(answer, dict):
        raise EndpointError(f"{who} refused: {answer.get('error', {}).get('message', answer)}", "Correct the review.")
    return list(answer)


def _reason(refusal: "HTTPError") -> str:
    body = refusal.read()
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:200] or refusal.reason
