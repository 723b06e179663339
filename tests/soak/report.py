"""What a soak says: a line for each round, and tables in the end, in Markdown."""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from tests.soak.troubles import WEIGHTS

MEGABYTE = 1 << 20
STEADY = 0.1  # by how much a twin's memory may change in a life
WARM_ROUNDS = 3  # of a life, before its memory is judged
LONG_LIFE = 12  # rounds of a life from which its memory is judged


def tell(done: dict[str, Any]) -> None:
    """Say what a round was like, with what repeats it where something was wrong."""
    twin, wrong = done["twin"], [step["trouble"] for step in done["steps"] if step["what"]]
    _say(
        f"{done['project']} {done['number']:>4} {done['serving']:<10} {done['weather']:<5} {done['seconds']:6.1f} s  "
        f"{done['answered']} answered, {done['met']} met; twin {twin['own'] / MEGABYTE:.1f} MB; {'; '.join(wrong)}"
    )
    for problem in done["problems"]:
        _say(f"  PROBLEM (--seed {done['seed']} --first {done['number']} --rounds 1): {problem}")
    if done["problems"]:
        for step in done["steps"]:
            _say(f"    {step}")


def summarize(done: Sequence[dict[str, Any]], problems: Iterable[str], seconds: float) -> None:
    """Print the tables."""
    rows = [each for each in done if each["number"] > 0]
    failed = sum(bool(each["problems"]) for each in rows)
    _say(
        f"\n{len(rows)} rounds, {failed} of them with something wrong; {sum(each['answered'] for each in done)} "
        f"requests answered rightly, {sum(each['met'] for each in done)} met by a kill; {seconds / 60:.0f} minutes"
    )
    _say("\n| what goes wrong | runs | done all the same | done when run again |\n|---|---|---|---|")
    runs: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    for each in rows:
        for step in each["steps"]:
            if step["what"]:
                runs[step["what"]][step["code"] in (0, 3)] += 1
    for what in WEIGHTS:
        _say(f"| {what} | {runs[what].total()} | {runs[what][True]} | {runs[what][False]} |")
    _say("\n| life of the twin | rounds | own memory, first third, MB | last third | resident at its end | journal |")
    _say("|---|---|---|---|---|---|")
    for life, sizes in enumerate(lives(done), 1):
        if len(sizes) < LONG_LIFE:
            continue
        first, last = thirds(sizes)
        _say(
            f"| {life} | {len(sizes)} | {first:.1f} | {last:.1f} ({last / first - 1:+.0%}) | "
            f"{sizes[-1]['resident'] / MEGABYTE:.0f} | {sizes[-1]['journal'] / MEGABYTE:.1f} |"
        )
    for problem in problems:
        _say(f"PROBLEM: {problem}")


def unsteady(done: Sequence[dict[str, Any]]) -> list[str]:
    """What is wrong with the memory of the twin in its long lives."""
    long = (thirds(sizes) for sizes in lives(done) if len(sizes) >= LONG_LIFE)
    return [
        f"the twin's memory went from {first:.1f} to {last:.1f} MB"
        for first, last in long
        if abs(last / first - 1) > STEADY
    ]


def lives(done: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The twin's sizes after each round, for each of its lives."""
    found: dict[int, list[dict[str, Any]]] = {}
    for each in done:
        found.setdefault(each["twin"]["pid"], []).append(each["twin"])
    return list(found.values())


def thirds(sizes: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """The medians of the memory in the first and in the last third of a life that is warm, in MB."""
    warm = [size["own"] / MEGABYTE for size in sizes[WARM_ROUNDS:]]
    third = max(1, len(warm) // 3)
    return median(warm[:third]), median(warm[-third:])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
