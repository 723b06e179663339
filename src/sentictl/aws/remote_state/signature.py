"""Who changes something, from where and in which process: what a lease and a change are signed with."""

import contextlib
import getpass
import hashlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
START_FIELD = 19  # of /proc/PID/stat behind the program's name: proc(5), starttime, its 22nd field
ENDED = ("Z", "X")  # states there of a process that has ended, and whose end nobody has asked for yet


@dataclass(frozen=True)
class Signature:
    """Who asks.

    Args:
        who: the ARN of whose credentials they are.
        user: the user and the machine, such as "ana@laptop"; on GitHub whoever began the run.
        where: the machine's name; on GitHub the address of the run.
        command: what was called, such as "up".
    """

    who: str
    user: str
    where: str
    command: str


def signature(who: str, command: str, variables: Mapping[str, str] = os.environ) -> Signature:
    """Sign for this process.

    Args:
        who: the ARN of whose credentials are used.
        command: what was called.
        variables: of the environment; GitHub says there which run this is:
            https://docs.github.com/actions/reference/workflows-and-actions/variables
    """
    host = socket.gethostname()
    if variables.get("GITHUB_ACTIONS") == "true":
        server, repository = variables.get("GITHUB_SERVER_URL", ""), variables.get("GITHUB_REPOSITORY", "")
        run = f"{server}/{repository}/actions/runs/{variables.get('GITHUB_RUN_ID', '')}"
        return Signature(who, f"{variables.get('GITHUB_ACTOR', 'somebody')}@github", run, command)
    return Signature(who, f"{_user()}@{host}", host, command)


@dataclass(frozen=True)
class Process:
    """One process on one machine.

    Args:
        machine: a digest of what the kernel calls this boot and this container, and of the host's name, in which
            copies of one virtual machine differ; empty where the kernel does not say.
        pid: its id.
        started: when it began, in the kernel's ticks; empty where it does not say.
    """

    machine: str
    pid: int
    started: str

    @classmethod
    def this(cls) -> "Process":
        """Return the one that asks."""
        return cls(_machine(), os.getpid(), _started(os.getpid()))

    @property
    def is_dead(self) -> bool:
        """Whether it is known to have ended: it was of this machine, and is not there any more.

        One that may not be looked at, as /proc can be mounted so that other people's are hidden, is not known to have.
        """
        if self.machine == "" or self.machine != _machine() or self.started == "":
            return False
        if not _exists(self.pid):
            return True
        fields = _fields(self.pid)
        return bool(fields) and (fields[0] in ENDED or fields[START_FIELD] != self.started)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user that has no name
        return str(os.getuid())


def _machine() -> str:
    with contextlib.suppress(OSError):
        boot = (PROC / "sys/kernel/random/boot_id").read_text()
        named = f"{boot}{(PROC / 'self/ns/pid').readlink()}{socket.gethostname()}"
        return hashlib.sha256(named.encode()).hexdigest()[:12]
    return ""


def _exists(pid: int) -> bool:
    """Whether there is a process of that id, whosever it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _started(pid: int) -> str:
    """Return when a process began; empty where that cannot be seen."""
    fields = _fields(pid)
    return fields[START_FIELD] if fields else ""


def _fields(pid: int) -> list[str]:
    """Return what /proc/PID/stat has behind the program's name; nothing where that cannot be seen."""
    with contextlib.suppress(OSError):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return []
