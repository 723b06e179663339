"""`python -m tests.cases FOLDER`: run every entry of its `cases.json` through the commands, and print a table."""

import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.cases.case import Outcome, Trial, cases_in


def main() -> int:
    """Returns 1 where a case is not right."""
    cases = list(cases_in(Path(sys.argv[1])))
    table = Table("file", "right?", "exit", "what was said", show_lines=True)
    bad = 0
    with tempfile.TemporaryDirectory(prefix="cases-") as folder:
        trial = Trial(Path(folder))
        try:
            for case in cases:
                outcome = trial.run(case)
                bad += bool(outcome.wrong)
                table.add_row(case.file.name, ", ".join(outcome.wrong) or "yes", str(outcome.exit), _said(outcome))
        finally:
            trial.end()
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print(f"{len(cases) - bad} of {len(cases)} are right")
    return int(bad > 0)


def _said(outcome: Outcome) -> str:
    document = outcome.document
    if isinstance(document, dict) and "error" in document:
        return f"{document['error']['message']}\n{document['error']['hint']}"
    if isinstance(document, dict) and "counted" in document:
        counted = [f"{entry['count']} {entry['what']}: {entry['example']}" for entry in document["counted"]]
        return "\n".join([f"{document['reviews']} reviews", *counted])
    return outcome.text[-400:]


sys.exit(main())
