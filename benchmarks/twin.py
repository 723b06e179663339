"""How quickly the local twin starts, finds nothing to do, and answers, beside another version of sentictl.

PROJECT is a folder in which `sentictl up` is done. Each version works on a copy of its own, in turn, round after round,
so that a busy machine slows them alike; medians count.

    python benchmarks/twin.py PROJECT --other OTHER/.venv/bin/python
    python benchmarks/twin.py PROJECT --only start,history --rounds 9
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from clients import Ask, load, post, signed

ROWS = ("start", "history", "up", "endpoint", "chain")
WORDS = ("a", "wonderful", "plot", "and", "superb", "acting", "but", "tedious", "music", "moved", "nobody")
REVIEW = " ".join(WORDS[place * place % len(WORDS)] for place in range(230))
ENDPOINT_CLIENTS, CHAIN_CLIENTS = (1, 16), (1, 16, 32)
REQUESTS = 320  # of all clients together
GONE = 4000  # roles that were made and deleted: a history of some megabytes
UNTHROTTLED = {"api.throttle_rate": "10000", "api.throttle_burst": "5000"}
Figures = dict[str, list[float]]


@dataclass(frozen=True)
class Version:
    """A version of sentictl with a copy of the project."""

    name: str
    python: Path
    project: Path

    def sentictl(self, *arguments: str) -> None:
        """Run a command, which must succeed."""
        command = [self.python.with_name("sentictl"), "--quiet", *arguments]
        subprocess.run(command, cwd=self.project, stdout=subprocess.DEVNULL, check=True)

    def timed(self, *arguments: str) -> tuple[float, float]:
        """Run a command; returns its seconds, and those of computing in its own process."""
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        self.sentictl(*arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return time.perf_counter() - began, spent

    @property
    def home(self) -> Path:
        return self.project / ".sentictl" / "local"

    @property
    def record(self) -> dict[str, Any]:
        """The port and the key of the running twin, and its process."""
        record: dict[str, Any] = json.loads((self.home / "twin.json").read_text())
        return record

    def resource(self, kind: str) -> dict[str, str]:
        """What is recorded of a resource."""
        state = tomllib.loads((self.project / "sentictl.toml").read_text())["state"]["local"]
        return next(each for each in state["resources"] if each["kind"] == kind)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--other", type=Path, help="the python of an environment with another version of sentictl")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(ROWS), help=f"some of {','.join(ROWS)}")
    arguments = parser.parse_args()
    pythons = {"this": Path(sys.executable), **({"other": arguments.other.absolute()} if arguments.other else {})}
    with tempfile.TemporaryDirectory() as folder:
        versions = [
            Version(name, python, _copied(arguments.project, Path(folder) / name)) for name, python in pythons.items()
        ]
        try:
            figures = _measured(versions, arguments.only.split(","), arguments.rounds)
        finally:
            for version in versions:
                version.sentictl("local", "stop")
    _print(figures)


def _copied(project: Path, folder: Path) -> Path:
    left_out = shutil.ignore_patterns("run", "twin.json", "twin.lock")
    shutil.copytree(project, folder, symlinks=True, ignore=left_out)
    return folder


def _measured(versions: list[Version], rows: list[str], rounds: int) -> dict[str, dict[str, Figures]]:
    for version in versions:
        for setting, value in UNTHROTTLED.items():
            version.sentictl("config", "set", setting, value)
        version.sentictl("up")
    measure: Mapping[str, Callable[[Version], Iterator[tuple[str, float]]]] = {
        "start": _start,
        "history": _start,
        "up": _up,
        "endpoint": partial(_load, _endpoint, ENDPOINT_CLIENTS),
        "chain": partial(_load, _chain, CHAIN_CLIENTS),
    }
    figures: dict[str, dict[str, Figures]] = {row: defaultdict(lambda: defaultdict(list)) for row in rows}
    for row in sorted(rows, key=("up", "endpoint", "chain", "start", "history").index):
        for version in versions if row == "history" else ():
            _make_history(version)
        for _ in range(rounds):
            for version in versions:
                for what, value in measure[row](version):
                    figures[row][what][version.name].append(value)
    return figures


def _start(version: Version) -> Iterator[tuple[str, float]]:
    version.sentictl("local", "stop")
    seconds, computing = version.timed("local", "start")
    yield "s", seconds
    process = Path(f"/proc/{version.record['pid']}/stat")
    if process.exists():
        fields = process.read_text().rpartition(")")[2].split()
        yield "s of computing", computing + (int(fields[11]) + int(fields[12])) / 100


def _make_history(version: Version) -> None:
    program = (
        "import sys; from pathlib import Path; import boto3; from sentictl.twin import daemon\n"
        "access = daemon.access(Path(sys.argv[1]))\n"
        "iam = boto3.Session(access.key, 'local', region_name='us-east-1').client('iam', endpoint_url=access.url)\n"
        "for number in range(int(sys.argv[2])):\n"
        "    iam.create_role(RoleName=f'gone-{number}', AssumeRolePolicyDocument='{\"Statement\": []}')\n"
        "    iam.delete_role(RoleName=f'gone-{number}')\n"
    )
    subprocess.run([version.python, "-c", program, version.home, str(GONE)], check=True)


def _up(version: Version) -> Iterator[tuple[str, float]]:
    seconds, computing = version.timed("up")
    yield "s", seconds
    yield "s of computing", computing


def _load(request: Callable[[Version], Ask], clients: tuple[int, ...], version: Version) -> Iterator[tuple[str, float]]:
    url, ask = f"http://127.0.0.1:{version.record['port']}", request(version)
    load(url, ask, 4, 32)  # the first requests start the function
    for count in clients:
        answered = load(url, ask, count, REQUESTS)
        if answered.failed:
            raise RuntimeError(f"{answered.failed} of {REQUESTS} requests were not answered with 200")
        yield f"{count} clients, p50 ms", answered.percentile(50)
        yield f"{count} clients, p99 ms", answered.percentile(99)
        yield f"{count} clients, requests/s", answered.rate


def _endpoint(version: Version) -> Ask:
    path = f"/endpoints/{version.resource('endpoint')['name']}/invocations"
    return post(path, json.dumps({"reviews": [REVIEW]}).encode(), signed(version.record["key"]))


def _chain(version: Version) -> Ask:
    path = f"/restapis/{version.resource('rest-api')['id']}/prod/_user_request_/"
    return post(path, REVIEW.encode(), {"Content-Type": "text/plain"})


def _print(figures: Mapping[str, Mapping[str, Figures]]) -> None:
    print(f"{'':36}{'this':>10}{'other':>10}{'ratio':>8}")
    for row, lines in figures.items():
        for what, by_version in lines.items():
            values = [median(by_version[name]) for name in ("this", "other") if name in by_version]
            ratio = f"{values[0] / values[1]:>8.2f}" if len(values) > 1 else ""
            print(f"{row + ': ' + what:36}" + "".join(f"{value:>10.2f}" for value in values) + ratio)


if __name__ == "__main__":
    main()
