"""The processes that train together, as one of them sees the others: what they share, add up and deal out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

PORT = 29_400  # where the first host's process listens, unless MASTER_PORT says otherwise


class ProcessGroupError(Exception):
    """The processes cannot train together, or one of them has ended. The message says why, as far as it is known."""


@dataclass(frozen=True)
class Worker:
    """A process as it stands among those that train together.

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
        """Return the environment variables that torchrun tells a process this with."""
        return {
            "RANK": str(self.rank),
            "WORLD_SIZE": str(self.size),
            "LOCAL_RANK": str(self.local_rank),
            "MASTER_ADDR": self.address,
            "MASTER_PORT": str(self.port),
        }


class ProcessGroup:
    """The processes that train together, as one of them sees the others. Alone, it shares with nobody."""

    def __init__(self, worker: Worker, device: torch.device) -> None:
        self.rank = worker.rank
        self.size = worker.size
        self.device = device

    @property
    def is_first(self) -> bool:
        """Whether this is the process that speaks and writes for all."""
        return self.rank == 0

    def add_up(self, values: Tensor) -> None:
        """Replace the values by their sums over all processes. All must call it, with equal shapes.

        Raises:
            ProcessGroupError: another process has ended.
        """
        if self.size > 1:
            with told_of_peers():
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
        """Return to all processes what the first one passes; the argument of the others does not matter."""
        if self.size == 1:
            return content
        with told_of_peers():
            length = torch.tensor([-1 if content is None else len(content)], device=self.device)
            dist.broadcast(length, src=0)
            if length.item() < 0:
                return None
            shared = torch.empty(int(length.item()), dtype=torch.uint8, device=self.device)
            if self.is_first:
                shared.copy_(torch.frombuffer(bytearray(content or b""), dtype=torch.uint8))
            dist.broadcast(shared, src=0)
        return shared.cpu().numpy().tobytes()

    def gather(self, content: bytes) -> list[bytes]:
        """Return to all processes what each of them passes, in the order of their ranks.

        Raises:
            ProcessGroupError: another process has ended.
        """
        if self.size == 1:
            return [content]
        with told_of_peers():
            lengths = torch.zeros(self.size, dtype=torch.int64, device=self.device)
            lengths[self.rank] = len(content)
            dist.all_reduce(lengths)
            padded = bytearray(content).ljust(int(lengths.max()) or 1, b"\0")
            own = torch.frombuffer(padded, dtype=torch.uint8).to(self.device)
            every = [torch.empty_like(own) for _ in range(self.size)]
            dist.all_gather(every, own)
        return [each.cpu().numpy()[:length].tobytes() for each, length in zip(every, lengths.tolist(), strict=True)]

    def least(self, value: int) -> int:
        """Return the least of the values that the processes pass."""
        if self.size == 1:
            return value
        with told_of_peers():
            values = torch.tensor([value], device=self.device)
            dist.all_reduce(values, op=dist.ReduceOp.MIN)
        return int(values.item())

    def deal(self, parts: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """Send each process its part, and return those that all processes have for this one, by their ranks.

        Args:
            parts: one for each process, by its rank; rows of any length.

        Raises:
            ProcessGroupError: another process has ended.
        """
        if self.size == 1:
            return list(parts)
        with told_of_peers():
            sent = torch.tensor([len(part) for part in parts], device=self.device)
            coming = torch.empty_like(sent)
            dist.all_to_all_single(coming, sent)
            own = torch.from_numpy(np.concatenate(parts)).to(self.device)
            received = torch.empty(int(coming.sum()), dtype=torch.int64, device=self.device)
            dist.all_to_all_single(received, own, coming.tolist(), sent.tolist())
        return np.split(received.cpu().numpy(), np.cumsum(coming.tolist())[:-1])


ALONE = ProcessGroup(Worker(), torch.device("cpu"))


@contextmanager
def told_of_peers() -> Iterator[None]:
    """Let what is asked of other processes meanwhile fail with ProcessGroupError where one of them has ended."""
    try:
        yield
    except RuntimeError as error:
        raise ProcessGroupError(str(error)) from error
