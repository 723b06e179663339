"""Several processes that train one network together: where this one stands among them, and what they share.

Each process looks at its share of a step's examples. The gradients are added up, so that all processes take the same
step: data-parallel training without anything else that the processes would have to agree on.
"""

import json
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # public, though not in torch's __all__

PORT = 29_400  # where the first host's process listens, unless MASTER_PORT says otherwise
PORTS = range(20_000, 29_000)  # below those that systems use for outgoing connections
PATIENCE = timedelta(minutes=10)  # for hosts that start later, and for a process that writes while others wait
SECONDS_TO_HEAR_WHY = 5.0
_REASON, _LEFT = "reason", "left"


class GroupError(Exception):
    """The processes cannot train together, or one of them has ended. The message says why, as far as it is known."""


@dataclass(frozen=True)
class Place:
    """Where a process stands among those that train together.

    Attributes:
        rank: its number, from 0.
        size: how many processes there are.
        local_rank: its number among those of its host, which is also its GPU's.
        address: the host that the process of rank 0 runs on.
        port: where that process listens.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    address: str = "127.0.0.1"
    port: int = PORT

    def variables(self) -> dict[str, str]:
        """The place as the environment variables that torchrun sets."""
        return {
            "RANK": str(self.rank),
            "WORLD_SIZE": str(self.size),
            "LOCAL_RANK": str(self.local_rank),
            "MASTER_ADDR": self.address,
            "MASTER_PORT": str(self.port),
        }


def places_here(environment: Mapping[str, str], gpus: int) -> list[Place]:
    """The places of this host's processes: one a GPU, and one where there is none.

    A process that was started as one of several (by torchrun, or by `train.py` itself) has its own place alone.

    Args:
        environment: the variables of torchrun (`RANK` …), else those of SageMaker (`SM_HOSTS`, `SM_CURRENT_HOST`).
        gpus: how many GPUs this host has. All hosts have as many.

    Raises:
        GroupError: the variables contradict one another.
    """
    if "RANK" in environment:
        return [_own_place(environment)]
    hosts: list[str] = sorted(json.loads(environment.get("SM_HOSTS") or "[]"))
    each = max(1, gpus)
    if len(hosts) < 2:
        port = free_port() if each > 1 else PORT
        return [Place(number, each, number, port=port) for number in range(each)]
    current = environment.get("SM_CURRENT_HOST", "")
    if current not in hosts:
        raise GroupError(f"SM_CURRENT_HOST is {current!r}, which is none of SM_HOSTS: {', '.join(hosts)}")
    first, size = each * hosts.index(current), each * len(hosts)
    address, port = environment.get("MASTER_ADDR", hosts[0]), _number(environment, "MASTER_PORT", PORT)
    return [Place(first + number, size, number, address, port) for number in range(each)]


def free_port() -> int:
    """A port of this host that nobody listens on, and that the system gives to no outgoing connection meanwhile."""
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def own_device(place: Place) -> torch.device:
    """This process's GPU, or the CPU where there is none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.cuda.set_device(place.local_rank)
    return torch.device("cuda", place.local_rank)


