"""Spark on this machine in the place of AWS's Spark image: one process, or a small cluster for several machines."""

import os
import shutil
import socket
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from sentictl.assets.installed import install_command
from sentictl.twin.core import processes

SUBMIT = "smspark-submit"
CORES = 2
WORKERS = 2  # at most, whatever the job asks for: this is one machine
TRIES = 4  # of a task, as on a cluster
MEMORY = "1g"
START_SECONDS = 60
LOCAL = "127.0.0.1"


class NoSparkError(Exception):
    """There is no Spark on this machine; the message says how to get it."""


def check() -> None:
    """Look whether Spark can run here.

    Raises:
        NoSparkError: PySpark or Java is missing.
    """
    if find_spec("pyspark") is None:
        raise NoSparkError(f"Preparing reviews with Spark on this machine needs PySpark: {install_command('spark')}")
    if _java() is None:
        raise NoSparkError("Spark needs Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless).")


def script_of(command: list[str]) -> list[str]:
    """Return the script and its arguments of a command line of `smspark-submit`, without that and its options."""
    words = iter(command[1:])
    for word in words:
        if word in ("-v", "--verbose"):
            continue
        if not word.startswith("--"):
            return [word, *words]
        next(words, None)  # the option's value
    return []


def variables(master: str, folder: Path, python_path: str) -> dict[str, str]:
    """Return the variables by which a script that asks for Spark gets the one of this machine.

    Args:
        master: the address of a cluster, or the number of this process's own cores in Spark's words.
        folder: for what Spark keeps on disk.
        python_path: the variable PYTHONPATH of the processes that run Python for Spark.
    """
    options = {
        "spark.local.dir": folder,
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": LOCAL,
        "spark.driver.host": LOCAL,
        "spark.driver.memory": MEMORY,
        "spark.executor.memory": MEMORY,
        "spark.executor.cores": 1,
        "spark.executorEnv.PYTHONPATH": python_path,
        "spark.sql.warehouse.dir": folder / "warehouse",
    }
    given = " ".join(f"--conf {name}={value}" for name, value in options.items())
    return {
        "PYSPARK_SUBMIT_ARGS": f"--master {master} {given} pyspark-shell",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": LOCAL,
    }


def alone() -> str:
    """Return the master of a job on one machine: the job's own process."""
    return f"local[{CORES},{TRIES}]"


class Cluster:
    """A standalone cluster of Spark's on this machine, for a job on several.

    Args:
        folder: for what it keeps.
        environment: of its processes.
        on_line: told of each line that they write.
    """

    def __init__(self, folder: Path, environment: dict[str, str], on_line: Callable[[str], None]) -> None:
        port = _free_port()
        self.master = f"spark://{LOCAL}:{port}"
        own = {"SPARK_WORKER_DIR": str(folder / "workers"), "SPARK_LOG_DIR": str(folder / "logs")}
        self._environment = environment | own
        self._folder = folder
        self._on_line = on_line
        self._processes: list[processes.Process] = []
        self._start("master.Master", "--host", LOCAL, "--port", str(port), "--webui-port", "0")
        _wait_for(port)
        for _ in range(WORKERS):
            self._start(
                "worker.Worker", "--host", LOCAL, "--cores", "1", "--memory", MEMORY, "--webui-port", "0", self.master
            )

    def close(self) -> None:
        """End its processes."""
        for process in reversed(self._processes):
            processes.terminate(process, grace=1)

    def _start(self, part: str, *arguments: str) -> None:
        program = [str(Path(__file__).with_name("spark_class.py")), f"org.apache.spark.deploy.{part}", *arguments]
        process = processes.start_child(program, self._folder, self._environment)
        self._processes.append(process)
        for pipe in processes.pipes(process):
            processes.OutputReader(pipe, self._on_line)


def _java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else shutil.which("java")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOCAL, 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        with socket.socket() as client:
            if client.connect_ex((LOCAL, port)) == 0:
                return
        time.sleep(0.1)
    raise NoSparkError(f"Spark's master did not start within {START_SECONDS} s.")
