"""Starting, finding and stopping a project's local twin. The only module of this package that others import."""

import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sentictl.assets.atomic import write_atomically
from sentictl.assets.installed import install_command
from sentictl.errors import TwinError
from sentictl.twin.core.credentials import KEY_HEADER, KEY_VARIABLE, new_key
from sentictl.twin.core.environment import Access, keeping, passed_on
from sentictl.twin.core.home import TwinHome

if TYPE_CHECKING:
    import psutil

CALM = "calm"
FIRST_PORT = 4599
PORTS = 200
START_SECONDS = 60.0
STOP_SECONDS = 10.0
ASK_SECONDS = 2.0
ANSWER_BYTES = 1 << 20  # whoever it is that answers
TAIL_LINES = 15
NEEDED = {"moto": "moto", "flask": "moto[server]", "psutil": "psutil", "waitress": "waitress"}


@dataclass(frozen=True)
class TwinStatus:
    """Whether a twin runs, and where.

    Args:
        port: the port it answers on, or answered on when it last ran.
        port_changed: `start` took another port than the one recorded, or none was: recorded addresses no longer work.
        details: what the running twin says of itself (version, uptime in seconds, what runs).
    """

    running: bool
    pid: int | None
    port: int | None
    url: str | None
    home: Path
    port_changed: bool = False
    details: dict[str, Any] | None = None


def status(home: Path) -> TwinStatus:
    """Ask whether the twin of `home` runs. Another program on its port, or another twin, does not count."""
    folder = home.resolve()
    record = TwinHome(folder).read_record()
    port, key = record.get("port"), record.get("key")
    told = _ask(port, key) if port and key else None  # a version of sentictl that had no keys is not asked
    if told is None or told.get("pid") != record.get("pid") or told.get("home") != str(folder):
        return TwinStatus(running=False, pid=None, port=port, url=None, home=folder)
    return TwinStatus(
        running=True, pid=told["pid"], port=port, url=f"http://127.0.0.1:{port}", home=folder, details=told
    )


def start(home: Path, port: int | None = None, weather: str | None = None) -> TwinStatus:
    """Make sure that the twin of `home` runs, and wait until it answers.

    Args:
        port: the port it must have; by default the one it had before, or else the first free one from 4599.
        weather: "calm" or "rough" from now on; by default as it is.

    Raises:
        TwinError: the extras are missing, the port is taken, or the twin ends while it starts.
    """
    twin = TwinHome(home.resolve())
    changes_weather = weather not in (None, _weather(twin))
    running = status(home)
    if running.running and not changes_weather:  # without the lock: on a disk that may only be read a twin is found
        return _check_port(running, port)
    with twin.starting():
        if weather is not None and changes_weather:
            _set_weather(twin, weather)
        running = status(home)
        if running.running:
            return _check_port(running, port)
        _require_extras()
        _end(twin)  # one that hangs
        before = twin.read_record().get("port")
        remembers = twin.journal.is_dir()  # also where the record was lost
        lock = twin.hold()
        if lock is None:
            raise TwinError(f"Another process has just taken {twin.folder}.", "Try again.")
        with lock, _listen(port, before) as listener:
            process = _spawn(twin, listener, lock)
        started = _await(process, twin)
    changed = remembers and started.port != before
    return TwinStatus(True, started.pid, started.port, started.url, started.home, changed, started.details)


def stop(home: Path) -> bool:
    """End the twin of `home` and all it runs.

    Returns:
        whether one ran.

    Raises:
        TwinError: it does not end.
    """
    twin = TwinHome(home.resolve())
    if not twin.folder.is_dir():
        return False
    with twin.starting():
        return _end(twin)


def destroy(home: Path) -> None:
    """End the twin of `home` and delete all it kept."""
    twin = TwinHome(home.resolve())
    if not twin.folder.is_dir():
        return
    with twin.starting():
        _end(twin)
        shutil.rmtree(twin.folder)


def access(home: Path) -> Access:
    """Return the address and the key of the twin of `home`.

    Raises:
        TwinError: it does not run.
    """
    running = status(home)
    if running.url is None:
        raise TwinError("The local twin does not run.", "Start it: sentictl local start")
    return Access(running.url, TwinHome(running.home).read_record()["key"])


def log_file(home: Path) -> Path:
    """Return the path of the twin's own log."""
    return TwinHome(home.resolve()).log_file


def _weather(twin: TwinHome) -> str:
    try:
        return twin.weather.read_text(errors="replace").strip()
    except OSError:
        return CALM


def _set_weather(twin: TwinHome, weather: str) -> None:
    if weather != CALM:
        twin.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(twin.weather, weather.encode())
    else:
        twin.weather.unlink(missing_ok=True)


