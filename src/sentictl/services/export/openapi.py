"""The API as an OpenAPI 3.0.1 document, made of the limits and constants that the API itself is made of.

What API Gateway does not import is avoided: `anyOf`, `additionalProperties`, `exclusiveMinimum` and `example` in
schemas, names that are not alphanumeric, and references to shared responses
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sentimodel.predictor import MOST_EXPLAINED_WORDS

from sentictl.aws.regions import DEFAULT, dns_suffix
from sentictl.config.settings import ApiSettings, Settings
from sentictl.lifecycle.resource import Context
from sentictl.services.access.cors import MAX_AGE, header_names
from sentictl.services.access.cors import NAMES as CORS
from sentictl.services.access.way import Way
from sentictl.services.access.ways import way_of
from sentictl.services.page.render import HEADERS
from sentictl.services.web.rest_api import STAGE, RestApi, invoke_url
from sentictl.services.web.rest_api_definition import FOR_THE_MOMENT

Document = dict[str, Any]

TEXT, JSON = "text/plain", "application/json"
RAW = (TEXT, "application/x-www-form-urlencoded", "application/octet-stream")
EXPOSE = "Access-Control-Expose-Headers"
# What the function sends with each answer; API Gateway's own errors have CORS and EXPOSE alone.
FUNCTION_HEADERS = (*CORS, EXPOSE, "Cache-Control", "Vary", "X-Content-Type-Options")
PASSED_ON = ("Content-Type", "Cache-Control")  # of the page's object on S3
# By status: what it means, the function's codes, and API Gateway's own.
ERRORS: Mapping[int, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    400: (
        "The request is not one that can be answered, or the model refused it",
        ("bad_encoding", "empty_review", "invalid_request", "not_json", "not_utf8", "wrong_charset"),
        (),
    ),
    413: (
        "Too long, or too many",
        ("request_too_large", "review_too_long", "too_many_reviews", "too_many_words"),
        ("REQUEST_TOO_LARGE",),
    ),
    415: (
        "The body is of a type that holds no review, or in a charset or an encoding that is not read",
        ("unsupported_charset", "unsupported_encoding", "unsupported_media_type"),
        (),
    ),
    429: ("Too many requests for now: ask again after `Retry-After` seconds", ("throttled",), ("THROTTLED",)),
    500: ("The API itself is at fault", ("endpoint_access", "internal_error"), ()),
    502: ("The model failed, or its endpoint", ("endpoint_error", "model_error"), ("DEFAULT_5XX",)),
    503: (
        "The model or the function is busy, not in service, or closed: ask again after `Retry-After` seconds",
        ("endpoint_unavailable", "closed"),
        FOR_THE_MOMENT,
    ),
    504: ("The model took too long", ("endpoint_timeout",), ("INTEGRATION_TIMEOUT",)),
}
SUFFIX = "amazonaws.com.cn in China, amazonaws.eu in the European Sovereign Cloud, amazonaws.com in most regions"
NO_ZERO_BYTES = r"^[^\x00]*[^\s\x00][^\x00]*$"
RETRIED = (429, 503, 504)
NOT_LET_IN = "Who asks is not let in"
VERSION = "1.0"  # of the API; another first number where what worked before does not any more
ABOUT = (
    "Is the writer of a review pleased? Post the review to the stage's root, in UTF-8 or the charset that its content "
    "type names; a body that is packed with gzip or deflate is unpacked.\n\n"
    "{access} The stage is throttled. Every answer carries the CORS headers. Errors are one JSON object, "
    "those of API Gateway itself included: their codes are its response types, in capitals. A method that is not "
    "in this document is answered with 403."
)


def description(settings: Settings, region: str = DEFAULT) -> Document:
    """Describe the API that these settings make, wherever it may stand; `region` is where it does by default."""
    way = way_of(settings)
    operations = {"post": _asking(settings.api, way), "options": _preflight(header_names(settings))}
    if settings.site.publish == "api":
        operations["get"] = _page(header_names(settings))
    return {
        "openapi": "3.0.1",
        "info": {"title": "Sentiment of reviews", "version": VERSION, "description": ABOUT.format(access=way.about)},
        "servers": [_server(region)],
        "paths": {"/": operations},
        "components": {"schemas": _schemas(settings.api)} | ({"securitySchemes": way.schemes} if way.schemes else {}),
    }


def importable(context: Context) -> Document:
    """Describe the API of one project and environment, so that API Gateway can make the API of it.

    Names are those of the project's function, bucket and roles, whether they stand yet or not.
    """
    api = RestApi(context)
    desired = api.desired()
    document = description(context.settings, context.environment.region)
    document["info"]["title"] = api.name
    if context.state.latest(RestApi.kind):
        document["servers"] = [{"url": invoke_url(context).rstrip("/")}]
    if desired["authorizer"]:
        wanted = {"type": "cognito_user_pools", "providerARNs": desired["authorizer"]["providerARNs"]}
        schemes = document["components"]["securitySchemes"]
        document["components"]["securitySchemes"] = {
            name: {**scheme, "x-amazon-apigateway-authorizer": wanted} for name, scheme in schemes.items()
        }
    for verb, method in desired["methods"].items():
        document["paths"]["/"][verb.lower()]["x-amazon-apigateway-integration"] = _integration(method)
    return document | {
        "x-amazon-apigateway-binary-media-types": desired["binary_media_types"],
        "x-amazon-apigateway-gateway-responses": desired["gateway_responses"],
    }


def _server(region: str) -> Document:
    return {
        "url": f"https://{{api}}.execute-api.{{region}}.{{suffix}}/{STAGE}",
        "variables": {
            "api": {"default": "0123456789", "description": "The API's id"},
            "region": {"default": region},
            "suffix": {"default": dns_suffix(region), "description": SUFFIX},
        },
    }


def _asking(limits: ApiSettings, way: Way) -> Document:
    return {
        **({"security": [{name: list(way.scopes)} for name in way.schemes]} if way.schemes else {}),
        "operationId": "ask",
        "summary": "Ask about one review, or about several",
        "description": f"A text body is one review of at most {limits.max_review_characters} characters, whatever text "
        "type it is labelled with. An object with `review` or `reviews` is taken for JSON under any of them.",
        "requestBody": {
            "required": True,
            "content": {kind: _of("Text") for kind in RAW} | {JSON: _of("Question")},
        },
        "responses": {"200": _verdict(), **_errors(way)},
    }


def _verdict() -> Document:
    text = {"schema": {"type": "string", "enum": ["0", "1"]}}
    return {
        "description": "The verdict: JSON where JSON was sent or is preferred by `Accept`, else `1` (positive) or `0`. "
        "The answer to `reviews` is a list.",
        "headers": _headers(FUNCTION_HEADERS),
        "content": {TEXT: text, JSON: _of("Answer")},
    }


def _errors(way: Way) -> Document:
    """Describe the errors by status, those of who is not let in among them."""
    return {str(status): _error(status, way.denials.get(status, ())) for status in sorted({*ERRORS, *way.denials})}


def _error(status: int, denials: Sequence[str]) -> Document:
    meaning, codes, gateway = ERRORS.get(status, (NOT_LET_IN, (), ()))
    gateway = (*gateway, *denials)
    listed = ", ".join(f"`{code}`" for code in (*codes, *gateway))
    return {
        "description": f"{meaning}. Codes: {listed}",
        "headers": _headers((*CORS, EXPOSE, *(("Retry-After",) if status in RETRIED else ()))),
        "content": {JSON: _of("Error")},
    }


def _preflight(cors: Sequence[str]) -> Document:
    refused = {
        "description": f"The request has a body of another type than {JSON}. Code: `UNSUPPORTED_MEDIA_TYPE`",
        "headers": _headers((*CORS, EXPOSE)),
        "content": {JSON: _of("Error")},
    }
    responses = {"200": {"description": "Whoever asks may ask", "headers": _headers((*cors, MAX_AGE))}, "415": refused}
    return {"operationId": "preflight", "summary": "What a browser asks before it asks", "responses": responses}


def _page(cors: Sequence[str]) -> Document:
    found = {
        "description": "The page, one HTML file that needs nothing else",
        "headers": _headers((*cors, *HEADERS, *PASSED_ON)),
        "content": {"text/html": {"schema": {"type": "string"}}},
    }
    headers = _headers((*cors, "Content-Type"))
    missing = {"description": "The page is not published yet", "headers": headers}
    broken = {"description": "S3, where the page is, failed", "headers": headers}
    responses = {"200": found, "404": missing, "502": broken}
    return {"operationId": "page", "summary": "The web page", "responses": responses}


def _schemas(limits: ApiSettings) -> Document:
    explained = f"Tell the words and phrases that decided, too; of {MOST_EXPLAINED_WORDS} words in all at most"
    explain = {"type": "boolean", "description": explained}
    reviews = {"type": "array", "minItems": 1, "maxItems": limits.max_reviews, "items": _reference("Review")}
    review = {"type": "string", "minLength": 1, "maxLength": limits.max_review_characters, "pattern": r"\S"}
    return {
        "Review": review,
        "Text": review | {"pattern": NO_ZERO_BYTES},
        "Question": {"oneOf": [_reference("OneReview"), _reference("SeveralReviews")]},
        "OneReview": _object({"review": _reference("Review"), "explain": explain}, "review"),
        "SeveralReviews": _object({"reviews": reviews, "explain": explain}, "reviews"),
        "Answer": {"oneOf": [_reference("Prediction"), _list("Prediction")]},
        **_answers(),
    }


def _answers() -> Document:
    label = {"type": "string", "enum": ["negative", "positive"]}
    sentiment = {"type": "integer", "enum": [0, 1], "description": "1 is positive"}
    probability = {"type": "number", "minimum": 0, "maximum": 1, "description": "That of positive"}
    contribution = {"type": "number", "description": "In units of the logit; above 0 it speaks for positive"}
    place = {"type": "integer", "minimum": 0, "description": "In the review as it was sent, in Unicode code points"}
    text = {"type": "string"}
    undecided = {
        "type": "boolean",
        "description": "Whether the model knows no word of it, so that its answer says nothing",
    }
    prediction = {
        "label": label,
        "sentiment": sentiment,
        "probability": probability,
        "model": text,
        "undecided": undecided,
    }
    explanation = {"words": _list("Word"), "phrases": _list("Phrase")}
    word = {"word": text, "start": place, "end": place, "contribution": contribution}
    phrase = {"phrase": text, "contribution": contribution}
    return {
        "Prediction": _object(prediction | {"explanation": _reference("Explanation")}, *prediction),
        "Explanation": _object(explanation, *explanation),
        "Word": _object(word, *word),
        "Phrase": _object(phrase, *phrase),
        "Error": _object(
            {"error": _object({"code": text, "message": text, "request_id": text}, "code", "message", "request_id")},
            "error",
        ),
    }


def _integration(method: Mapping[str, Any]) -> Document:
    """Write a method's integration as API Gateway's extension of OpenAPI spells it."""
    wanted = dict(method["integration"])
    # API Gateway answers a MOCK without asking any backend; its extension has no method for that.
    verb = {"httpMethod": wanted.pop("integrationHttpMethod")} if "integrationHttpMethod" in wanted else {}
    responses = {
        response.get("selectionPattern", "default"): {"statusCode": status, **_without_pattern(response)}
        for status, response in method["integration_responses"].items()
    }
    return wanted | verb | {"type": wanted["type"].lower()} | ({"responses": responses} if responses else {})


def _without_pattern(response: Mapping[str, Any]) -> Document:
    return {key: value for key, value in response.items() if key != "selectionPattern"}


def _headers(names: Iterable[str]) -> Document:
    return {name: {"schema": {"type": "string"}} for name in sorted(names)}


def _of(schema: str) -> Document:
    return {"schema": _reference(schema)}


def _reference(schema: str) -> Document:
    return {"$ref": f"#/components/schemas/{schema}"}


def _list(schema: str) -> Document:
    return {"type": "array", "items": _reference(schema)}


def _object(properties: Document, *required: str) -> Document:
    return {"type": "object", "required": list(required), "properties": properties}
