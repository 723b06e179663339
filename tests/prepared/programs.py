"""What a fork of the prepared process becomes: sentictl, the local twin, a child of the twin, or `train.py`."""

import atexit
import fcntl
import gc
import io
import os
import runpy
import signal
import subprocess
import sys
import termios
import threading
import time
import traceback
import weakref
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

import psutil

from tests import poll
from tests.prepared import watch
from tests.prepared.protocol import Request, close_all_but

MODEL_PACKAGE = "sentimodel"
TRAINING_SCRIPT = Path(__file__).parents[2] / "model_code" / "train.py"
MEMORY = "TESTS_MEMORY"  # the folder where trained models are remembered; without it every job trains
# The part of awslambdaric in C++. It reads the address of its function's Runtime API while it is loaded.
RUNTIME_CLIENT = "runtime_client"
IRIS = "rfc3987_syntax"  # builds a grammar for a second or two, where it is installed: see moto_patches.py
FIRST_PORT = 4599  # of the twins of the first worker
FIRST_SPARE = 500  # file descriptors from here on are in nobody's way
PACKAGES = ("sentictl", "sentimodel")  # all of their modules
# Others that they import only when they need them.
MODULES = (
    "boto3.s3.transfer",
    "awslambdaric.bootstrap",
    "jupyterlab.labapp",
    "onnxruntime",
    "numpy.ma",
    "rich.panel",
    "rich.status",
    "torch",
    "torch._dynamo",
    "torch.onnx",
)
SERVICES = ("apigateway", "cloudwatch", "iam", "lambda", "logs", "s3", "sagemaker", "scheduler", "sts")
# moto's part in them is not asked, or is small.
ASKED_ONLY = ("application-autoscaling", "resourcegroupstaggingapi", "sagemaker-runtime")
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def prepare() -> None:
    """Import what the programs import, and read what botocore and moto know of the services. Starts no thread."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # forks share the processor; also, numpy's threads would be some
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # a thread of ONNX Runtime's: a fork without it may not come to its end
    leave_out(RUNTIME_CLIENT)
    leave_out(IRIS)
    for module in MODULES:
        import_module(module)
    for package in map(import_module, PACKAGES):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(found.name)
    share_what_botocore_reads()
    _warm_services()
    redirect_twins()
    _redirect_children_of_twins()
    poll.look_often()
    for finalizer in list(vars(weakref.finalize)["_registry"]):
        finalizer.atexit = False  # torch has a hundred, at the end of every fork
    gc.freeze()  # what is there already is nothing for the forks to look through, page by page
    if psutil.Process().num_threads() > 1:
        raise RuntimeError("an import of the prepared process starts a thread: forks could wait for it for ever")


def leave_out(module: str) -> None:
    """Let the import of a module fail from now on, for which those who want it are prepared."""
    sys.modules.setdefault(module, None)  # type: ignore[arg-type]


def _warm_services() -> None:
    """Have botocore, moto and the twin read all that they keep of AWS's descriptions of the services."""
    import boto3
    from moto.core.utils import get_service_model
    from moto.moto_server import werkzeug_app

    from sentictl.twin.control_plane import operations
    from sentictl.twin.core import messages

    make_application: Any = werkzeug_app.create_backend_app
    session = boto3.Session("nobody", "secret", region_name="us-east-1")
    for service in (*SERVICES, *ASKED_ONLY):
        client = session.client(service)
        client.can_paginate(next(iter(client.meta.method_to_api_mapping)))
        client.waiter_names  # noqa: B018  (a property that reads them)
    for service in SERVICES:
        make_application(service)
        get_service_model(service)
        for method in METHODS:
            operations.find_operation(service, messages.Request.make(method, "/", "", {}, b""))


def redirect_twins() -> None:
    """From now on a twin that this process starts is a fork of the prepared process, and knows what tests ask for."""
    from sentictl.twin import daemon
    from sentictl.twin.core import environment

    _redirect(daemon)
    environment.PASSED_ON.update((MEMORY, watch.WATCHED))


def keep_to_own_ports() -> None:
    """Take ports that no other test worker takes: a twin that is stopped for a while finds its own free again."""
    from sentictl.twin import daemon

    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    daemon.FIRST_PORT = FIRST_PORT + worker * daemon.PORTS


def _redirect_children_of_twins() -> None:
    from sentictl.twin.core import processes

    _redirect(processes)


def _redirect(module: ModuleType) -> None:
    from tests.prepared.popen import Popen

    vars(module)["subprocess"] = SimpleNamespace(**{**vars(subprocess), "Popen": Popen})


def is_prepared(arguments: list[str]) -> bool:
    """Whether a fork can become this program."""
    first, *rest = arguments
    if Path(first).name == "sentictl":
        return True
    if rest[:3] == ["-P", "-m", "sentictl.twin.server"]:
        return True
    if rest and Path(rest[0]) == TRAINING_SCRIPT:
        return True
    return is_child_of_twin(arguments)


