"""Predictions: from the model artifact on this machine, or from the deployed API or endpoint.

The artifact's way imports ONNX Runtime and nothing of AWS, so that a quick question gets a quick answer.
"""

import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentictl.errors import EndpointError, ModelError, RefusedError
from sentictl.services.access.caller import Caller
from sentictl.services.access.denials import denial
from sentictl.services.predict.rows import Prediction

if TYPE_CHECKING:
    from urllib.error import HTTPError
    from urllib.request import OpenerDirector, Request

WINDOW = 512  # reviews that the model on this machine sorts by length: enough that a batch has hardly any padding
ASK_AT_ONCE = 64  # reviews in one request
EXPLAIN_AT_ONCE = 1  # explaining takes a hundred times as long, and a request may ask for so many words alone
ANSWER_SECONDS = 35  # API Gateway itself gives up after 29
MAX_BODY_BYTES = 4 * 1024 * 1024  # what the smallest of the services on the way takes
MOST_THREADS = 8
OF_THE_REVIEWS = (400, 413)  # statuses with which the API refuses a request for what is in it
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")  # of an API, as far as it may stand in a command that people paste
LONGEST_PAUSE, MOST_PAUSES = 2, 15  # seconds that the API may ask to wait for, and how often


@dataclass(frozen=True)
class Client:
    """Someone who knows whether reviews are positive.

    Attributes:
        ask: gives the predictions of some reviews, in their order.
        at_once: how many reviews to ask together, at most.
        threads: how many may ask at the same time.
        explains: whether the predictions have explanations.
        close: ends what was started in order to ask.
    """

    ask: Callable[[Sequence[str]], list[Prediction]]
    at_once: int
    threads: int = 1
    explains: bool = False
    close: Callable[[], None] = lambda: None


def from_artifact(
    folder: Path, *, explain: bool = False, threads: int = 0, spread: bool = False, many: bool = False
) -> Client:
    """Ask the model artifact in a folder.

    Each thread that asks has the network to itself, which takes less time in all than sharing out each batch.

    Args:
        folder: the artifact.
        explain: whether the predictions are to have explanations.
        threads: how many may ask at the same time; 0 for one a core.
        spread: whether many reviews may be answered in as many processes.
        many: whether many are known to come, so that the processes need not wait until some have.

    Raises:
        ModelError: there is no artifact, or it is damaged.
    """
    from sentimodel.artifact import ArtifactError
    from sentimodel.predictor import Predictor

    folder = folder.resolve()  # where a link to the current model points to may change meanwhile
    try:
        predictor = Predictor.load(folder, threads=1)
    except ArtifactError as problem:
        raise ModelError(str(problem), "Fetch or train it again: sentictl train") from None

    def ask(texts: Sequence[str]) -> list[Prediction]:
        # asdict takes 20 times as long
        answers = [honest({**vars(prediction)}) for prediction in predictor.predict(texts)]
        if explain:
            for answer, text in zip(answers, texts, strict=True):
                answer["explanation"] = asdict(predictor.explain(text))
        return answers

    threads = threads or min(os.cpu_count() or 1, MOST_THREADS)
    client = Client(ask, EXPLAIN_AT_ONCE if explain else WINDOW, threads, explain)
    if not spread or threads == 1:
        return client
    from sentictl.services.predict.workers import Workers

    # As many as threads: this process has the reading and the writing to do.
    workers = Workers(ask, [str(folder), *(["--explain"] if explain else [])], threads, many=many)
    return replace(client, ask=workers.ask, close=workers.close)


def from_api(
    url: str, max_reviews: int, *, explain: bool = False, caller: Caller | None = None, ca_bundle: str = ""
) -> Client:
    """Ask the API, as the web page does.

    Args:
        url: where it is.
        max_reviews: how many reviews it takes in one request.
        explain: whether to ask for explanations.
        caller: who asks, where the API does not let everybody in.
        ca_bundle: the path of a file of certificates to trust at that address; else those that a variable names.

    Raises:
        AwsError: the certificates cannot be read.
    """
    import urllib.error  # 25 ms that the model on this machine does not need
    import urllib.request

    from sentictl.aws.web import opener_for

    opener, known = opener_for(url, ca_bundle), caller or Caller()

    def request(body: bytes) -> "Request":
        headers = {"Content-Type": "application/json", "Accept": "application/json", **known.headers(body)}
        return urllib.request.Request(url, body, headers)  # noqa: S310  (the address is the one that API Gateway gave)

    def ask(texts: Sequence[str]) -> list[Prediction]:
        body = _body(texts, explain=explain)
        try:
            return _predictions(_patiently(lambda: _read(opener, request(body))), "The API")
        except urllib.error.HTTPError as refusal:
            raise _refused(refusal, known) from None
        except OSError as problem:
            raise EndpointError(f"The API at {url} does not answer: {problem}", "See: sentictl status") from None

    return Client(ask, min(max_reviews, EXPLAIN_AT_ONCE if explain else ASK_AT_ONCE), explains=explain)


