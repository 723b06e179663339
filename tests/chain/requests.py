"""HTTP as a client of the API speaks it."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit


class Answer:
    """An HTTP answer, read whole."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, method: str = "POST", body: bytes | None = None, **headers: str) -> Answer:
    """One request on a connection of its own; headers are named with underscores for hyphens."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, parts.path, body=body, headers=named)
        return Answer(connection.getresponse())
    finally:
        connection.close()
