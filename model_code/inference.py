"""The endpoint's entry point: the four functions that AWS's PyTorch serving containers call.

A request is one review as `text/plain`, or JSON: `{"review": "…"}` or `{"reviews": ["…", …]}`, either with
`"explain": true`. A charset that the content type names is honoured, or refused by its name. The answer is JSON. What
is wrong with a request is answered as `{"error": {"code", "message"}}` instead of raised: the container turns an
exception into a 500 with a traceback.

Batch Transform sends JSON Lines, a `{"review": "…"}` each, and gets as many lines in their order. A line that cannot be
answered is answered with its error, as it would otherwise cost all others of its file their answers.

Each request leaves one JSON line in the log, without its text, under the id that its caller has for it.
"""

import codecs
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from sentimodel.predictor import MOST_EXPLAINED_WORDS, Predictor

JSON, JSON_LINES = "application/json", "application/jsonlines"
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
BOM = "\ufeff"  # which some write before a text in UTF-8
ID_HEADER = "x-amzn-sagemaker-custom-attributes"  # what the caller of InvokeEndpoint has put in CustomAttributes
_LONGEST_ID = 128  # characters
_READ_BY_CONTAINER = ("", "utf-8", "utf8", "us-ascii", "ascii")  # it takes JSON for UTF-8
_TYPES = {
    "text/plain": "one review as text",
    JSON: "an object with review or reviews",
    JSON_LINES: "an object with review on each line",
}


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


Records = tuple[PredictionRequest | ClientError, ...]  # the lines of a request in JSON Lines, in their order


def model_fn(model_dir: str) -> Predictor:
    """Load the artifact that the container unpacked. Reviews come one by one, so one thread each is quickest."""
    import torch

    torch.set_num_threads(1)
    return Predictor.load(model_dir, runtime="torch")


def input_fn(
    request_body: str | bytes | bytearray, content_type: str | None = "text/plain"
) -> PredictionRequest | ClientError | Records:
    """Read the request that a body holds, or say what is wrong with it; of JSON Lines, of each line.

    Args:
        request_body: as the container hands it over: bytes for text, str for JSON; both are taken for both.
        content_type: of the body, perhaps with its charset, else it is UTF-8. None: the client named none.
    """
    kind, charset = _parsed(content_type or "")
    if kind not in _TYPES:
        wanted = " or ".join(f"{name} ({what})" for name, what in _TYPES.items())
        return ClientError("unsupported_content_type", f"the content type is {kind or 'empty'}; send {wanted}")
    only_utf8 = isinstance(request_body, str) or kind == JSON_LINES
    if charset not in (_READ_BY_CONTAINER if only_utf8 else ("", *CHARSETS)):
        return ClientError("unsupported_charset", f"the charset {charset[:40]} is not read; send {kind} in UTF-8")
    if kind == JSON_LINES:
        lines = request_body.encode() if isinstance(request_body, str) else bytes(request_body)
        lines = lines.removeprefix(codecs.BOM_UTF8)
        return tuple(_parse_line(line) for line in lines.split(b"\n") if line.strip())
    try:
        body = (
            request_body.removeprefix(BOM) if isinstance(request_body, str) else _decoded(bytes(request_body), charset)
        )
    except UnicodeDecodeError as error:
        code = "wrong_charset" if charset else "not_utf8"
        return ClientError(code, f"the body is not {charset or 'UTF-8'}: {error.reason} at byte {error.start}")
    return _parse_json(body) if kind == JSON else _checked([body], single=True, explain=False)


def predict_fn(request: PredictionRequest | ClientError | Records, model: Predictor, context: Any = None) -> Any:
    """Answer with JSON values: an object for one review, a list for several, an error object for a bad request.

    JSON Lines are answered with a list, of an object for each line.

    Args:
        request: what `input_fn` read.
        model: what `model_fn` loaded.
        context: TorchServe's, which AWS's toolkit hands to a function with a third parameter. It has the headers.
    """
    headers = context.get_all_request_header(0) if context else {}
    named = {name.lower(): value for name, value in headers.items()}
    return answer(request, model, named.get(ID_HEADER, ""))


