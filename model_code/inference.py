"""The endpoint's entry point: the four functions that AWS's PyTorch serving containers call.

A request is one review as `text/plain`, or JSON: `{"review": "…"}` or `{"reviews": ["…", …]}`, either with
`"explain": true`. A charset that the content type names is honoured, or refused by its name. The answer is JSON. What
is wrong with a request is answered as `{"error": {"code", "message"}}` instead of raised: the container turns an
exception into a 500 with a traceback.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from sentimodel.predictor import MOST_EXPLAINED_WORDS, Predictor

JSON = "application/json"
# By the names that content types have for them, as Python calls them. The function before the endpoint takes the same.
CHARSETS = {
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
_READ_BY_CONTAINER = ("", "utf-8", "utf8", "us-ascii", "ascii")  # it takes JSON for UTF-8
_TYPES = {"text/plain": "one review as text", JSON: "an object with review or reviews"}


@dataclass(frozen=True)
class ClientError:
    """A client's mistake.

    Attributes:
        code: a word for programs.
        message: a sentence for people.
    """

    code: str
    message: str


@dataclass(frozen=True)
class PredictionRequest:
    """The reviews of a request.

    Attributes:
        reviews: the raw texts.
        single: whether the client sent one review and expects one object.
        explain: whether the answer says what each word and phrase contributed.
    """

    reviews: tuple[str, ...]
    single: bool
    explain: bool


def model_fn(model_dir: str) -> Predictor:
    """Load the artifact that the container unpacked. Reviews come one by one, so one thread each is quickest."""
    import torch

    torch.set_num_threads(1)
    return Predictor.load(model_dir, runtime="torch")


def input_fn(
    request_body: str | bytes | bytearray, content_type: str | None = "text/plain"
) -> PredictionRequest | ClientError:
    """Read the request that a body holds, or say what is wrong with it.

    Args:
        request_body: as the container hands it over: bytes for text, str for JSON; both are taken for both.
        content_type: of the body, perhaps with its charset, else it is UTF-8. None: the client named none.
    """
    kind, charset = _parsed(content_type or "")
    if kind not in _TYPES:
        wanted = " or ".join(f"{name} ({what})" for name, what in _TYPES.items())
        return ClientError("unsupported_content_type", f"the content type is {kind or 'empty'}; send {wanted}")
    if charset not in (_READ_BY_CONTAINER if isinstance(request_body, str) else ("", *CHARSETS)):
        return ClientError("unsupported_charset", f"the charset {charset[:40]} is not read; send {kind} in UTF-8")
    try:
        body = request_body if isinstance(request_body, str) else _decoded(bytes(request_body), charset)
    except UnicodeDecodeError as error:
        code = "wrong_charset" if charset else "not_utf8"
        return ClientError(code, f"the body is not {charset or 'UTF-8'}: {error.reason} at byte {error.start}")
    return _parse_json(body) if kind == JSON else _checked([body], single=True, explain=False)


def predict_fn(request: PredictionRequest | ClientError, model: Predictor) -> Any:
    """Answer with JSON values: an object for one review, a list for several, an error object for a bad request."""
    if isinstance(request, ClientError):
        return {"error": asdict(request)}
    words = len(model.encode(request.reviews).ids) if request.explain else 0
    if words > MOST_EXPLAINED_WORDS:
        message = f"there are {words:,} words to explain; at most {MOST_EXPLAINED_WORDS:,} are explained in one request"
        return {"error": asdict(ClientError("too_many_words", message))}
    answers = [asdict(prediction) for prediction in model.predict(request.reviews)]
    if request.explain:
        for answer, review in zip(answers, request.reviews, strict=True):
            answer["explanation"] = asdict(model.explain(review))
    return answers[0] if request.single else answers


def output_fn(prediction: Any, accept: str = JSON) -> tuple[str, str]:
    """Return the answer's body and content type. It is JSON; a client that accepts only something else is told so."""
    if not _accepts_json(accept):
        prediction = {"error": asdict(ClientError("not_acceptable", f"the answer is {JSON}, not {accept}"))}
    return json.dumps(prediction, ensure_ascii=False, allow_nan=False), JSON


def _parsed(content_type: str) -> tuple[str, str]:
    """Split a content type into the type and the charset that it names, both in small letters; "" for none."""
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    named = dict(part.partition("=")[::2] for part in parameters)
    return kind, named.get("charset", "").strip("\"'")


def _decoded(body: bytes, charset: str) -> str:
    return body.decode(CHARSETS[charset or "utf-8"])


def _parse_json(body: str) -> PredictionRequest | ClientError:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        return ClientError("not_json", f"the body is not JSON: {error}")
    if not isinstance(document, dict) or ("review" in document) == ("reviews" in document):
        return ClientError("invalid_request", 'send {"review": "text"} or {"reviews": ["text", …]}')
    explain = document.get("explain", False)
    if not isinstance(explain, bool):
        return ClientError("invalid_request", "explain must be true or false")
    single = "review" in document
    reviews = [document["review"]] if single else document["reviews"]
    return _checked(reviews, single=single, explain=explain)


def _checked(reviews: object, *, single: bool, explain: bool) -> PredictionRequest | ClientError:
    if not isinstance(reviews, list) or not all(isinstance(review, str) for review in reviews):
        return ClientError("invalid_request", "a review must be a string, and reviews a list of strings")
    if not reviews:
        return ClientError("empty_review", "reviews is empty: send at least one review")
    if not all(review.strip() for review in reviews):
        return ClientError("empty_review", "a review is empty: send some text")
    return PredictionRequest(tuple(reviews), single, explain)


def _accepts_json(accept: str) -> bool:
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return bool(kinds & {"", "*/*", "application/*", JSON})
