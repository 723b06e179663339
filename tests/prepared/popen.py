"""`subprocess.Popen` for programs that a fork of the prepared process can become; all others are started as ever."""

import contextlib
import fcntl
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.prepared import programs, protocol, stub
from tests.prepared.protocol import Request

# What Python reads while it starts: a program for which it differs from this process needs a start of its own.
STARTING = ("PYTHON", "LC_", "LANG")
HARMLESS = ("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")
RUN = "TESTS_RUN"  # the folder of a run of tests: all its processes share what is in it


class _Place:
    """Where the prepared process listens; it is started when it is first needed."""

    address = ""
    process: "subprocess.Popen[bytes] | None" = None


def use(address: str) -> None:
    """Ask the prepared process at this address."""
    _Place.address = address


class Popen(subprocess.Popen[Any]):
    """A program, begun as a fork where it can be; with `terminal` its stdin becomes the terminal of its session."""

    def __init__(self, args: Any, *, terminal: bool = False, **options: Any) -> None:
        self._arguments = [os.fspath(argument) for argument in args]
        self._terminal = terminal
        self._forks = programs.is_prepared(self._arguments) and _can_fork(self._arguments, options)
        self._connection: socket.socket | None = None
        self._process = -1  # a descriptor of it, once it has begun
        self._status = 0
        if terminal and not self._forks:
            options["preexec_fn"] = programs.take_terminal
        super().__init__(args, **options)

    def _execute_child(self, *given: Any) -> None:
        if not self._forks:
            super()._execute_child(*given)  # type: ignore[misc]
            return
        # As in CPython: args, executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo, creationflags, shell,
        # p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, restore_signals, gid, gids, uid, umask,
        # start_new_session, process_group
        pass_fds, folder, environment = given[4:7]
        ours = [given[10], given[13], given[15]]
        standard = [number if descriptor == -1 else descriptor for number, descriptor in enumerate(ours)]
        sent = [*standard, *pass_fds]
        request = Request(
            arguments=self._arguments,
            folder=str(folder or Path.cwd()),
            environment={str(name): str(value) for name, value in (environment or os.environ).items()},
            descriptors=[0, 1, 2, *pass_fds],
            session=bool(given[21]),
            terminal=self._terminal,
        )
        self._connection = _connect()
        protocol.send_request(self._connection, request, sent)
        self.pid = protocol.receive_number(self._connection)
        self._child_created = True
        with contextlib.suppress(ProcessLookupError):  # it has ended, and the server knows
            self._process = os.pidfd_open(self.pid)
        self._close_pipe_fds(*given[10:16])  # type: ignore[attr-defined]

    def _internal_poll(self, *given: Any, **named: Any) -> int | None:
        if not self._forks:
            return super()._internal_poll(*given, **named)  # type: ignore[misc,no-any-return]
        if self.returncode is None and self._has_ended():
            self._try_wait(0)
            self._handle_exitstatus(self._status)  # type: ignore[attr-defined]
        return self.returncode

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if not self._forks:
            return super()._try_wait(wait_flags)  # type: ignore[misc,no-any-return]
        if self._connection is None:
            return self.pid, self._status
        if wait_flags & os.WNOHANG and not self._has_ended():
            return 0, 0
        self._status = protocol.receive_number(self._connection)
        self._connection.close()
        self._connection = None
        if self._process >= 0:
            os.close(self._process)
        return self.pid, self._status

    def _has_ended(self) -> bool:
        """Whether it has ended, also where the server does not know yet."""
        if self._connection is None:
            return True
        waiting = select.poll()
        waiting.register(self._connection, select.POLLIN)
        if self._process >= 0:
            waiting.register(self._process, select.POLLIN)
        return bool(waiting.poll(0))


def on_path(folder: Path) -> dict[str, str]:
    """Put a `sentictl` into a folder that has a fork do the work.

    Returns:
        The variables of a shell that finds it before all others.
    """
    if not _Place.address:
        begin()
    program = folder / "sentictl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {stub.__file__} "$@"\n')
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", stub.ADDRESS: _Place.address}


def run(arguments: list[Any], **options: Any) -> "subprocess.CompletedProcess[Any]":
    """`subprocess.run`, with `Popen` in the place of its own; `check` is the caller's."""
    given, timeout = options.pop("input", None), options.pop("timeout", None)
    if options.pop("capture_output", False):
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if given is not None:
        options["stdin"] = subprocess.PIPE
    with Popen(arguments, **options) as process:
        try:
            stdout, stderr = process.communicate(given, timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)


def _can_fork(arguments: list[str], options: dict[str, Any]) -> bool:
    given = options.get("env") or os.environ
    # A child of the twin finds its script's folder by PYTHONPATH; elsewhere it brings what wants to be imported first.
    path = programs.is_child_of_twin(arguments) or given.get("PYTHONPATH") == os.environ.get("PYTHONPATH")
    return path and _starting(given) == _starting(os.environ)


def _starting(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(STARTING) and name not in HARMLESS and not value.endswith("UTF-8")
    }


def _connect() -> socket.socket:
    if not _Place.address:
        begin()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(_Place.address)
    os.set_inheritable(connection.fileno(), False)
    return connection


def begin() -> None:
    """Find the prepared process of this run of tests, or start it, and wait until it is ready."""
    folder = Path(os.environ.get(RUN) or tempfile.mkdtemp(prefix="prepared-"))
    address, owner = folder / "socket", folder / "owner"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not address.exists():
            _start(address, owner.read_text() if owner.exists() else str(os.getpid()))
    _Place.address = str(address)


def _start(address: Path, owner: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.prepared.server", str(address), owner],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError("the prepared process does not start")
    _Place.process = process