def is_child_of_twin(arguments: list[str]) -> bool:
    """Whether it is what `start_child` starts."""
    return Path(arguments[1]).name == "die_with_parent.py" if len(arguments) > 1 else False


def become(request: Request, descriptors: list[int]) -> NoReturn:
    """Leave the server behind, and be the program to its end."""
    code = 1
    try:
        _enter(request, descriptors)
        code = _run(request.arguments)
    except BaseException:  # noqa: BLE001  (this is the end of a process)
        traceback.print_exc()
    finally:  # also where nobody reads that error any more
        _flush()
        os._exit(code)


def _enter(request: Request, descriptors: list[int]) -> None:
    moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, FIRST_SPARE) for descriptor in descriptors]
    for descriptor, number in zip(moved, request.descriptors, strict=True):
        os.dup2(descriptor, number)
    close_all_but(set(request.descriptors))
    if request.session:
        os.setsid()
    else:
        os.setpgrp()
    if request.terminal:
        take_terminal()
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.modules["__main__"] = ModuleType("__main__")
    sys.path[:] = [*_python_path(), *(path for path in sys.path if path not in ("", str(Path(__file__).parents[2])))]
    _open_streams()
    watch.begin()


def take_terminal() -> None:
    """Make stdin the terminal of this session, from which Ctrl-C comes."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _python_path() -> list[str]:
    return list(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))


def _open_streams() -> None:
    """stdin, stdout and stderr as Python opens them for a process that begins."""
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    standard_input = io.BufferedReader(io.FileIO(0, closefd=False))
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(standard_input, encoding="utf-8")  # type: ignore[misc]
    for number, name, errors in ((1, "stdout", "strict"), (2, "stderr", "backslashreplace")):
        lines = name == "stderr" or os.isatty(number)
        raw = io.FileIO(number, "w", closefd=False)
        stream = io.TextIOWrapper(
            raw if unbuffered else io.BufferedWriter(raw),  # as Python does it
            encoding="utf-8",
            errors=errors,
            line_buffering=lines,
            write_through=unbuffered,
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _run(arguments: list[str]) -> int:
    """Be the program. Returns its exit code, after its threads have ended."""
    try:
        _start(arguments)
        code = 0
    except SystemExit as end:
        code = _code_of(end)
    except KeyboardInterrupt:
        _flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        raise
    except BaseException:  # noqa: BLE001  (as Python does at the end of a program)
        traceback.print_exc()
        code = 1
    end_threads: Any = threading._shutdown  # type: ignore[attr-defined]
    end_threads()
    atexit._run_exitfuncs()
    return code


def _start(arguments: list[str]) -> None:
    first, *rest = arguments
    if Path(first).name == "sentictl":
        if _has_own_package(Path.cwd()):
            _forget(MODEL_PACKAGE, "sentictl")
            redirect_twins()
            poll.look_often()
        keep_to_own_ports()
        from sentictl.cli.program import main

        sys.argv = arguments
        main()
    elif rest[0] == "-P":
        from sentictl.twin import server

        sys.argv = rest[2:]
        server.main()
    elif Path(rest[0]) == TRAINING_SCRIPT:
        from sentimodel import distributed

        _redirect(distributed)  # one process for each GPU
        sys.argv, sys.path[:0] = rest, [str(TRAINING_SCRIPT.parent)]
        runpy.run_path(rest[0], run_name="__main__")
    else:
        from sentictl.twin.core import die_with_parent

        _forget(MODEL_PACKAGE)  # what runs in a container has a copy of its own beside it
        _forget(RUNTIME_CLIENT, "awslambdaric")
        sys.argv = _remembered(rest)
        die_with_parent.main()


def _has_own_package(folder: Path) -> bool:
    """Tell whether a project here or above has a `sentimodel` of its own, in place of the one that is imported."""
    return any((place / "model_code" / MODEL_PACKAGE).exists() for place in (folder, *folder.parents))


def _forget(*packages: str) -> None:
    """Have packages imported again by whoever needs them."""
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]


def _remembered(arguments: list[str]) -> list[str]:
    """A training script becomes one that knows what was trained before, where there is a memory for it."""
    from tests.prepared import recall

    memory = os.environ.get(MEMORY)
    if not memory or Path(arguments[1]).name != TRAINING_SCRIPT.name:
        return arguments
    return [arguments[0], recall.__file__, memory, *arguments[1:]]


def _code_of(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    sys.stderr.write(f"{end.code}\n")
    return 1


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue


def share_what_botocore_reads() -> None:
    """Every session of botocore uses one loader, which keeps what it read of the services' descriptions."""
    import botocore.session
    from botocore.loaders import create_loader

    from sentictl.assets.installed import botocore_data

    botocore.session.create_loader = lambda path=None: create_loader(path) if path else botocore_data()