def from_endpoint(client: Any, name: str, *, explain: bool = False) -> Client:
    """Ask the SageMaker endpoint itself.

    Args:
        client: boto3's sagemaker-runtime client.
        name: the endpoint's name.
        explain: whether to ask for explanations.
    """

    def ask(texts: Sequence[str]) -> list[Prediction]:
        body = _body(texts, explain=explain)
        try:
            answer = client.invoke_endpoint(
                EndpointName=name, ContentType="application/json", Accept="application/json", Body=body
            )
        except client.exceptions.ModelError as problem:
            raise EndpointError(
                f"The model behind the endpoint {name} failed: {problem.response['Error']['Message']}",
                "Its log: sentictl logs endpoint",
            ) from None
        return _predictions(answer["Body"].read(), f"The endpoint {name}")

    return Client(ask, EXPLAIN_AT_ONCE if explain else ASK_AT_ONCE, explains=explain)


def _read(opener: "OpenerDirector", request: "Request") -> bytes:
    with opener.open(request, timeout=ANSWER_SECONDS) as answer:
        body: bytes = answer.read()
    return body


def _patiently(ask: Callable[[], bytes]) -> bytes:
    """Ask again where the API is only busy for the moment, after as long as it says.

    Raises:
        HTTPError: it refuses for another reason, or for longer.
    """
    from urllib.error import HTTPError

    for _ in range(MOST_PAUSES):
        try:
            return ask()
        except HTTPError as refusal:
            pause = refusal.headers.get("Retry-After", "")
            if not (pause.isdecimal() and int(pause) <= LONGEST_PAUSE):
                raise
            time.sleep(int(pause))
    return ask()


def _body(texts: Sequence[str], *, explain: bool) -> bytes:
    # Characters as UTF-8, not as escapes, which may be three times as long as what the batch was measured by.
    return json.dumps({"reviews": list(texts), "explain": explain}, ensure_ascii=False).encode(errors="replace")


def _predictions(body: bytes, who: str) -> list[Prediction]:
    try:
        answer = json.loads(body)
    except ValueError:
        raise EndpointError(f"{who} answered something that is not JSON.", "See: sentictl logs lambda") from None
    if isinstance(answer, dict):
        error = answer.get("error", {})
        raise RefusedError(
            f"{who} refused: {error.get('message', answer)}", "Correct the review.", reason=error.get("code", "refused")
        )
    return [honest(prediction) for prediction in answer]


def honest(prediction: Prediction) -> Prediction:
    """Return a prediction that calls undecided what the model knows no word of.

    Its label and sentiment are for callers that know only two.
    """
    undecided = prediction.get("undecided", False)  # an endpoint of before does not say
    return prediction | {"undecided": undecided} | ({"label": "undecided", "sentiment": None} if undecided else {})


def _refused(refusal: "HTTPError", caller: Caller) -> EndpointError:
    body = refusal.read()
    try:
        error = json.loads(body)["error"]
        code, reason = str(error["code"]), str(error["message"])
    except (ValueError, KeyError, TypeError):
        error, code, reason = {}, "", body.decode(errors="replace")[:200] or refusal.reason
    error_type = refusal.headers.get("x-amzn-ErrorType", "")
    denied = denial(refusal.code, code, reason, error_type, caller.source)
    if denied:
        return denied
    if code and refusal.code in OF_THE_REVIEWS:
        return RefusedError(f"The API answered {refusal.code}: {reason}", "Correct the review.", reason=code)
    request = str(error.get("request_id", ""))
    look = f"See: sentictl logs --request {request}" if REQUEST_ID.fullmatch(request) else "See: sentictl status"
    return EndpointError(f"The API answered {refusal.code}: {reason}", look, status=refusal.code)
