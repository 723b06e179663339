"""Mutation testing: `python -m tests.mutation` (or `make mutation`).

Draws mutants of each package, which mutmut's operators make, runs the tests that run the mutant's line in a copy of
the repository, and counts the mutants that a test notices. Not all tests are asked (see `PACKAGES` and `covering`), so
that some of the survivors would be noticed by the whole suite.
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.mutation.checkout import ROOT, Checkout, prepare
from tests.mutation.covering import Covering, measure
from tests.mutation.mutants import Mutant, MutatedFile, sample
from tests.mutation.trial import Outcome, try_mutant


@dataclass(frozen=True)
class Package:
    """What is mutated together.

    Attributes:
        files: a pattern, from the repository's root.
        folder: of the tests that mirror it.
        others: further tests that know it.
        left_out: the names of files that tests run in processes of their own, where nobody sees which lines they run.
    """

    files: str
    folder: str
    others: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """Its files, from the repository's root."""
        return sorted(path.relative_to(ROOT) for path in ROOT.glob(self.files) if path.name not in self.left_out)


PACKAGES = {
    "lifecycle": Package("src/sentictl/lifecycle/*.py", "tests/lifecycle", ("tests/services/test_chain.py",)),
    "config": Package("src/sentictl/config/**/*.py", "tests/config", ("tests/aws", "tests/docs/test_reference.py")),
    "sentimodel": Package(
        "model_code/sentimodel/*.py",
        "tests/model_code",
        ("tests/reviews/prepare",),
        left_out=("distributed.py", "process_group.py"),
    ),
    "handler": Package("templates/lambda/handler.py", "tests/templates"),
}


def main() -> int:
    """Try the mutants that the command line asks for. Returns 1 where fewer than `--floor` percent are killed."""
    arguments = _arguments()
    prepare()
    console = Console(stderr=arguments.json)
    outcomes = {name: _try_package(name, arguments, console) for name in arguments.package or PACKAGES}
    if arguments.json:
        sys.stdout.write(json.dumps({name: [_document(one) for one in found] for name, found in outcomes.items()}))
    else:
        console.print(_table(outcomes))
    killed = [sum(not one.survived for one in found) / len(found) for found in outcomes.values() if found]
    return int(min(killed, default=1.0) < arguments.floor / 100)


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("package", nargs="*", choices=[*PACKAGES, []], help="these packages alone")
    parser.add_argument("--sample", type=int, default=100, help="so many mutants of each package", metavar="N")
    parser.add_argument("--seed", type=int, default=1, help="of the drawing")
    parser.add_argument("--mutant", action="append", default=[], help="these alone, as a survivor is named")
    parser.add_argument("--floor", type=float, default=90, help="percent that have to be killed", metavar="PERCENT")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes at a time")
    parser.add_argument("--json", action="store_true", help="answer with one JSON document")
    return parser.parse_args()


def _try_package(name: str, arguments: Any, console: Console) -> list[Outcome]:
    package = PACKAGES[name]
    files = [MutatedFile(ROOT, path) for path in package.paths]
    mutants = _named(files, arguments.mutant) if arguments.mutant else sample(files, arguments.sample, arguments.seed)
    with tempfile.TemporaryDirectory(prefix="mutation-", ignore_cleanup_errors=True) as root:
        console.print(f"{name}: which tests run which lines …")
        covering = measure(Checkout(Path(root) / "all"), package.paths, [package.folder, *package.others])
        console.print(f"{name}: {len(covering.fixtures)} tests; {sum(map(len, files))} mutants, {len(mutants)} tried")
        work = partial(_try, Path(root), covering, package.folder)
        outcomes = []
        # Workers that fork have to be without threads, and so are a pool's.
        with get_context("fork").Pool(arguments.workers) as pool:
            for outcome in track(pool.imap_unordered(work, mutants), name, total=len(mutants), console=console):
                outcomes.append(outcome)
                if outcome.survived:
                    _show(console, outcome)
    return outcomes


def _named(files: list[MutatedFile], names: list[str]) -> list[Mutant]:
    return [mutant for file in files for mutant in file if mutant.name in names]


class _Own:
    checkout: Checkout | None = None


def _try(root: Path, covering: Covering, folder: str, mutant: Mutant) -> Outcome:
    if _Own.checkout is None:
        _Own.checkout = Checkout(root / str(os.getpid()))
    return try_mutant(_Own.checkout, covering, folder, mutant)


def _show(console: Console, outcome: Outcome) -> None:
    mutant = outcome.mutant
    lines = [f"{mutant.name} (line {mutant.line}, {outcome.tests} tests): {outcome.verdict}", *mutant.difference]
    console.print("\n    ".join(lines), markup=False, highlight=False, soft_wrap=True)


def _document(outcome: Outcome) -> dict[str, Any]:
    mutant = outcome.mutant
    about = {"mutant": mutant.name, "line": mutant.line, "difference": mutant.difference}
    return {**about, "tests": outcome.tests, "verdict": outcome.verdict}


def _table(outcomes: dict[str, list[Outcome]]) -> Table:
    from sentictl.services.evaluate.metrics import wilson_interval  # imports numpy, which `prepare` does in its way

    table = Table("package", "mutants", "killed", "%", "95 % interval")
    for name, found in outcomes.items():
        killed = sum(not outcome.survived for outcome in found)
        low, high = wilson_interval(killed, len(found))
        table.add_row(name, str(len(found)), str(killed), f"{killed / len(found):.1%}", f"{low:.1%} to {high:.1%}")
    return table


if __name__ == "__main__":
    sys.exit(main())
