"""How long `--help` takes to appear, beside the other tools' that put code or models on AWS.

Each tool is installed from the package index into an environment of its own, the sources of this checkout too, and
all run in turn, round after round, so that a busy machine slows them alike. What cannot be installed is said, and
left out. A first call of each, in which Python reads what it then keeps, is not counted.

    python benchmarks/start.py
    python benchmarks/start.py --only sentictl,chalice --runs 30
    python benchmarks/start.py --environments FOLDER    # kept, for the next time
"""

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from measure import Cost, measured, medians

OURS = "sentictl"
CHECKOUT = Path(__file__).resolve().parents[1]
BARE = "python -c pass"

# Nobody is told of these calls.
os.environ |= {"SAM_CLI_TELEMETRY": "0", "BENTOML_DO_NOT_TRACK": "True"}


class Tool(NamedTuple):
    """A command line tool: what is called, and what is installed for it."""

    program: str
    requirements: tuple[str, ...]


TOOLS = {
    OURS: Tool("sentictl", (str(CHECKOUT),)),
    "chalice": Tool("chalice", ("chalice",)),
    "sam": Tool("sam", ("aws-sam-cli",)),
    "sagify": Tool("sagify", ("sagify",)),
    # It asks for any BentoML, and starts with those alone that brought `fs` along, which needs an old setuptools.
    "bentoctl": Tool("bentoctl", ("bentoctl", "bentoml<1.2", "setuptools<81")),
}


def main() -> None:
    """Install, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(TOOLS), help=f"some of {','.join(TOOLS)}")
    parser.add_argument("--runs", type=int, default=20, help="how often each is called; the median counts")
    parser.add_argument("--environments", type=Path, help="a folder that keeps them, as they were first made")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if unknown := [name for name in names if name not in TOOLS]:
        parser.error(f"there is no tool {unknown[0]!r}: choose from {', '.join(TOOLS)}")
    with folder_for(arguments.environments) as folder:
        commands = {BARE: [sys.executable, "-c", "pass"], **dict(installed(names, folder))}
        show(in_turn(commands, arguments.runs))


@contextmanager
def folder_for(chosen: Path | None) -> Iterator[Path]:
    """The folder that was chosen, or one that is deleted afterwards."""
    if chosen:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen.resolve()
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)


def installed(names: Sequence[str], folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Each tool that can be installed, with the command that shows its help."""
    for name in names:
        tool = TOOLS[name]
        program = folder / name / "bin" / tool.program
        if not program.exists() and (problem := install(tool, folder / name)):
            print(f"{name} cannot be installed: {problem}", file=sys.stderr)
            continue
        command = [str(program), "--help"]
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            print(f"{name} shows no help: run {program} --help", file=sys.stderr)
            continue
        yield f"{name} --help", command


def install(tool: Tool, folder: Path) -> str:
    """Install a tool into an environment of its own; returns why that failed, if it did."""
    venv.create(folder, clear=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
    done = subprocess.run([*pip, "install", *tool.requirements], capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def in_turn(commands: dict[str, list[str]], runs: int) -> dict[str, list[Cost]]:
    """What each command took, in each round."""
    rounds = [{name: measured(command, CHECKOUT) for name, command in commands.items()} for _ in range(runs)]
    return {name: [costs[name] for costs in rounds] for name in commands}


def show(costs: dict[str, list[Cost]]) -> None:
    """A table of medians, and how many times ours each is."""
    middle = {name: medians(taken) for name, taken in costs.items()}
    ours = middle.get(f"{OURS} --help")
    print(
        "| command | seconds | best | of computing | seconds, to ours | computing, to ours |\n|---|---|---|---|---|---|"
    )
    for name, cost in middle.items():
        ratios = [cost.seconds / ours.seconds, cost.cpu_seconds / ours.cpu_seconds] if ours else []
        cells = [f"`{name}`", f"{cost.seconds:.3f}", f"{min(costs[name]).seconds:.3f}", f"{cost.cpu_seconds:.3f}"]
        print("|", " | ".join([*cells, *(f"{ratio:.2f}" for ratio in ratios)]), "|")


if __name__ == "__main__":
    main()