def answer(request: PredictionRequest | ClientError | Records, model: Predictor, request_id: str) -> Any:
    """Answer as `predict_fn` does, and log it: `request_id` is what the request is called in other logs, or empty."""
    started = time.perf_counter()
    records = request if isinstance(request, tuple) else (request,)
    reviews = [review for each in records if isinstance(each, PredictionRequest) for review in each.reviews]
    record: dict[str, Any] = {"request_id": request_id[:_LONGEST_ID]} if request_id else {}
    record |= {"reviews": len(reviews), "characters": sum(map(len, reviews))}
    answered: Any
    try:
        answered = _predict_records(request, model) if isinstance(request, tuple) else _predict(request, model)
    except Exception as error:
        record["error"] = type(error).__name__  # without its message, which may quote the review
        raise
    else:
        record |= {"error": answered["error"]["code"]} if "error" in answered else {}
        return answered
    finally:
        record["milliseconds"] = round((time.perf_counter() - started) * 1000, 1)
        sys.stdout.write(json.dumps(record) + "\n")  # in one write, so that lines never mix
        sys.stdout.flush()


def _predict(request: PredictionRequest | ClientError, model: Predictor) -> Any:
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


def _predict_records(records: Records, model: Predictor) -> list[Any]:
    """Answer each line; all that can be together, or, where that fails, each by itself."""
    asked = [each for each in records if isinstance(each, PredictionRequest) and not each.explain]
    try:
        together = [asdict(prediction) for prediction in model.predict([each.reviews[0] for each in asked])]
    except Exception:  # noqa: BLE001  (one of them is at fault, whatever it raised)
        return [_predict_alone(each, model) for each in records]
    answers = dict(zip(map(id, asked), together, strict=True))
    return [answers[id(each)] if id(each) in answers else _predict_alone(each, model) for each in records]


def _predict_alone(record: PredictionRequest | ClientError, model: Predictor) -> Any:
    try:
        return _predict(record, model)
    except Exception as error:  # noqa: BLE001  (an answer, as the others of its file would be lost with it)
        return {"error": asdict(ClientError("prediction_failed", f"the model fails: {type(error).__name__}"))}


def output_fn(prediction: Any, accept: str = JSON) -> tuple[str, str]:
    """Return the answer's body and content type. It is JSON; a client that accepts only something else is told so.

    Who accepts JSON Lines gets an object a line.
    """
    if JSON_LINES in _kinds(accept):
        lines = prediction if isinstance(prediction, list) else [prediction]
        return "\n".join(json.dumps(each, ensure_ascii=False, allow_nan=False) for each in lines), JSON_LINES
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


def _parse_line(line: bytes) -> PredictionRequest | ClientError:
    try:
        request = _parse_json(line.decode())
    except UnicodeDecodeError as error:
        return ClientError("not_utf8", f"the line is not UTF-8: {error.reason} at byte {error.start}")
    if isinstance(request, PredictionRequest) and not request.single:
        return ClientError("invalid_request", 'send {"review": "text"} on each line')
    return request


def _checked(reviews: object, *, single: bool, explain: bool) -> PredictionRequest | ClientError:
    if not isinstance(reviews, list) or not all(isinstance(review, str) for review in reviews):
        return ClientError("invalid_request", "a review must be a string, and reviews a list of strings")
    if not reviews:
        return ClientError("empty_review", "reviews is empty: send at least one review")
    if not all(review.strip() for review in reviews):
        return ClientError("empty_review", "a review is empty: send some text")
    return PredictionRequest(tuple(reviews), single, explain)


def _accepts_json(accept: str) -> bool:
    return bool(_kinds(accept) & {"", "*/*", "application/*", JSON})


def _kinds(accept: str) -> set[str]:
    """Return the content types that a client accepts, in small letters."""
    return {part.partition(";")[0].strip().lower() for part in accept.split(",")}
