"""The fleets of model servers behind an endpoint."""

import threading
from typing import Any, cast

import pytest

from sentictl.twin.core.clock import SPEED_VARIABLE
from sentictl.twin.core.processes import StartFailedError
from sentictl.twin.sagemaker.fleets import (
    IDLE_SECONDS,
    InstanceFleet,
    ServerlessFleet,
    ThrottledError,
    start_fleets,
)
from sentictl.twin.sagemaker.model_server import ModelAnswer, ModelServer, Variant
from tests.twin.conftest import wait_for

VARIANT = Variant("AllTraffic", "role", "s3://bucket/model.tar.gz", {}, "image")
SERVERLESS = Variant("AllTraffic", "role", "", {}, "", serverless={"MemorySizeInMB": 1024, "MaxConcurrency": 2})


class Server:
    """A model server without a process: its answer is its number, and it takes as long as the test wants."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.under_way = 0
        self.goes_on = threading.Event()
        self.goes_on.set()
        self._ended = threading.Event()
        self._told = False

    def begin(self) -> None:
        self.under_way += 1

    def invoke(self, _body: bytes, content_type: str, _accept: str, _attributes: str) -> ModelAnswer:
        assert self.goes_on.wait(30)
        self.under_way -= 1
        return ModelAnswer(200, content_type, str(self.number).encode())

    def ends_by_itself(self) -> bool:
        self._ended.wait()
        return not self._told

    def stop(self, *, drain: bool = True) -> None:
        self._told = True
        self._ended.set()

    def crash(self) -> None:
        self._ended.set()

    @property
    def stopped(self) -> bool:
        return self._told


class Machines:
    """Starts servers, or fails to."""

    def __init__(self) -> None:
        self.servers: list[Server] = []
        self.broken_after = 100

    def start(self, _variant: Variant) -> ModelServer:
        if len(self.servers) >= self.broken_after:
            raise StartFailedError("broken")
        self.servers.append(Server(len(self.servers)))
        return cast(ModelServer, self.servers[-1])

    @property
    def stopped(self) -> list[int]:
        return [server.number for server in self.servers if server.stopped]


def ask(fleet: Any) -> str:
    fleet.begin()
    return str(fleet.invoke(b"good", "text/plain", "*/*").body.decode())


@pytest.fixture
def machines() -> Machines:
    return Machines()


def test_each_request_goes_to_the_server_with_the_least_to_do(machines: Machines) -> None:
    fleet = InstanceFleet(VARIANT, machines.start, 2)
    machines.servers[0].goes_on.clear()
    answers: list[str] = []
    waiting = threading.Thread(target=lambda: answers.append(ask(fleet)))
    waiting.start()
    wait_for(lambda: machines.servers[0].under_way == 1)
    assert [ask(fleet) for _ in range(3)] == ["1"] * 3
    machines.servers[0].goes_on.set()
    waiting.join()
    assert answers == ["0"]


def test_scaling_starts_and_ends_servers(machines: Machines) -> None:
    fleet = InstanceFleet(VARIANT, machines.start, 1)
    fleet.scale(3)
    assert (fleet.count, fleet.running) == (3, 3)
    fleet.scale(1)
    assert (fleet.count, fleet.running) == (1, 1)
    assert len(machines.stopped) == 2
    assert ask(fleet)


def test_more_instances_than_processes_share_them(machines: Machines) -> None:
    fleet = InstanceFleet(VARIANT, machines.start, 9)
    assert (fleet.count, fleet.running) == (9, 4)


def test_an_instance_that_cannot_be_added_costs_none(machines: Machines) -> None:
    fleet = InstanceFleet(VARIANT, machines.start, 1)
    machines.broken_after = 1
    with pytest.raises(StartFailedError):
        fleet.scale(2)
    assert ask(fleet) == "0"


def test_a_server_that_crashed_is_replaced_and_meanwhile_not_asked(machines: Machines) -> None:
    fleet = InstanceFleet(VARIANT, machines.start, 2)
    machines.servers[0].crash()
    wait_for(lambda: len(machines.servers) == 3 and fleet.running == 2)
    assert {ask(fleet) for _ in range(5)} <= {"1", "2"}


def test_a_fleet_that_is_stopped_first_answers_what_is_under_way(machines: Machines) -> None:
    fleet = InstanceFleet(VARIANT, machines.start, 1)
    machines.servers[0].goes_on.clear()
    answers: list[str] = []
    waiting = threading.Thread(target=lambda: answers.append(ask(fleet)))
    waiting.start()
    wait_for(lambda: machines.servers[0].under_way == 1)
    stopping = threading.Thread(target=fleet.stop)
    stopping.start()
    stopping.join(0.1)
    assert stopping.is_alive()
    machines.servers[0].goes_on.set()
    stopping.join()
    waiting.join()
    assert (answers, machines.stopped) == (["0"], [0])


def test_more_requests_than_a_serverless_endpoint_may_have(machines: Machines) -> None:
    fleet = ServerlessFleet(SERVERLESS, machines.start, 2, warm=False)
    machines.servers[0].goes_on.clear()
    waiting = [threading.Thread(target=ask, args=(fleet,)) for _ in range(2)]
    for thread in waiting:
        thread.start()
    wait_for(lambda: machines.servers[0].under_way == 2)
    with pytest.raises(ThrottledError):
        ask(fleet)
    machines.servers[0].goes_on.set()
    for thread in waiting:
        thread.join()
    assert ask(fleet) == "0"
    fleet.stop()


@pytest.mark.parametrize(("warm", "started"), [(False, 2), (True, 1)])
def test_a_serverless_endpoint_starts_again_after_some_idle_minutes(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, warm: bool, started: int
) -> None:
    monkeypatch.setenv(SPEED_VARIABLE, str(IDLE_SECONDS * 10))
    fleet = ServerlessFleet(SERVERLESS, machines.start, 2, warm=warm)
    assert ask(fleet) == "0"
    if not warm:
        wait_for(lambda: fleet.running == 0)
    assert ask(fleet) == str(started - 1)
    fleet.stop()
    assert len(machines.servers) == started


def test_variants_get_requests_by_their_weights(machines: Machines) -> None:
    rare = Variant("rare", "role", "", {}, "", weight=1e-9)
    fleets = start_fleets("config", [VARIANT, rare], machines.start)
    assert {fleets.pick().variant.name for _ in range(50)} == {"AllTraffic"}
    fleets.stop()
    assert machines.stopped == [0, 1]


def test_a_deployment_starts_whole_or_not_at_all(machines: Machines) -> None:
    machines.broken_after = 1
    with pytest.raises(StartFailedError):
        start_fleets("config", [VARIANT, SERVERLESS], machines.start)
    assert machines.stopped == [0]


def test_the_fleet_is_of_the_kind_that_the_variant_names(machines: Machines) -> None:
    kinds = [type(fleet) for fleet in start_fleets("config", [VARIANT, SERVERLESS], machines.start).each]
    assert kinds == [InstanceFleet, ServerlessFleet]
