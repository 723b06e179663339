"""Several processes that train one network together: starting them, and finding one another.

Each process learns from reviews of its own (`shares.py`). What they find is added up (`process_group.py`), so that all
processes take the same steps: data-parallel training.
"""

import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

import torch
import torch.distributed as dist
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # public, though not in torch's __all__

from sentimodel.process_group import PORT, ProcessGroup, ProcessGroupError, Worker, told_of_peers

PORTS = range(20_000, 29_000)  # below those that systems use for outgoing connections
PATIENCE = timedelta(minutes=10)  # for hosts that start later, and for a process that writes while others wait
LOOPBACK = "lo"  # the interface of 127.0.0.1
SECONDS_TO_HEAR_WHY = 5.0
SECONDS_TO_END = 15.0  # longer than the processes wait to hear why one of them failed
_REASON, _LEFT = "reason", "left"


def workers_here(environment: Mapping[str, str], gpus: int) -> list[Worker]:
    """List the workers of this host: one a GPU, and one where there is none.

    A process that was started as one of several (by torchrun, or by `train.py` itself) is the only one.

    Args:
        environment: the variables of torchrun (`RANK` …), else those of SageMaker (`SM_HOSTS`, `SM_CURRENT_HOST`).
        gpus: how many GPUs this host has. All hosts have as many.

    Raises:
        ProcessGroupError: the variables contradict one another.
    """
    if "RANK" in environment:
        return [_own_worker(environment)]
    hosts: list[str] = sorted(json.loads(environment.get("SM_HOSTS") or "[]"))
    each = max(1, gpus)
    if len(hosts) < 2:
        port = free_port() if each > 1 else PORT
        return [Worker(number, each, number, port=port) for number in range(each)]
    current = environment.get("SM_CURRENT_HOST", "")
    if current not in hosts:
        raise ProcessGroupError(f"SM_CURRENT_HOST is {current!r}, which is none of SM_HOSTS: {', '.join(hosts)}")
    first, size = each * hosts.index(current), each * len(hosts)
    address, port = environment.get("MASTER_ADDR", hosts[0]), _number(environment, "MASTER_PORT", PORT)
    return [Worker(first + number, size, number, address, port) for number in range(each)]


def run_all(command: Sequence[str], workers: Sequence[Worker]) -> int:
    """Run a command once for each worker, with its variables, until all have ended or one has failed.

    However this ends, by an exception too, no process is left behind.

    Returns:
        0, or the exit code of one that failed; 128 more than the signal's number if a signal ended it, as in a shell.
    """
    processes = [subprocess.Popen(command, env=os.environ | worker.variables()) for worker in workers]
    try:
        code = _first_failure(processes)
        _wait(processes, SECONDS_TO_END)  # the others hear of it and say so before they end
    finally:
        for process in processes:
            process.terminate()
        _wait(processes, SECONDS_TO_END)
        for process in processes:
            process.kill()
            process.wait()
    return code if code >= 0 else 128 - code


def free_port() -> int:
    """Find a port of this host that nobody listens on, and that the system gives to no outgoing connection."""
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def own_device(worker: Worker) -> torch.device:
    """Return this process's GPU, or the CPU where there is none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.cuda.set_device(worker.local_rank)
    return torch.device("cuda", worker.local_rank)


@contextmanager
def joined(worker: Worker, device: torch.device) -> Iterator[ProcessGroup]:
    """Join the group of all processes, as long as the block lasts. If the block fails in one, it ends in all.

    Raises:
        ProcessGroupError: the others were not found, or one of them has ended.
    """
    if worker.size == 1:
        yield ProcessGroup(worker, device)
        return
    store = _connect(worker, device)
    try:
        yield ProcessGroup(worker, device)
        with told_of_peers():
            dist.barrier()
    except ProcessGroupError as error:
        raise ProcessGroupError(f"another process of this training ended: {_reason(store) or error}") from error
    except Exception as error:
        with suppress(RuntimeError):  # the first process, which keeps the store, may have ended
            store.compare_set(_REASON, "", str(error))
        raise
    finally:
        dist.destroy_process_group()
        _leave(store, worker)


def _own_worker(environment: Mapping[str, str]) -> Worker:
    rank, size = _number(environment, "RANK", 0), _number(environment, "WORLD_SIZE", 1)
    if not 0 <= rank < size:
        raise ProcessGroupError(f"RANK is {rank}, and must lie below WORLD_SIZE, which is {size}")
    address, port = environment.get("MASTER_ADDR", Worker.address), _number(environment, "MASTER_PORT", PORT)
    return Worker(rank, size, _number(environment, "LOCAL_RANK", 0), address, port)


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not text.isdecimal():
        raise ProcessGroupError(f"{name} must be a number, not {text!r}")
    return int(text)


def _first_failure(processes: Sequence["subprocess.Popen[bytes]"]) -> int:
    while True:
        codes = [process.poll() for process in processes]
        failed = [code for code in codes if code]
        if failed or None not in codes:
            return next(iter(failed), 0)
        time.sleep(0.1)


def _wait(processes: Sequence["subprocess.Popen[bytes]"], seconds: float) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and any(process.poll() is None for process in processes):
        time.sleep(0.1)


def _connect(worker: Worker, device: torch.device) -> TCPStore:
    here = worker.address == Worker.address
    interface = LOOPBACK if here else os.environ.get("SM_NETWORK_INTERFACE_NAME")
    if interface:
        for library in ("GLOO", "NCCL"):
            os.environ.setdefault(f"{library}_SOCKET_IFNAME", interface)
    listener = None  # torch's own, which the whole network reaches
    try:
        if here and worker.rank == 0:
            listener = socket.create_server((worker.address, worker.port)).detach()
        store = TCPStore(
            worker.address, worker.port, worker.size, worker.rank == 0, PATIENCE, master_listen_fd=listener
        )
        backend = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, store=store, rank=worker.rank, world_size=worker.size, timeout=PATIENCE)
    except (RuntimeError, OSError) as error:
        raise ProcessGroupError(
            f"the {worker.size} processes of this training did not find one another at {worker.address}:{worker.port}: "
            f"{error}"
        ) from error
    return store


def _reason(store: TCPStore) -> str:
    """Why the first of those that failed did, or "" if it could not say so."""
    with suppress(RuntimeError):
        if store.check([_REASON]):
            return bytes(store.get(_REASON)).decode("utf-8", "replace")
    return ""


def _leave(store: TCPStore, worker: Worker) -> None:
    """End, the first process last, since it keeps the store that the others read the reason from."""
    with suppress(RuntimeError):
        store.add(_LEFT, 1)
        limit = time.monotonic() + SECONDS_TO_HEAR_WHY
        while worker.rank == 0 and store.add(_LEFT, 0) < worker.size and time.monotonic() < limit:
            time.sleep(0.05)
