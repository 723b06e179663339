"""What InvokeEndpoint answers for a fleet, and what SageMaker tells CloudWatch of it."""

from http import HTTPStatus

from sentictl.twin.core.messages import Request, Response, rest_error
from sentictl.twin.sagemaker.fleets import BodyTooLargeError, Fleet, ThrottledError
from sentictl.twin.sagemaker.images.serving import CUSTOM_ATTRIBUTES
from sentictl.twin.sagemaker.model_server import ModelDiedError, ModelTimeoutError, ModelUnavailableError


def ask(fleet: Fleet, request: Request) -> tuple[int, Response]:
    """Return the HTTP status that metrics count, and a fleet's answer as InvokeEndpoint tells it."""
    body = request.get_data()
    content_type = request.headers.get("content-type", "application/octet-stream")
    try:
        attributes = request.headers.get(CUSTOM_ATTRIBUTES, "")
        answer = fleet.invoke(body, content_type, request.headers.get("accept", "*/*"), attributes)
    except BodyTooLargeError:
        message = f"Request body of {len(body)} bytes exceeded maximum allowed of {fleet.max_body} bytes"
        return 413, rest_error("ValidationError", message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except ThrottledError:  # AWS gives no message (https://github.com/opensearch-project/ml-commons/issues/2429)
        return 400, rest_error("ThrottlingException", None, HTTPStatus.BAD_REQUEST)
    except ModelUnavailableError:
        return 503, rest_error("ServiceUnavailable", "The service is unavailable.", HTTPStatus.SERVICE_UNAVAILABLE)
    except ModelDiedError:
        return 503, _model_error(HTTPStatus.SERVICE_UNAVAILABLE, "The container ended while it was to answer.")
    except ModelTimeoutError as error:
        text = f"Your invocation timed out while waiting for a response from container primary. ({error})"
        return 504, _model_error(HTTPStatus.GATEWAY_TIMEOUT, text)
    if answer.status != HTTPStatus.OK:
        return answer.status, _model_error(answer.status, answer.body.decode("utf-8", "replace"))
    told = {"Content-Type": answer.content_type, "x-Amzn-Invoked-Production-Variant": fleet.variant.name}
    return HTTPStatus.OK, Response(answer.body, headers=told)


def measured(status: int, seconds: float) -> dict[str, float]:
    """Return what SageMaker tells CloudWatch of a request: how many there are and fail, and microseconds."""
    return {
        "Invocations": 1,
        "Invocation4XXErrors": float(400 <= status < 500),
        "Invocation5XXErrors": float(status >= 500),
        "ModelLatency": 1e6 * seconds,
    }


def _model_error(status: int, text: str) -> Response:
    message = (
        f'Received server error ({status}) from primary with message "{text}". See its CloudWatch logs.'
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR
        else f'Received client error ({status}) from primary with message "{text}".'
    )
    members = {"OriginalStatusCode": status, "OriginalMessage": text, "LogStreamArn": ""}
    return rest_error("ModelError", message, HTTPStatus.FAILED_DEPENDENCY, **members)
