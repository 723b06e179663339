"""The machines behind an endpoint: for each production variant a fleet of model servers."""

import logging
import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sentictl.twin.core.clock import shortened
from sentictl.twin.core.processes import StartFailedError
from sentictl.twin.sagemaker.model_server import DRAIN_SECONDS, ModelAnswer, ModelServer, ModelUnavailableError, Variant
from sentictl.twin.sagemaker.shadow.copies import Copies

logger = logging.getLogger("sentictl.twin")

RESTART_SECONDS = 5.0  # between two attempts to start a server that crashed
MOST_PROCESSES = 4  # of one fleet; more machines than that share them, as this one has but so much memory
IDLE_SECONDS = 300.0  # after which a serverless endpoint has no server any more. AWS says no figure

Start = Callable[[Variant], ModelServer]


class ThrottledError(Exception):
    """A serverless endpoint answers as many requests as it may."""


class BodyTooLargeError(Exception):
    """The request has more bytes than `max_body`."""


class Fleet(ABC):
    """The model servers of one production variant.

    Args:
        variant: what they serve.
        start: starts one of them; raises StartFailedError.
    """

    max_body = 6 * 1024 * 1024  # bytes, InvokeEndpoint's documented limit

    def __init__(self, variant: Variant, start: Start) -> None:
        self.variant = variant
        self._start = start
        self._changed = threading.Condition()
        self._servers: list[ModelServer] = []
        self._wanted = 1
        self._under_way = 0
        self._stopped = False

    @property
    def running(self) -> int:
        """How many servers there are now."""
        return len(self._servers)

    @property
    def under_way(self) -> int:
        """How many requests are counted in."""
        return self._under_way

    def begin(self) -> None:
        """Count a request in: the fleet is not stopped before `invoke` is over."""
        with self._changed:
            self._under_way += 1

    def invoke(self, body: bytes, content_type: str, accept: str, attributes: str = "") -> ModelAnswer:
        """Hand on a request that was counted in, to the server with the least to do.

        Raises:
            BodyTooLargeError: the body is over the limit.
            ThrottledError: there are as many requests as it may have.
            ModelUnavailableError, ModelTimeoutError, ModelDiedError: as of `ModelServer.invoke`.
        """
        try:
            if len(body) > self.max_body:
                raise BodyTooLargeError
            return self._take().invoke(body, content_type, accept, attributes)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def stop(self, *, drain: bool = True) -> None:
        """End all servers, after the requests under way if `drain`."""
        with self._changed:
            if drain:
                self._changed.wait_for(lambda: self._under_way == 0, DRAIN_SECONDS)
            self._stopped = True
            servers, self._servers = self._servers, []
        for server in servers:
            server.stop(drain=False)

    @abstractmethod
    def _take(self) -> ModelServer:
        """Return the server for a request, which is counted in."""

    def _least_busy(self) -> ModelServer:
        with self._changed:
            if not self._servers:
                raise ModelUnavailableError("no server runs")
            server = min(self._servers, key=lambda each: each.under_way)
            server.begin()
            return server

    def _add(self) -> None:
        """Start one more server, which is started again whenever it ends without being told to."""
        server = self._start(self.variant)
        if self._take_in(server):
            threading.Thread(target=self._replace_crashed, args=(server,), daemon=True).start()

    def _take_in(self, server: ModelServer) -> bool:
        """Let a server answer; False where it is not needed any more, and ended."""
        with self._changed:
            needed = not self._stopped and len(self._servers) < self._wanted
            if needed:
                self._servers.append(server)
        if not needed:
            server.stop(drain=False)
        return needed

    def _replace_crashed(self, server: ModelServer) -> None:
        while server.ends_by_itself():
            with self._changed:
                self._servers = [each for each in self._servers if each is not server]
            server.stop(drain=False)
            successor = self._started_again()
            if successor is None or not self._take_in(successor):
                return
            server = successor

    def _started_again(self) -> ModelServer | None:
        """Return a new server, however often that fails; None if the fleet is stopped meanwhile."""
        while not self._stopped:
            try:
                return self._start(self.variant)
            except Exception as error:  # noqa: BLE001  whatever broke, it is tried again
                logger.warning("variant %s: %s", self.variant.name, error)
                time.sleep(RESTART_SECONDS)
        return None