def _ask(port: int, key: str) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", "/_twin/status", headers={KEY_HEADER: key})
        answer = connection.getresponse()
        document = json.loads(answer.read(ANSWER_BYTES))
    except (OSError, http.client.HTTPException, ValueError, RecursionError):  # nobody there, or somebody else
        return None
    finally:
        connection.close()
    return document if isinstance(document, dict) else None


def _check_port(running: TwinStatus, port: int | None) -> TwinStatus:
    if port is not None and port != running.port:
        raise TwinError(
            f"The local twin already runs on port {running.port}, not on {port}.",
            "Stop it first: sentictl local stop",
        )
    return running


def _require_extras() -> None:
    missing = [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        names = ", ".join(missing)
        raise TwinError(f"The local twin needs packages that are not installed: {names}.", install_command("local"))


def _listen(wanted: int | None, before: int | None) -> socket.socket:
    """Take a port for the twin: nobody can take it between choosing it and serving on it."""
    if wanted is not None:
        listener = _try_port(wanted)
        if listener is None:
            raise TwinError(f"Port {wanted} is taken by another program.", "Choose another one, or leave --port out.")
        return listener
    for port in (*([before] if before else []), *range(FIRST_PORT, FIRST_PORT + PORTS)):
        listener = _try_port(port)
        if listener:
            return listener
    raise TwinError(f"No port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free.", "Name one with --port.")


def _try_port(port: int) -> socket.socket | None:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError:
        return None


def _spawn(twin: TwinHome, listener: socket.socket, lock: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the server, which inherits the lock and the listening socket: a kill of this process leaves no doubt."""
    key = new_key()  # for each start: whoever takes an ended twin's port hears at most a key that opens nothing
    # No credentials and no AWS settings of the user's reach moto, nor anything that runs in the twin.
    environment = passed_on(os.environ) | keeping(os.environ) | {KEY_VARIABLE: key}
    port = listener.getsockname()[1]
    options = {"home": twin.folder, "port": port, "listener": listener.fileno(), "lock": lock.fileno()}
    command = [sys.executable, "-P", "-m", "sentictl.twin.server"]
    with twin.log_file.open("wb") as log:
        process = subprocess.Popen(
            [*command, *(word for name, value in options.items() for word in (f"--{name}", str(value)))],
            cwd=twin.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno(), lock.fileno()],
            start_new_session=True,
        )
    twin.write_record(process.pid, port, key)
    return process


def _await(process: subprocess.Popen[bytes], twin: TwinHome) -> TwinStatus:
    answered = _wait_until(lambda: process.poll() is not None or status(twin.folder).running, START_SECONDS)
    found = status(twin.folder)
    if found.running:
        process.returncode = 0  # it outlives this process: nothing to reap, and no warning about it
        return found
    if answered:
        what = f"The local twin ended while it was starting (exit code {process.returncode})."
    else:
        what = f"The local twin does not answer after {START_SECONDS:.0f} s."
        process.kill()
    process.wait()
    raise TwinError(f"{what}\n{_log_tail(twin)}".rstrip(), f"Its whole log: {twin.log_file}")


def _log_tail(twin: TwinHome) -> str:
    with contextlib.suppress(FileNotFoundError):
        return "\n".join(twin.log_file.read_text(errors="replace").splitlines()[-TAIL_LINES:])
    return ""


def _end(twin: TwinHome) -> bool:
    """End the process that holds the home's lock: its pid cannot be anybody else's."""
    if not twin.is_held():
        return False
    _require_extras()
    import psutil  # an extra's, and only needed to end a twin

    process = twin.holder()
    if process is None:
        if not twin.is_held():  # it ended by itself just now
            return True
        raise TwinError(
            f"A local twin runs in {twin.folder}, and which process it is cannot be seen.",
            "If another user started it, that user can stop it: sentictl local stop",
        )
    for end in (process.terminate, process.kill):
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself just now
            end()
        if _wait_until(lambda: _has_ended(process), STOP_SECONDS):
            return True
    raise TwinError(f"The local twin (process {process.pid}) does not end.", f"End it by hand: kill -9 {process.pid}")


def _has_ended(process: "psutil.Process") -> bool:
    """Return whether a process is gone, or is only left for its parent to reap; reap it where that is this one."""
    import psutil  # an extra's, and only needed to end a twin

    with contextlib.suppress(ChildProcessError):  # started by another process
        os.waitpid(process.pid, os.WNOHANG)
    with contextlib.suppress(psutil.NoSuchProcess):
        # On Linux one whose first thread has ended is a zombie while others still hold its files.
        return not process.is_running() or (process.status() == psutil.STATUS_ZOMBIE and process.num_threads() < 2)
    return True


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True
