"""The soak: `python -m tests.soak --rounds 50 --projects 3 --seed 1`.

Projects share one account, a twin, and go through rounds at once: settings are changed, `plan`, `up`, the API is asked,
settings are changed again, `up`, `deploy --model previous`, `down`, in calm or in rough weather. In half of the
commands something goes wrong: AWS fails as in the fault sweep, the command, the twin, a model server or a function's
process is killed, the clock jumps by days, the command's or the twin's disk is full. Such a command may end in a clear
error; the same command again then has to finish. Every answer of the API has to be right and of the model that is
meant, and none may fail but those that a kill met. The twin's memory has to stay as it is. After each round nothing of
the project may be left, and at the end no process, port or resource.

What goes wrong in a round follows from the seed, the project and the round's number: `--first 17 --rounds 1` does
round 17 alone. Before its first round with a way to serve each project does one without troubles, number 0.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.prepared import popen, programs
from tests.soak import clock, report
from tests.soak.account import Account
from tests.soak.keeper import Keeper
from tests.soak.project import Project
from tests.soak.rounds import rounds
from tests.soak.troubles import weights
from tests.sweep import process

ROUNDS, PROJECTS = 50, 3
STATES = ("file", "s3")
LOOK_SECONDS = 0.2


def main() -> int:
    """Run it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each project ({ROUNDS})")
    parser.add_argument("--projects", type=int, default=PROJECTS, help=f"at once ({PROJECTS})")
    parser.add_argument("--first", type=int, default=1, help="the number of the first round")
    parser.add_argument("--seed", type=int, default=1, help="what goes wrong follows from it")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no round after so many")
    parser.add_argument("--only", default="", help="troubles alone whose name contains this", metavar="TEXT")
    parser.add_argument("--record", type=Path, help="a file that gets one JSON line for each round")
    arguments = parser.parse_args()
    folder = clock.folder() or Path(tempfile.mkdtemp(prefix="soak-"))
    if clock.folder() is None:
        clock.begin_anew(folder)
    try:
        return _soak(arguments, folder, clocks=clock.folder() is not None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _soak(arguments: Any, folder: Path, *, clocks: bool) -> int:
    _stay_in(folder)
    programs.prepare()
    popen.begin()
    began, results = time.monotonic(), arguments.record or folder / "results"
    results.write_text("")
    account = Account.open(folder)
    keeper = Keeper(account)
    if not clocks:
        sys.stdout.write("No C compiler, or no Linux: the clock does not jump.\n")
    troubles = weights(arguments.only, clocks=clocks)
    projects = [
        Project(f"soak-{letter}", folder / f"project-{letter}", account, state, troubles)
        for letter, state, _ in zip("abcdefghij", cycle(STATES), range(arguments.projects), strict=False)
    ]
    workers = {
        process.fork(
            partial(_work, project, arguments, results), project.folder.with_name(f"{project.name}.log")
        ): project
        for project in projects
    }
    try:
        done, problems = _follow(workers, keeper, results)
        problems += [f"left in the account: {line}" for line in projects[0].stock_of_all()]
        problems += keeper.end()
    finally:
        keeper.abandon(workers)
    problems += report.unsteady(done)
    report.summarize(done, problems, time.monotonic() - began)
    return 1 if problems or any(each["problems"] for each in done) else 0


def _follow(workers: dict[int, Project], keeper: Keeper, results: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Tell of each round when it is done, until all are. Returns the rounds, and what was wrong besides."""
    done: list[dict[str, Any]] = []
    problems = []
    while workers:
        for pid, code in keeper.look():
            project = workers.pop(pid)
            log = project.folder.with_name(f"{project.name}.log.err")
            problems += [f"{project.name} broke off: {log.read_text()[-3000:]}"] if code else []
        for line in results.read_text().splitlines()[len(done) :]:
            done.append(json.loads(line))
            report.tell(done[-1])
        time.sleep(LOOK_SECONDS)
    return done, problems


def _stay_in(folder: Path) -> None:
    """Have all that is written outside of projects be written here, and deleted in the end."""
    # torch makes a folder of its own while it is imported, which the prepared process does.
    places = {"TMPDIR": "tmp", "HOME": "home", "TORCHINDUCTOR_CACHE_DIR": "torch", popen.RUN: "prepared"}
    for variable, name in places.items():
        (folder / name).mkdir()
        os.environ[variable] = str(folder / name)
    tempfile.tempdir = None


def _work(project: Project, arguments: Any, results: Path) -> None:
    """Do the rounds of a project, and write down what they were like."""
    until = time.monotonic() + 60 * arguments.minutes
    project.account.wait()
    for each in rounds(project, arguments.seed, arguments.first, arguments.first + arguments.rounds - 1):
        with results.open("a") as file:
            file.write(json.dumps(asdict(each)) + "\n")
        if time.monotonic() > until:
            break


if __name__ == "__main__":
    sys.exit(main())