class InstanceFleet(Fleet):
    """As many servers as the variant has instances.

    Args:
        variant: what they serve.
        start: starts one of them.
        count: how many instances there are.

    Raises:
        StartFailedError: the first one does not come up.
    """

    def __init__(self, variant: Variant, start: Start, count: int) -> None:
        super().__init__(variant, start)
        self._scaling = threading.Lock()
        self.count = 0
        try:
            self.scale(count)
        except BaseException:
            self.stop(drain=False)
            raise

    def scale(self, count: int) -> None:
        """Come to another number of instances, and wait until they run.

        Raises:
            StartFailedError: one of them does not come up; those that did stay.
        """
        with self._scaling:
            self.count = count
            self._wanted = min(count, MOST_PROCESSES)
            while self.running < self._wanted and not self._stopped:
                self._add()
            with self._changed:
                spare = [self._servers.pop() for _ in range(self.running - self._wanted)]
        for server in spare:
            server.stop()

    def _take(self) -> ModelServer:
        return self._least_busy()


class ServerlessFleet(Fleet):
    """One server while there are requests, which starts with the first of them and ends some minutes after the last.

    Args:
        variant: what it serves.
        start: starts it.
        most_requests: how many it answers at once.
        warm: whether it has a server at all times, which is provisioned concurrency.

    Raises:
        StartFailedError: it does not come up.
    """

    max_body = 4 * 1024 * 1024  # bytes, as the guide of serverless inference has it

    def __init__(self, variant: Variant, start: Start, most_requests: int, *, warm: bool) -> None:
        super().__init__(variant, start)
        self._most_requests = most_requests
        self._starting = threading.Lock()
        self._asked = time.monotonic()
        self._add()
        if not warm:
            threading.Thread(target=self._end_when_idle, daemon=True).start()

    def _take(self) -> ModelServer:
        if self._under_way > self._most_requests:
            raise ThrottledError
        self._asked = time.monotonic()
        with self._starting:
            if not self._servers:
                try:
                    self._add()
                except StartFailedError as error:
                    raise ModelUnavailableError(str(error)) from error
        return self._least_busy()

    def _end_when_idle(self) -> None:
        idle = shortened(IDLE_SECONDS)
        while not self._stopped:
            time.sleep(max(0.05, self._asked + idle - time.monotonic()))
            with self._starting, self._changed:
                over = self._under_way == 0 and time.monotonic() - self._asked >= idle
                servers, self._servers = (self._servers, []) if over else ([], self._servers)
            for server in servers:
                server.stop()


@dataclass
class Fleets:
    """An endpoint config that runs: a fleet for each of its production variants, with its share of the requests.

    `shadow` is the shadow variant's, and `copies` takes what was answered, for it and for data capture.
    """

    config: str
    each: list[Fleet]
    shadow: Fleet | None = None
    copies: Copies | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many instances the variants have that stand on some, by name."""
        return {fleet.variant.name: fleet.count for fleet in self.each if isinstance(fleet, InstanceFleet)}

    def pick(self) -> Fleet:
        """Return the fleet for a request."""
        if len(self.each) == 1:
            return self.each[0]
        return random.choices(self.each, [fleet.variant.weight for fleet in self.each])[0]  # noqa: S311  (no secret)

    def stop(self, *, drain: bool = True) -> None:
        """End all fleets."""
        for fleet in self.each:
            fleet.stop(drain=drain)
        if self.copies:
            self.copies.stop(drain=drain)
        if self.shadow:
            self.shadow.stop(drain=drain)


def fleet(variant: Variant, start: Start) -> Fleet:
    """Start what a production variant runs in.

    Raises:
        StartFailedError: it does not come up.
    """
    if variant.serverless is None:
        return InstanceFleet(variant, start, variant.instances)
    serverless = variant.serverless
    return ServerlessFleet(
        variant, start, serverless["MaxConcurrency"], warm=bool(serverless.get("ProvisionedConcurrency"))
    )


def start_fleets(config: str, variants: Sequence[Variant], start: Start, shadow: Variant | None = None) -> Fleets:
    """Start all fleets of an endpoint config.

    Raises:
        StartFailedError: one of them does not come up; none runs then.
    """
    fleets = Fleets(config, [])
    try:
        for variant in variants:
            fleets.each.append(fleet(variant, start))
        fleets.shadow = fleet(shadow, start) if shadow else None
    except BaseException:
        fleets.stop(drain=False)
        raise
    return fleets