class Group:
    """The processes that train together, as one of them sees the others. Alone, it shares with nobody."""

    def __init__(self, place: Place, device: torch.device) -> None:
        self.rank = place.rank
        self.size = place.size
        self.device = device

    @property
    def is_first(self) -> bool:
        """Whether this is the process that speaks and writes for all."""
        return self.rank == 0

    def add_up(self, values: Tensor) -> None:
        """Replace the values by their sums over all processes. All must call it, with equal shapes.

        Raises:
            GroupError: another process has ended.
        """
        if self.size > 1:
            with _peers():
                dist.all_reduce(values)

    def add_up_gradients(self, parameters: Sequence[Tensor]) -> None:
        """Replace each dense gradient by its sum over all processes; where there is none, it counts as 0."""
        if self.size == 1:
            return
        for weights in parameters:
            if weights.grad is None:
                weights.grad = torch.zeros_like(weights)
        gradients = [weights.grad for weights in parameters if weights.grad is not None]
        together = torch.cat([gradient.flatten() for gradient in gradients])
        self.add_up(together)
        totals = torch.split(together, [gradient.numel() for gradient in gradients])
        for gradient, total in zip(gradients, totals, strict=True):
            gradient.copy_(total.view_as(gradient))

    def share(self, content: bytes | None) -> bytes | None:
        """What the first process has; the argument of the others does not matter."""
        if self.size == 1:
            return content
        with _peers():
            length = torch.tensor([-1 if content is None else len(content)], device=self.device)
            dist.broadcast(length, src=0)
            if length.item() < 0:
                return None
            shared = torch.empty(int(length.item()), dtype=torch.uint8, device=self.device)
            if self.is_first:
                shared.copy_(torch.frombuffer(bytearray(content or b""), dtype=torch.uint8))
            dist.broadcast(shared, src=0)
        return shared.cpu().numpy().tobytes()


@contextmanager
def joined(place: Place, device: torch.device) -> Iterator[Group]:
    """The group of all processes, as long as the block lasts. If the block fails in one, it ends in all.

    Raises:
        GroupError: the others were not found, or one of them has ended.
    """
    if place.size == 1:
        yield Group(place, device)
        return
    store = _connect(place, device)
    try:
        yield Group(place, device)
        with _peers():
            dist.barrier()
    except GroupError as error:
        raise GroupError(f"another process of this training ended: {_reason(store) or error}") from error
    except Exception as error:
        with suppress(RuntimeError):  # the first process, which keeps the store, may have ended
            store.compare_set(_REASON, "", str(error))
        raise
    finally:
        dist.destroy_process_group()
        _leave(store, place)


def _own_place(environment: Mapping[str, str]) -> Place:
    rank, size = _number(environment, "RANK", 0), _number(environment, "WORLD_SIZE", 1)
    if not 0 <= rank < size:
        raise GroupError(f"RANK is {rank}, and must lie below WORLD_SIZE, which is {size}")
    address, port = environment.get("MASTER_ADDR", Place.address), _number(environment, "MASTER_PORT", PORT)
    return Place(rank, size, _number(environment, "LOCAL_RANK", 0), address, port)


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not text.isdecimal():
        raise GroupError(f"{name} must be a number, not {text!r}")
    return int(text)


def _connect(place: Place, device: torch.device) -> TCPStore:
    interface = os.environ.get("SM_NETWORK_INTERFACE_NAME")
    if interface and place.address != "127.0.0.1":
        for library in ("GLOO", "NCCL"):
            os.environ.setdefault(f"{library}_SOCKET_IFNAME", interface)
    try:
        store = TCPStore(place.address, place.port, place.size, place.rank == 0, PATIENCE)
        backend = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, store=store, rank=place.rank, world_size=place.size, timeout=PATIENCE)
    except RuntimeError as error:
        raise GroupError(
            f"the {place.size} processes of this training did not find one another at {place.address}:{place.port}: "
            f"{error}"
        ) from error
    return store


@contextmanager
def _peers() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise GroupError(str(error)) from error


def _reason(store: TCPStore) -> str:
    """Why the first of those that failed did, or "" if it could not say so."""
    with suppress(RuntimeError):
        if store.check([_REASON]):
            return bytes(store.get(_REASON)).decode("utf-8", "replace")
    return ""


def _leave(store: TCPStore, place: Place) -> None:
    """End, the first process last, since it keeps the store that the others read the reason from."""
    with suppress(RuntimeError):
        store.add(_LEFT, 1)
        limit = time.monotonic() + SECONDS_TO_HEAR_WHY
        while place.rank == 0 and store.add(_LEFT, 0) < place.size and time.monotonic() < limit:
            time.sleep(0.05)
