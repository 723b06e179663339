"""Which operation of AWS a REST call is: botocore's service models, read the other way round.

A model gives each operation a method and a URI such as `/restapis/{restapi_id}/deployments` or `/{Bucket}?policy`
(Smithy's HTTP bindings). Operations of one method and path are told apart by what they need of the query and the
headers.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, unquote

from botocore.model import OperationModel
from moto.core.utils import get_service_model

from sentictl.twin.core.messages import Request

LABEL = re.compile(r"\\\{(\w+)(\\\+)?\\\}")  # as `re.escape` leaves it
HINT = "x-id"  # some clients name the operation with it: nothing that a service needs


@dataclass(frozen=True)
class Binding:
    """An operation and what a request must have to be it.

    Args:
        query: names of query parameters, with the value that they must have; any where that is empty.
        headers: names of headers.
    """

    operation: str
    query: Mapping[str, str]
    headers: frozenset[str]

    @classmethod
    def of(cls, model: OperationModel) -> "Binding":
        """Return the binding of one of botocore's operations."""
        query = dict(parse_qsl(model.http["requestUri"].partition("?")[2], keep_blank_values=True))
        query = dict.fromkeys(_required(model, "querystring"), "") | query
        query.pop(HINT, None)
        return cls(model.name, query, frozenset(_required(model, "header")))

    @property
    def weight(self) -> int:
        """How much it asks for."""
        return len(self.query) + len(self.headers)

    def fits(self, request: Request) -> bool:
        """Return whether a request of the right method and path has all the rest."""
        sent = request.args
        return (
            self.query.keys() <= sent.keys()
            and all(wanted in ("", sent[name]) for name, wanted in self.query.items())
            and all(name in request.headers for name in self.headers)
        )


def find_operation(service: str, request: Request) -> tuple[str, dict[str, str]]:
    """Return the name of the operation that a request to a REST service is for, and the labels in its path.

    Args:
        service: botocore's name of the service, such as `apigateway`.

    Returns:
        such as `CreateDeployment` and `{"restapi_id": "abc"}`; empty if there is no such operation.
    """
    for path, bindings in _bindings(service, request.method):
        found = path.fullmatch(request.target)
        name = next((b.operation for b in bindings if b.fits(request)), "") if found else ""
        if found and name:
            return name, {label: unquote(value) for label, value in found.groupdict().items()}
    return "", {}


@cache
def _bindings(service: str, method: str) -> list[tuple[re.Pattern[str], list[Binding]]]:
    """Return a method's paths, those with the fewest labels first, each with its operations, the choosiest first."""
    model = get_service_model(service)
    by_path: dict[str, list[Binding]] = defaultdict(list)
    for operation in map(model.operation_model, model.operation_names):
        if operation.http["method"] == method:
            by_path[operation.http["requestUri"].partition("?")[0]].append(Binding.of(operation))
    return [
        (_pattern(path), sorted(by_path[path], key=lambda binding: -binding.weight))
        for path in sorted(by_path, key=lambda path: path.count("{"))
    ]


def _required(model: OperationModel, location: str) -> Iterable[str]:
    """Yield the names that the required members of an operation have in the query (`querystring`) or as a `header`."""
    shape = model.input_shape
    for name in shape.required_members if shape else ():
        serialization = shape.members[name].serialization
        if serialization.get("location") == location:
            yield serialization.get("name", name)


def _pattern(path: str) -> re.Pattern[str]:
    """Return what matches a percent-encoded path. A label holds no slash, unless it is greedy, such as `{Key+}`."""
    text = LABEL.sub(lambda label: f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})", re.escape(path.rstrip("/")))
    return re.compile(text + "/?")
