"""The control plane: moto behind one lock, with our handlers before, instead of and after its operations.

Every mutating call gets a fresh random seed, which the journal keeps: replayed under the same seed, moto hands out the
same ids (moto documents seeding of `mock_random` for that).
"""

import io
import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

from moto.backends import get_backend
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from sentictl.twin.control_plane import validation
from sentictl.twin.control_plane.journal import FIRST_LINE, IN_ORDER, Journal
from sentictl.twin.control_plane.operations import find_operation
from sentictl.twin.control_plane.weather import Weather
from sentictl.twin.core.messages import Request, Response

logger = logging.getLogger("sentictl.twin")

ACCOUNT = "123456789012"
REGION = "us-east-1"
TICK_SECONDS = 0.001  # to which AWS tells times
READING = re.compile(r"(Admin)?(Describe|List|Get|Filter|Search|Simulate|Head|BatchGet|Assume|Test)[A-Z]")
# How AWS's clients say who signs: with Signature Version 4, and with Version 2, which has no scope.
SCOPE = re.compile(r"Credential=(?P<key>[^/\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
VERSION_2 = re.compile(r"AWS (?P<key>[^:\s]+):")
BACKENDS = (
    *("s3", "iam", "lambda", "apigateway", "sagemaker", "logs", "sts", "scheduler", "cognito-idp", "wafv2"),
    *("sns", "events", "budgets", "states"),
)
# Of backends that are not called as their service signs.
MOTO_NAMES = {"cognito-idp": "cognitoidp", "states": "stepfunctions"}
GLOBAL = ("s3", "iam", "sts", "budgets")  # of which moto has one backend for all regions
# Services whose operations are told apart by method and path. A call changes something unless its method reads.
REST_SERVICES = ("s3", "lambda", "apigateway", "scheduler")
RPC_PATH = re.compile(r"/service/[^/]+/operation/(\w+)")  # the protocol rpc-v2-cbor, which CloudWatch speaks


@dataclass(frozen=True)
class Call:
    """A control-plane call as handlers see it.

    Args:
        service: the signing name, e.g. `sagemaker`.
        operation: AWS's name of the operation; empty where AWS has none of that form.
        labels: what a REST service's path names, by AWS's name of it, such as `restapi_id` or `Bucket`.
        when: seconds since the epoch at which the call was first carried out; of calls that are made in order, after
            all of those before.
        key: the access key that signed it.
        replaying: whether the journal is being replayed, in which case nothing may be started.
    """

    request: Request
    service: str
    region: str
    operation: str
    labels: Mapping[str, str]
    when: float
    key: str
    replaying: bool = False

    @cached_property
    def payload(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.request.get_data() or b"{}")
        return document

    @property
    def mutating(self) -> bool:
        if self.operation and self.service not in REST_SERVICES:
            return not READING.match(self.operation)
        return self.request.method not in ("GET", "HEAD", "OPTIONS")


Kind = TypeVar("Kind")
Handler = Callable[[Call], Response | None]
Seal = Callable[[Call], Request | Response]


class Handlers(dict[tuple[str, str], Kind]):
    """Handlers of one kind, by service and operation, of which each has one.

    Raises:
        ValueError: an operation is given a second one, which would silence the first.
    """

    def __setitem__(self, operation: tuple[str, str], handler: Kind) -> None:
        if operation in self:
            raise ValueError(f"{':'.join(operation)} has a handler already")
        super().__setitem__(operation, handler)


def _make_application(service: Any) -> Any:
    """Make moto's part in a service, by its name; None where it knows none.

    Raises:
        NotImplementedError: it has none.
    """
    if service is None:
        raise NotImplementedError("It does not have this service at all.")
    return create_backend_app(service)


class ControlPlane:
    """moto's WSGI application, serialised, journalled and extended.

    In rough weather a call may be refused before any of it. Handlers are registered for (service, operation): `before`
    may refuse a call by answering it, `instead` replaces moto, `after` follows a call that succeeded. All of them also
    run when the journal is replayed. `seals` come first, and only once: each gives the request that is carried out and
    written down in a call's place, without the secret that this holds, or refuses it by answering it.

    Operations `in_order` create what is told apart by when it was created. Their times come one after the other, also
    after a restart, and whatever was deleted: AWS's clock is not set back, as this machine's may be.
    """

    def __init__(self, journal: Journal, weather: Weather) -> None:
        self.lock = threading.RLock()
        self.journal = journal
        self.weather = weather
        self.before: Handlers[Handler] = Handlers()
        self.instead: Handlers[Handler] = Handlers()
        self.after: Handlers[Callable[[Call], None]] = Handlers()
        self.seals: Handlers[Seal] = Handlers()
        self.in_order: set[tuple[str, str]] = set()
        self.facts: dict[str, Callable[[dict[str, Any], bytes], None]] = {}
        self.left_out: list[int] = []  # lines of the journal that were not accepted at the replay
        self._used: dict[tuple[str, str], None] = {}  # services and regions, in order of their first mutating call
        self._backends: dict[tuple[str, str], Any] = {}
        self._newest = 0.0  # the time of the last call that was made in order
        self._moto = DomainDispatcherApplication(_make_application)

    def backend(self, service: str, region: str = REGION) -> Any:
        """Return moto's backend object of a service; some have one for all regions."""
        if (service, region) not in self._backends:  # moto looks for its module each time
            regional = get_backend(MOTO_NAMES.get(service, service))[ACCOUNT]  # type: ignore[call-overload]
            self._backends[service, region] = regional["aws" if service in GLOBAL else region]
        return self._backends[service, region]

    def regions(self, service: str) -> list[str]:
        """Return the regions in which something of a service has been made."""
        return [region for used, region in self._used if used == service]

    def handle(self, request: Request) -> Response:
        """Carry out a call and, if it changed something, write it down before it is answered.

        Raises:
            OSError: the disk has no room to write it down. It was not carried out.
        """
        call = name_call(request, time.time())
        if refused := validation.refusal(request, call.service, call.operation):
            return refused
        with self.lock:
            if refusal := self.weather.refuse(call):
                return refusal
            if not call.mutating:
                return self._carry_out(call)
            sealed = self._seal(call)
            if isinstance(sealed, Response):
                return sealed
            call, request = self._put_in_order(sealed), sealed.request
            before = self.weather.before(call)
            self._make_backend(call)
            seed = secrets.token_hex(8)
            with self.journal.room_for_call(request, call.region, call.service, call.when, seed) as record:
                mock_random.seed(seed)
                response = self._carry_out(call)
                if response.ok:
                    record(self._told_by(call, response))
            if response.ok:
                self._follow(call)
                self.weather.after(call, before)
            return response

    def ask_moto(self, request: Request) -> Response:
        """Return moto's own answer."""
        body = request.get_data()
        environ = request.environ | {
            "RAW_URI": request.target,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        return Response(*run_wsgi_app(self._moto, environ, buffered=True))

    def record(self, fact: str, body: bytes = b"", **data: Any) -> None:
        """Write down a fact of the data plane; on a replay the handler in `facts` gets it back."""
        with self.lock:
            self.journal.record_fact(fact, body, **data)

    def replay(self) -> None:
        """Bring moto to where the journal ends. A call that it refuses this time is passed over, and counted.

        Raises:
            TwinError: an entry cannot be carried out at all; the message names its line.
        """
        with self.lock:
            for line, entry in enumerate(self.journal.entries(), FIRST_LINE):
                try:
                    accepted = self._replay_fact(entry) if "fact" in entry else self._replay_call(entry)
                except Exception as error:
                    raise self.journal.damaged(
                        line, f"cannot be carried out: {type(error).__name__}: {error}"
                    ) from error
                if not accepted:
                    self.left_out.append(line)
            self._newest = max(self._newest, self.journal.newest_dropped)
        if self.left_out:
            logger.warning("left out what is refused now: lines %s of the journal", ", ".join(map(str, self.left_out)))

    def _replay_fact(self, entry: dict[str, Any]) -> bool:
        restore = self.facts.get(entry["fact"])
        if restore is None:
            raise ValueError(f"there is no fact called {entry['fact']}")
        restore(entry["data"], self.journal.body_of(entry))
        return True

    def _replay_call(self, entry: dict[str, Any]) -> bool:
        request = self.journal.request_of(entry)
        call = self._put_in_order(name_call(request, entry["time"], replaying=True))
        self._make_backend(call)
        mock_random.seed(entry["seed"])
        response = self._carry_out(call)
        if response.ok and "upload" in entry:
            self._rename_upload(call, self._new_upload(response), entry["upload"])
        if response.ok:
            self._follow(call)
        return response.ok

    def _put_in_order(self, call: Call) -> Call:
        """Return a call with the time that counts as its own."""
        if (call.service, call.operation) not in self.in_order:
            return call
        return replace(call, when=max(call.when, self._newest + TICK_SECONDS))

    def _make_backend(self, call: Call) -> None:
        """Make the service's backend before the seed is set: that draws random numbers, and ids would differ."""
        self._used[call.service, call.region] = None
        if call.service in BACKENDS:
            self.backend(call.service, call.region)

    def _carry_out(self, call: Call) -> Response:
        return self._ask(self.before, call) or self._ask(self.instead, call) or self.ask_moto(call.request)

    def _seal(self, call: Call) -> Call | Response:
        """Return a call without its secret, or what it is refused with."""
        seal = self.seals.get((call.service, call.operation))
        sealed = seal(call) if seal else call.request
        return sealed if isinstance(sealed, Response) else replace(call, request=sealed)

    def _ask(self, handlers: dict[tuple[str, str], Handler], call: Call) -> Response | None:
        handler = handlers.get((call.service, call.operation))
        return handler(call) if handler else None

    def _follow(self, call: Call) -> None:
        operation = call.service, call.operation
        if operation in self.in_order:
            self._newest = call.when
        handler = self.after.get(operation)
        if handler:
            handler(call)

    def _told_by(self, call: Call, response: Response) -> dict[str, Any]:
        """Return what the journal has to keep besides a call: ids that the answer tells, whether it has an order."""
        if call.operation == "CreateMultipartUpload":
            return {"upload": self._new_upload(response)}
        told: dict[str, Any] = {IN_ORDER: True} if (call.service, call.operation) in self.in_order else {}
        if call.operation in ("CreateRestApi", "ImportRestApi", "CreateUsagePlan", "CreateApiKey"):
            told["made"] = json.loads(response.get_data())["id"]
        return told

    @staticmethod
    def _new_upload(response: Response) -> str:
        found = re.search(rb"<UploadId>(.+?)</UploadId>", response.get_data())
        return found.group(1).decode() if found else ""

    def _rename_upload(self, call: Call, new: str, old: str) -> None:
        # moto takes upload ids from the operating system's randomness: give the replayed one its first id.
        bucket = self.backend("s3").get_bucket(call.labels["Bucket"])
        upload = bucket.multiparts.pop(new)
        upload.id = old
        bucket.multiparts[old] = upload


def name_call(request: Request, when: float, *, replaying: bool = False) -> Call:
    """Return a request as a call: for which service, region and operation it is."""
    key, region, service = signer(request)
    operation, labels = find_operation(service, request) if service in REST_SERVICES else (_operation(request), {})
    return Call(request, service, region, operation, labels, when, key, replaying)


def signer(request: Request) -> tuple[str, str, str]:
    """Return the access key that signs a request (empty where none does), and for which region and service."""
    header, query = request.headers.get("authorization", ""), request.args
    scope = SCOPE.search(header) or SCOPE.fullmatch(f"Credential={query.get('X-Amz-Credential', '')}")
    if scope:
        return scope["key"], scope["region"], scope["service"].lower()
    old = VERSION_2.match(header)
    return (old["key"] if old else query.get("AWSAccessKeyId", "")), REGION, "s3"


def naive_utc(when: float) -> datetime:
    """Return a time as moto keeps it: UTC, without a zone."""
    return datetime.fromtimestamp(when, UTC).replace(tzinfo=None)


def seconds(when: datetime | None) -> float | None:
    """Return seconds since the epoch, the inverse of `naive_utc`; None for a time that has not come yet."""
    return None if when is None else (when - naive_utc(0)).total_seconds()


def _operation(request: Request) -> str:
    """Return the operation that a call to any other service names in a header, in its path or in its form."""
    if "x-amz-target" in request.headers:
        return request.headers["x-amz-target"].rpartition(".")[2]
    if found := RPC_PATH.fullmatch(request.path):
        return found[1]
    return request.form_parameter("Action")
