"""The account of a soak: one twin for all its projects, which is begun again whenever it ends, on the same port."""

import contextlib
import os
import resource
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from sentictl.assets.atomic import write_atomically
from sentictl.twin import daemon
from sentictl.twin.core.credentials import new_key
from sentictl.twin.core.environment import Access
from sentictl.twin.core.home import TwinHome
from tests.soak.events import Events
from tests.sweep import twin

UP_SECONDS = 60.0
LOOK_SECONDS = 0.02
MODEL_SERVER, FUNCTION = "endpoints", "functions"  # folders in which their processes work


@dataclass(frozen=True)
class Account:
    """What the processes of a soak know of their twin.

    Args:
        home: its folder.
        access: its address and its key, the same in each of its lives.
        events: what happened to it.
    """

    home: Path
    access: Access
    events: Events

    @classmethod
    def open(cls, folder: Path) -> "Account":
        """Make one in a folder, on a port that is free."""
        (folder / "twin").mkdir(mode=0o700)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        return cls(folder / "twin", Access(f"http://127.0.0.1:{port}", new_key()), Events(folder / "events"))

    @property
    def port(self) -> int:
        return int(self.access.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        """The process of the twin's present life, or of its last one."""
        return int(TwinHome(self.home).read_record().get("pid", 0))

    @property
    def answers(self) -> bool:
        """Whether it runs."""
        return daemon.status(self.home).running

    def change_weather(self, weather: str) -> None:
        """Make it "calm" or "rough" from now on."""
        write_atomically(TwinHome(self.home).weather, weather.encode())

    def begin(self) -> int:
        """Begin a life of it. Returns its process id."""
        with socket.create_server(("127.0.0.1", self.port), backlog=128) as listener:
            return twin.begin(self.home, "", listener, self.access.key)

    def wait(self, after: int = 0) -> None:
        """Wait until it answers, in another life than that of a process."""
        limit = time.monotonic() + UP_SECONDS
        while self.pid == after or not self.answers:
            if time.monotonic() > limit:
                raise TimeoutError((self.home / "twin.log.err").read_text()[-2000:])
            time.sleep(LOOK_SECONDS)

    def kill(self) -> None:
        """Kill it, and wait for its next life."""
        pid = self.pid
        with contextlib.suppress(ProcessLookupError):  # somebody else has just done it
            os.kill(pid, signal.SIGKILL)
        self.wait(after=pid)

    def processes(self, of: str = "") -> list[psutil.Process]:
        """What runs for it: model servers, functions, jobs.

        Args:
            of: the folder of its run that they work in; empty: any.
        """
        folder, found = self.home / "run" / of, []
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()).is_relative_to(folder):
                    found.append(process)
            except (psutil.Error, OSError):  # ended meanwhile
                continue
        return found

    def limit_files(self, file_bytes: int) -> None:
        """Have it write no file beyond a size, as where its disk is full; -1: as large as it likes."""
        with contextlib.suppress(ProcessLookupError):  # its next life has room
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (file_bytes, resource.RLIM_INFINITY))

    def measure(self) -> dict[str, Any]:
        """Its size: memory of its own and in all, in bytes; the journal's bytes, threads and open files."""
        process = psutil.Process(self.pid)
        memory = process.memory_full_info()
        return {
            "pid": process.pid,
            "own": memory.uss,
            "resident": memory.rss,
            "journal": TwinHome(self.home).journal.joinpath("calls.jsonl").stat().st_size,
            "threads": process.num_threads(),
            "files": process.num_fds(),
        }
