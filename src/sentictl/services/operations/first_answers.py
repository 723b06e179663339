"""The first answers of an API and its page: on AWS, permissions and new roles take effect seconds to minutes late."""

import time
import urllib.error
from collections.abc import Callable
from http import HTTPStatus

from sentictl.aws.waiters import Sleep
from sentictl.aws.web import opener_for
from sentictl.errors import EndpointError, NotAdmittedError
from sentictl.lifecycle.resource import Context
from sentictl.services.predict.clients import ANSWER_SECONDS, from_api
from sentictl.services.web.rest_api import invoke_url
from sentictl.services.web.website import page_url

PATIENCE_SECONDS = 90
PAUSE_SECONDS = 2
REVIEW = "A first review, to see whether there is an answer."


def wait_for_answers(
    context: Context,
    waiting: Callable[[str], object],
    *,
    seconds: float = PATIENCE_SECONDS,
    sleep: Sleep = time.sleep,
) -> str:
    """Post a review to the API and get the page, again until both answer.

    Args:
        context: a project whose API and page stand.
        waiting: called once, with what is missing, if the first answer is not there at once.
        seconds: for how long to ask again.
        sleep: takes the seconds between two attempts.

    Returns:
        What is missing still; empty where both answer.
    """
    deadline = time.monotonic() + seconds
    missing = _missing(context)
    if missing:
        waiting(missing)
    while missing and time.monotonic() < deadline:
        sleep(PAUSE_SECONDS)
        missing = _missing(context)
    return missing


def _missing(context: Context) -> str:
    """Return what does not answer as it should, and how; empty where all does."""
    ca_bundle = context.environment.endpoints.ca_bundle
    try:
        from_api(invoke_url(context), 1, ca_bundle=ca_bundle).ask([REVIEW])
    except NotAdmittedError:
        pass  # as it should be: it lets in only whom it knows
    except EndpointError as refusal:
        if refusal.status != HTTPStatus.TOO_MANY_REQUESTS:  # an answer as well
            return refusal.message
    try:
        page = page_url(context)
        with opener_for(page, ca_bundle).open(page, timeout=ANSWER_SECONDS):
            return ""
    except urllib.error.HTTPError as refusal:
        return "" if refusal.code == HTTPStatus.TOO_MANY_REQUESTS else f"The page answers {refusal.code}."
    except OSError as problem:
        return f"The page does not answer: {problem}"
