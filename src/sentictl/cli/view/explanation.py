"""An explanation as a terminal shows it: the review in colors, and what counted most as signed figures."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from sentictl.cli.view.output import printable

MOST_SHOWN = 10
LEAST_SHOWN = 0.005  # a figure that would be rounded to 0.00 says nothing
# From the weakest to the strongest; each has its own ink, so that it can be read on any terminal's background.
SHADES = {
    +1: ("black on #d7f0d8", "black on #97d69b", "black on #4fb357", "white on #1b7a2b"),
    -1: ("black on #fadcd9", "black on #f3a9a3", "black on #e5695f", "white on #b3261e"),
}
NEUTRAL = 0.1  # of the strongest word's contribution: words below it stay plain


def show(verdict: str, text: str, explanation: dict[str, Any]) -> None:
    """Print on stdout what the model says of a review and why.

    Args:
        verdict: the line that says it.
        text: the review.
        explanation: as in an answer's `explanation`.
    """
    console = Console(highlight=False, soft_wrap=False)
    console.print(Text(verdict), soft_wrap=True)
    colored = console.color_system is not None and not console.no_color
    words, phrases = _strongest_words(explanation), _strongest_phrases(explanation)
    if colored:
        console.print(Padding(colored_review(text, explanation["words"]), (1, 2)))
    sections = {"phrases": phrases} if colored and phrases else {"words": words, "phrases": phrases}
    for heading, figures in sections.items():
        for line in _lines(heading, figures):
            console.print(Text(line), soft_wrap=True)
    if any(sections.values()):
        console.print()


def colored_review(text: str, words: list[dict[str, Any]]) -> Text:
    """The review with each word in the shade of its contribution: green for positive, red for negative."""
    shown = Text(printable(text))
    strongest = max((abs(word["contribution"]) for word in words), default=0)
    for word in words:
        share = abs(word["contribution"]) / strongest if strongest else 0
        if share >= NEUTRAL:
            shades = SHADES[1 if word["contribution"] > 0 else -1]
            shade = shades[min(int(share * len(shades)), len(shades) - 1)]
            shown.stylize(shade, word["start"], word["end"])
    return shown


def _strongest_words(explanation: dict[str, Any]) -> list[tuple[str, float]]:
    """The words that contributed most, all occurrences of a word together."""
    totals: defaultdict[str, float] = defaultdict(float)
    counts: defaultdict[str, int] = defaultdict(int)
    for word in explanation["words"]:
        totals[word["word"]] += word["contribution"]
        counts[word["word"]] += 1
    named = [(word if counts[word] == 1 else f"{word} ({counts[word]} times)", total) for word, total in totals.items()]
    return _strongest(named)


def _strongest_phrases(explanation: dict[str, Any]) -> list[tuple[str, float]]:
    return _strongest([(phrase["phrase"], phrase["contribution"]) for phrase in explanation["phrases"]])


def _strongest(named: list[tuple[str, float]]) -> list[tuple[str, float]]:
    ranked = sorted(named, key=lambda pair: -abs(pair[1]))[:MOST_SHOWN]
    return [(name, contribution) for name, contribution in ranked if abs(contribution) >= LEAST_SHOWN]


def _lines(heading: str, figures: list[tuple[str, float]]) -> Iterator[str]:
    for name, contribution in figures:
        yield f"  {heading:<8} {contribution:+6.2f}  {name}"
        heading = ""
