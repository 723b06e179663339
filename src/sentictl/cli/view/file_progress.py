"""How far a file of reviews has been answered: a bar on stderr, on a terminal only."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SECONDS_BETWEEN = 0.1  # a bar that moves with each of thousands of reviews would take longer than the reviews

Advance = Callable[[int], None]


@contextlib.contextmanager
def reading(file: Path | None, *, hidden: bool) -> Iterator[Advance]:
    """A bar for as long as the block runs.

    Args:
        file: what is read, for its size; None for a stream, whose end is not known.
        hidden: show nothing.

    Yields:
        Is told, after each answer, how many bytes of the file had been read.
    """
    if hidden or not sys.stderr.isatty():
        yield _advance_nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.fields[reviews]:,} reviews"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=file.stat().st_size if file else None, reviews=0)
        shown = reviews = 0.0

        def advance(position: int) -> None:
            nonlocal shown, reviews
            reviews += 1
            if time.monotonic() - shown > SECONDS_BETWEEN:
                shown = time.monotonic()
                bar.update(task, completed=position if file else None, reviews=int(reviews))

        yield advance


def _advance_nothing(position: int) -> None:
    """There is no bar to move."""
