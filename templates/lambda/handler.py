"""The Lambda function between API Gateway (REST, proxy integration) and the model.

That answers at a SageMaker endpoint (`ENDPOINT_NAME`), or in this function itself (`MODEL_FOLDER`, `held_model.py`).

Request: POST, and the body is the review, in UTF-8 unless it says otherwise.
  - `text/*`, `application/x-www-form-urlencoded`, `application/octet-stream` or no content type: the body is the
    review as it stands, nothing is decoded. One exception: a JSON object with a `review` or `reviews` key is
    taken for the JSON it is, because curl and fetch label JSON as a form or as text unless told otherwise.
  - `application/json` and `application/*+json`: `{"review": "…", "explain": false}` or `{"reviews": ["…"]}`.
  - Anything else (multipart forms, images): 415.
  - A charset that the content type names is honoured (`CHARSETS`), and a `Content-Encoding` of gzip or deflate undone.
    Others are a 415, too.

Answer, negotiated in this order:
  1. A JSON body gets JSON, whatever `Accept` says: an object for `review`, a list for `reviews`.
  2. Otherwise the one of `text/plain` and `application/json` with the higher quality in `Accept` (RFC 9110, 12.5.1:
     of the ranges that match a type, the most specific sets its quality).
  3. At equal quality, the one that is named more specifically: `application/json, */*` asks for JSON.
  4. Still equal (`*/*`), neither acceptable, or no `Accept`: `text/plain`, which is `1` or `0`. Never a 406.
  5. Errors are always `{"error": {"code", "message", "request_id"}}`.

Every answer carries the CORS headers. Preflights never come here: API Gateway answers OPTIONS itself. Each request
leaves one JSON line in the log, without the text of the review. With METRICS_NAMESPACE it is metrics as well. The id
that API Gateway gave the request stands in its log, in this one, and in that of the endpoint, to which it is handed.
"""

import base64
import json
import os
import re
import sys
import time
import traceback
import zlib
from typing import Any, NamedTuple

MODEL_FOLDER = os.environ.get("MODEL_FOLDER", "")
ENDPOINT_NAME = os.environ.get("ENDPOINT_NAME", "")
MAX_REVIEW_CHARACTERS = int(os.environ.get("MAX_REVIEW_CHARACTERS", "50000"))
MAX_REVIEWS = int(os.environ.get("MAX_REVIEWS", "100"))
HOURS = os.environ.get("HOURS", "")  # in which the endpoint is there, for people; empty where it always is
ENDPOINT_SECONDS = int(os.environ.get("ENDPOINT_SECONDS", "24"))
METRICS_NAMESPACE = os.environ.get("METRICS_NAMESPACE", "")
ORIGINS = os.environ.get("CORS_ORIGINS", "*").split()  # of the pages that may ask

# Loaded or made while Lambda starts the environment, when it has a whole CPU whatever its memory size.
if MODEL_FOLDER:
    import held_model
else:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import (
        ClientError,
        ConnectionClosedError,
        ConnectTimeoutError,
        EndpointConnectionError,
        HTTPClientError,
        NoCredentialsError,
        ReadTimeoutError,
    )

    # API Gateway gives up after 29 s, so a slow endpoint is given up before that, and at once: a second wait of this
    # length would not fit.
    CLIENT: Any = boto3.client(
        "sagemaker-runtime",
        config=Config(
            connect_timeout=2, read_timeout=ENDPOINT_SECONDS, retries={"total_max_attempts": 1, "mode": "standard"}
        ),
    )

TEXT = "text/plain"
JSON = "application/json"
# By the names that content types have for them, as Python calls them. JSON and text alike.
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
# What zlib calls them. "deflate" is zlib's format, but some send the bare one.
ENCODINGS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
MAX_UNPACKED = 10 * 1024 * 1024  # bytes; API Gateway takes no more of a body that is not packed
# Bytes: 6,291,456 by botocore's description of InvokeEndpoint; a serverless endpoint takes less.
MAX_ENDPOINT_BODY = int(os.environ.get("MAX_ENDPOINT_BODY", "6291456"))
UNTYPED = ("", "application/x-www-form-urlencoded", "application/octet-stream")
QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")

HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS, POST",
    "Access-Control-Allow-Headers": "Accept, Content-Type",
    "Access-Control-Expose-Headers": "Retry-After, x-amzn-RequestId",
    "Cache-Control": "no-store",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
}


class Request(NamedTuple):
    """What a caller asks for: the reviews, and the shape of the answer."""

    reviews: list[str]
    explain: bool
    as_list: bool
    media_type: str


class ApiError(Exception):
    """An answer other than 200. `detail` is for the owner's log and is never sent to the caller."""

    def __init__(self, status: int, code: str, message: str, *, retry_after: int = 0, detail: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.detail = detail


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway proxy event (payload format 1.0) with a proxy response."""
    started = time.perf_counter()
    invocation = getattr(context, "aws_request_id", "")  # as Lambda's own lines name it
    request_id = str((event.get("requestContext") or {}).get("requestId") or invocation)
    record: dict[str, Any] = {"request_id": request_id, "invocation": invocation, "reviews": 0, "characters": 0}
    try:
        response = _answer(event, record)
    except ApiError as error:
        record |= {"error": error.code, "detail": error.detail}
        response = _error_response(error, request_id)
    except Exception as error:  # noqa: BLE001 - the caller is owed an answer with CORS headers whatever went wrong
        record |= {"error": "internal_error", "detail": _origin(error)}
        response = _error_response(ApiError(500, "internal_error", "Something went wrong in the API."), request_id)
    response["headers"] = _told_to_pages(response["headers"], event)
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    _log(record | {"status": response["statusCode"], "milliseconds": milliseconds})
    return response


def _answer(event: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    method = str(event.get("httpMethod") or "POST").upper()
    if method != "POST":
        raise ApiError(405, "method_not_allowed", f"{method} is not answered here. POST the review as the body.")
    request = _read_request(event)
    record["reviews"] = len(request.reviews)
    record["characters"] = sum(map(len, request.reviews))
    predictions = _predict(request, record["request_id"])
    record |= _verdicts(predictions)
    if METRICS_NAMESPACE:
        record |= _metrics(predictions)
    if request.media_type == TEXT:
        body = "1" if predictions[0]["sentiment"] else "0"
    else:
        body = json.dumps(predictions if request.as_list else predictions[0], allow_nan=False)
    return _response(200, request.media_type, body)


def _read_request(event: dict[str, Any]) -> Request:
    content_type, charset = _content_type(_header(event, "content-type"))
    is_json = content_type == JSON or (content_type.startswith("application/") and content_type.endswith("+json"))
    if not (is_json or content_type in UNTYPED or content_type.startswith("text/")):
        message = f"The content type must be {TEXT} or {JSON}, and the body the review."
        raise ApiError(415, "unsupported_media_type", message)
    text = _decode(_unpack(_read_body(event), _header(event, "content-encoding")), charset)
    document = _parse_json(text) if is_json else _find_json(text)
    if document is not None:
        return _read_document(document)
    if "\0" in text:
        message = "The body holds zero bytes, which no review does. If it is UTF-16, let its content type say so."
        raise ApiError(400, "wrong_charset", message)
    _check_review(text, "The review")
    return Request([text], explain=False, as_list=False, media_type=_negotiate(_header(event, "accept")))


def _told_to_pages(headers: dict[str, str], event: dict[str, Any]) -> dict[str, str]:
    """An answer's headers, from which only a page of the list learns that it may read the answer."""
    if ORIGINS == ["*"]:
        return headers
    origin, name = _header(event, "origin"), "Access-Control-Allow-Origin"
    others = {key: value for key, value in headers.items() if key != name}
    return others | {"Vary": "Accept, Origin"} | ({name: origin} if origin in ORIGINS else {})


def _header(event: dict[str, Any], name: str) -> str:
    """The value of a header, its repeated fields joined with commas; empty when it is missing."""
    headers = event.get("multiValueHeaders") or event.get("headers") or {}
    values = [value for key, value in headers.items() if key.lower() == name]
    return ", ".join(", ".join(value) if isinstance(value, list) else str(value or "") for value in values)


def _content_type(header: str) -> tuple[str, str]:
    """A content type and the charset that it names, both in small letters; empty where it names none."""
    content_type, *parameters = (part.strip().lower() for part in header.split(";"))
    named = dict(part.partition("=")[::2] for part in parameters)
    return content_type, named.get("charset", "").strip("\"'")


def _read_body(event: dict[str, Any]) -> bytes:
    body = event.get("body") or ""
    try:
        return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except ValueError:
        raise ApiError(400, "not_utf8", "The body is not UTF-8 text.") from None


def _unpack(data: bytes, encoding: str) -> bytes:
    """Undo a body's `Content-Encoding`, within limits."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return data
    if encoding not in ENCODINGS:
        message = f"The content encoding {encoding[:40]} is not read: send gzip, deflate or none."
        raise ApiError(415, "unsupported_encoding", message)
    for window in ENCODINGS[encoding]:
        unpacker = zlib.decompressobj(window)
        try:
            unpacked = unpacker.decompress(data, MAX_UNPACKED + 1)
        except zlib.error:
            continue
        if len(unpacked) > MAX_UNPACKED:
            raise _too_large(f"The body has more than {MAX_UNPACKED:,} bytes when it is unpacked.")
        if unpacker.eof and not unpacker.unused_data:
            return unpacked
    raise ApiError(400, "bad_encoding", f"The content encoding is {encoding}, but the body is not.")


def _decode(data: bytes, charset: str) -> str:
    if charset and charset not in CHARSETS:
        raise ApiError(415, "unsupported_charset", f"The charset {charset[:40]} is not read: send UTF-8.")
    try:
        return data.decode(CHARSETS[charset or "utf-8"])
    except ValueError:
        if charset:
            message = f"The body is not {charset} text, though its content type says so."
            raise ApiError(400, "wrong_charset", message) from None
        raise ApiError(400, "not_utf8", "The body is not UTF-8 text.") from None


def _too_large(message: str) -> ApiError:
    return ApiError(413, "request_too_large", message)


def _parse_json(text: str) -> Any:
    if not text.strip():
        raise ApiError(400, "empty_review", "The body is empty.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ApiError(400, "not_json", f"The content type is {JSON}, but the body is not JSON.") from None
    return {} if document is None else document


def _find_json(text: str) -> Any:
    """The JSON object with `review` or `reviews` that a text is, or None for a text like any other."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if "review" in document or "reviews" in document else None


def _read_document(document: Any) -> Request:
    if not isinstance(document, dict) or ("review" in document) == ("reviews" in document):
        message = 'The JSON must be an object with either "review", a text, or "reviews", a list of texts.'
        raise ApiError(400, "invalid_request", message)
    explain = document.get("explain", False)
    if not isinstance(explain, bool):
        raise ApiError(400, "invalid_request", '"explain" must be true or false.')
    if "review" in document:
        _check_review(document["review"], '"review"')
        return Request([document["review"]], explain, as_list=False, media_type=JSON)
    _check_reviews(document["reviews"])
    return Request(document["reviews"], explain, as_list=True, media_type=JSON)


def _check_reviews(reviews: Any) -> None:
    if not isinstance(reviews, list):
        raise ApiError(400, "invalid_request", '"reviews" must be a list of texts.')
    if not reviews:
        raise ApiError(400, "empty_review", '"reviews" is empty.')
    if len(reviews) > MAX_REVIEWS:
        message = f"There are {len(reviews):,} reviews; at most {MAX_REVIEWS:,} go in one request."
        raise ApiError(413, "too_many_reviews", message)
    for index, review in enumerate(reviews):
        _check_review(review, f'"reviews"[{index}]')


def _check_review(review: Any, name: str) -> None:
    if not isinstance(review, str):
        raise ApiError(400, "invalid_request", f"{name} must be a text.")
    if not review.strip():
        raise ApiError(400, "empty_review", f"{name} is empty.")
    if len(review) > MAX_REVIEW_CHARACTERS:
        message = f"{name} has {len(review):,} characters; at most {MAX_REVIEW_CHARACTERS:,} are read."
        raise ApiError(413, "review_too_long", message)
    try:
        review.encode()
    except UnicodeEncodeError:  # JSON can spell half of a surrogate pair ("\ud800"), which no encoding can carry
        raise ApiError(400, "not_utf8", f"{name} holds half of a surrogate pair, which is not text.") from None


def _negotiate(accept: str) -> str:
    qualities = _qualities(accept)
    ratings = {media_type: _rate(media_type, qualities) for media_type in (TEXT, JSON)}
    return JSON if ratings[JSON] > ratings[TEXT] else TEXT


def _qualities(accept: str) -> dict[str, float]:
    """The quality of each media range in an `Accept` header. Ranges with a malformed quality are left out."""
    qualities = {}
    for part in accept.lower().split(","):
        media_range, *parameters = (field.strip() for field in part.split(";"))
        quality = next((field[2:] for field in parameters if field.startswith("q=")), "1")
        if QUALITY.fullmatch(quality):
            qualities[media_range] = float(quality)
    return qualities


def _rate(media_type: str, qualities: dict[str, float]) -> tuple[float, int]:
    """How welcome a media type is: its quality, then how specifically it is named (2 by name, 1 `type/*`, 0 `*/*`)."""
    ranges = ("*/*", media_type.partition("/")[0] + "/*", media_type)
    for specificity in (2, 1, 0):
        quality = qualities.get(ranges[specificity])
        if quality is not None:
            return quality, specificity if quality else 0
    return 0.0, 0


def _predict(request: Request, request_id: str) -> list[dict[str, Any]]:
    body = json.dumps({"reviews": request.reviews, "explain": request.explain}, ensure_ascii=False).encode()
    if len(body) > MAX_ENDPOINT_BODY:
        message = f"The reviews have {len(body):,} bytes in all; at most {MAX_ENDPOINT_BODY:,} go in one request."
        raise _too_large(message)
    answer = _ask_model(body) if MODEL_FOLDER else _ask_endpoint(body, request_id)
    return _check_answer(answer, len(request.reviews))


def _ask_model(body: bytes) -> Any:
    try:
        return held_model.answer(body)
    except Exception as error:  # noqa: BLE001 - whatever it is, the model has failed
        raise _model_failed(_origin(error)) from None


def _ask_endpoint(body: bytes, request_id: str) -> Any:
    try:
        return json.loads(_invoke(body, request_id))
    except ClientError as error:
        raise _client_error(error) from None
    except NoCredentialsError as error:
        raise _access_error(str(error)) from None
    except (ConnectTimeoutError, ReadTimeoutError):
        raise ApiError(504, "endpoint_timeout", "The model took too long to answer.", retry_after=5) from None
    except (HTTPClientError, EndpointConnectionError) as error:
        raise _unavailable(type(error).__name__) from None
    except (ValueError, RecursionError):
        raise _bad_answer("not JSON") from None


def _invoke(body: bytes, request_id: str) -> bytes:
    call: dict[str, Any] = {"EndpointName": ENDPOINT_NAME, "ContentType": JSON, "Accept": JSON, "Body": body}
    if request_id:  # handed to the container as it stands, for its log; an InferenceId would reach only data capture
        call["CustomAttributes"] = request_id
    try:
        response = CLIENT.invoke_endpoint(**call)
    except ConnectionClosedError:
        # Lambda froze this environment with an open connection and the other side has hung up since: a new one will do.
        response = CLIENT.invoke_endpoint(**call)
    data: bytes = response["Body"].read()
    return data


def _check_answer(answer: Any, count: int) -> list[dict[str, Any]]:
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        error = answer["error"]
        message = str(error.get("message", "The model refused the review."))
        if error.get("code") == "too_many_words":
            raise ApiError(413, "too_many_words", message)
        raise ApiError(400, str(error.get("code", "model_refused")), message)
    if not isinstance(answer, list) or len(answer) != count:
        raise _bad_answer(f"not a list of {count}")
    for prediction in answer:
        if not isinstance(prediction, dict) or prediction.get("sentiment") not in (0, 1):
            raise _bad_answer("a prediction without a sentiment of 0 or 1")
    return answer


def _origin(error: Exception) -> str:
    """Where an error happened and of what kind it is, without its message: that may quote the review."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__name__}\n{frames}"


def _model_failed(detail: str) -> ApiError:
    return ApiError(502, "model_error", "The model failed on this review.", detail=detail)


def _bad_answer(detail: str) -> ApiError:
    return ApiError(502, "model_error", "The model gave an answer that the API cannot read.", detail=detail)


def _unavailable(detail: str) -> ApiError:
    message = "The model is not in service. It may be starting; try again shortly."
    return ApiError(503, "endpoint_unavailable", message, retry_after=5, detail=detail)


def _access_error(detail: str) -> ApiError:
    advice = f"The function's role must allow sagemaker:InvokeEndpoint on the endpoint {ENDPOINT_NAME}. {detail}"
    return ApiError(500, "endpoint_access", "The API is not allowed to ask its model.", detail=advice)


def _client_error(error: "ClientError") -> ApiError:
    """The answer for an error of InvokeEndpoint, by the code that AWS gives it."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    detail = f"{code}: {error.response.get('Error', {}).get('Message', '')}"
    if code == "ModelError":
        # The message quotes what the container said, which may quote the review; the container's own log has it.
        status, log = error.response.get("OriginalStatusCode", ""), error.response.get("LogStreamArn", "")
        if status in (429, 503):  # the container's queue is full, or it has no process that could answer now
            return _unavailable(f"status {status}, see {log}")
        return _model_failed(f"status {status}, see {log}")
    if code in ("ThrottlingException", "Throttling", "TooManyRequestsException"):
        message = "The model is busy. Try again in a moment."
        return ApiError(429, "throttled", message, retry_after=1, detail=detail)
    if code == "ValidationError" and HOURS:  # there is no endpoint
        message = f"The model has opening hours: {HOURS}. It is closed now, or just opening."
        return ApiError(503, "closed", message, detail=detail)
    if code in ("ValidationError", "ServiceUnavailable", "ModelNotReadyException", "InternalFailure"):
        return _unavailable(detail)
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (401, 403) or "AccessDenied" in code:
        return _access_error(detail)
    return ApiError(502, "endpoint_error", "The model's endpoint answered with an error.", detail=detail)


def _verdicts(predictions: list[dict[str, Any]]) -> dict[str, int]:
    """How many reviews are positive, negative and undecided: what `sentictl metrics` counts in the log."""
    undecided = sum(bool(prediction.get("undecided")) for prediction in predictions)
    positive = sum(prediction["sentiment"] == 1 and not prediction.get("undecided") for prediction in predictions)
    return {"positive": positive, "negative": len(predictions) - positive - undecided, "undecided": undecided}


def _metrics(predictions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what makes CloudWatch's metrics of a log line; nothing where a model of one's own has no probability."""
    if not all("probability" in prediction for prediction in predictions):
        return {}
    count = len(predictions)
    values = {
        "Undecided": sum(prediction.get("undecided", False) for prediction in predictions) / count,
        "Probability": sum(prediction["probability"] for prediction in predictions) / count,
    }
    directive = {
        "Namespace": METRICS_NAMESPACE,
        "Dimensions": [["Endpoint"], ["Endpoint", "Model"]],
        "Metrics": [{"Name": name} for name in values],
    }
    embedded = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": embedded, "Endpoint": ENDPOINT_NAME, "Model": predictions[0].get("model", "-"), **values}


def _error_response(error: ApiError, request_id: str) -> dict[str, Any]:
    named = {"request_id": request_id} if request_id else {}
    body = json.dumps({"error": {"code": error.code, "message": error.message, **named}})
    response = _response(error.status, JSON, body)
    if error.retry_after:
        response["headers"]["Retry-After"] = str(error.retry_after)
    if error.status == 405:
        response["headers"]["Allow"] = "OPTIONS, POST"
    return response


def _response(status: int, media_type: str, body: str) -> dict[str, Any]:
    headers = HEADERS | {"Content-Type": f"{media_type}; charset=utf-8"}
    return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}


def _log(record: dict[str, Any]) -> None:
    """Write one line of JSON to the log, in one write so that lines never mix. Empty fields are left out."""
    sys.stdout.write(json.dumps({key: value for key, value in record.items() if value != ""}) + "\n")
    sys.stdout.flush()
