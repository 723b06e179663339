"""Which values of a label column mean positive, which negative, and which are left out."""

import json
import operator
import re
import reprlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from sentictl.errors import DataError
from sentictl.reviews.read.command import DATA, ReadingCommand

if TYPE_CHECKING:
    from sentictl.config.settings import DataSettings

USUAL_SPELLINGS = {
    "1": 1, "positive": 1, "pos": 1, "true": 1,
    "0": 0, "-1": 0, "negative": 0, "neg": 0, "false": 0,
}  # fmt: skip
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
LIMIT = re.compile(r"(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)")
NUMBER = re.compile(r"(?![+-]?\d{1,3}(?:,\d{3})+$)([+-]?\d+(?:[.,]\d+)?)")  # 1,000 may be one thousand, or one
RATING = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:stars?|/\s*\d+)")  # "4 stars", "4.5/5"
OUT_OF = re.compile(r"\d+(?:[.,]\d+)?\s*/\s*(\d+)")
STARS = re.compile(r"([★⭐*]+)[☆✩\ufe0f]*")
LONGEST = 100  # characters: no label is longer
MOST_PROPOSED = 10  # values: where there are more, they are compared
PRAISE = {
    "positive",
    "pos",
    "yes",
    "good",
    "great",
    "excellent",
    "best",
    "like",
    "liked",
    "love",
    "fresh",
    "recommended",
}
BLAME = {"negative", "neg", "no", "not", "bad", "poor", "awful", "terrible", "worst", "dislike", "hate", "rotten"}
MISSING = ("nan", "null")  # what programs write for nothing


class Side(NamedTuple):
    """The label values that mean one thing.

    Attributes:
        spellings: those that are named.
        limits: comparisons with a number, one of which has to hold.
    """

    spellings: frozenset[str]
    limits: tuple[tuple[str, float], ...]

    def holds(self, spelling: str) -> bool:
        """Whether a value, in the spelling that `spelled` gives it, is one of these."""
        if spelling in self.spellings:
            return True
        number = _number(spelling) if self.limits else None
        return number is not None and any(COMPARISONS[sign](number, limit) for sign, limit in self.limits)


class LabelReader:
    """Turns the values of a label column into 1 (positive) and 0 (negative), without regard to case.

    Args:
        settings: `positive`, `negative` and `ignore` hold the values, with commas between them; comparisons such as
            `>=4` are of numbers and stars. A comparison alone leaves the rest to the other side. Where both are empty,
            the usual spellings are understood.
        command: what a hint says to run again.
        values: gives some of the values that there are, for a hint.

    Raises:
        DataError: only one side is named, or one value is on both.
    """

    def __init__(
        self, settings: "DataSettings", command: ReadingCommand = DATA, values: Callable[[], Iterable[object]] = tuple
    ) -> None:
        self._settings = settings
        self._command = command
        self._values = values
        self._positive, self._negative = _side(settings.positive), _side(settings.negative)
        self._ignore = _side(settings.ignore)
        self._usual = not settings.positive.strip() and not settings.negative.strip()
        self._seen: dict[str, int] = {}
        self._scale = ""  # that ratings are out of
        self._check()

    def read(self, value: object, where: str) -> int | None:
        """The label, 1 or 0, that a value means, or None for one that is ignored.

        Args:
            value: what stands in the label column: text, or a number or boolean.
            where: the line and file, for the error.

        Raises:
            DataError: the value is not on either side, a third spelling appears among the usual ones, or a rating is
                out of another number than those before it.
        """
        spelling = spelled(value)
        label = self._seen.get(spelling)
        if label is not None:
            return label
        self._check_scale(spelling, where)
        if self._ignore.holds(spelling):
            return None
        label = self._meaning(spelling, where)
        if label is None:
            raise self._unknown(value, spelling, where)
        if self._usual and len(self._seen) == 2:
            raise self._third(value, spelling, where)
        if len(self._seen) < LONGEST:  # numbers may be of many values
            self._seen[spelling] = label
        return label

    def is_label(self, value: object) -> bool:
        """Whether a value is one that `read` knows."""
        spelling = spelled(value)
        return self._ignore.holds(spelling) or self._meaning(spelling, "") is not None

    def _meaning(self, spelling: str, where: str) -> int | None:
        if self._usual:
            return USUAL_SPELLINGS.get(spelling)
        positive, negative = self._positive.holds(spelling), self._negative.holds(spelling)
        if positive and negative and where:
            raise DataError(f"{where}: the label {spelling} is on both sides.", "Let --positive and --negative differ.")
        if positive or negative:
            return int(positive)
        if _number(spelling) is None:
            return None
        if not self._settings.negative.strip():  # a comparison alone
            return 0
        return None if self._settings.positive.strip() else 1

    def _check_scale(self, spelling: str, where: str) -> None:
        rating = OUT_OF.fullmatch(spelling)
        scale = rating[1] if rating else ""
        if scale and self._scale and scale != self._scale:
            raise DataError(
                f"{where}: the rating {spelling} is out of {scale}, and others are out of {self._scale}.",
                "Bring them to one scale.",
            )
        self._scale = self._scale or scale

    def _check(self) -> None:
        settings = self._settings
        named, other = (settings.positive, "negative") if settings.positive.strip() else (settings.negative, "positive")
        if self._usual:
            return
        if not (settings.positive.strip() and settings.negative.strip()) and not _side(named).limits:
            others = sorted(set(map(spelled, self._values())) - _side(named).spellings - self._ignore.spellings)
            few = others[:MOST_PROPOSED] or ["VALUE"]
            again = self._command.again(settings, **{other: _listed(few)})
            raise DataError(f"The {other} labels are not named, only the others.", f"Name both: {again}")
        both = self._positive.spellings & self._negative.spellings
        if both:
            raise DataError(
                f"data.positive and data.negative both name {min(both)!r}.", "Let --positive and --negative differ."
            )

    def _unknown(self, value: object, spelling: str, where: str) -> DataError:
        if not self._usual:
            return self._third(value, spelling, where)
        known = "/".join(USUAL_SPELLINGS)
        shown = f"the label {reprlib.repr(value)} is none that is known by itself ({known})"
        if not isinstance(value, str | int | float) or len(spelling) > LONGEST:
            again = self._command.again(self._settings, label_column="NAME")
            return DataError(f"{where}: {shown}.", f"Name the column of the labels: {again}")
        if set(self._seen.values()) == {0, 1}:
            return self._third(value, spelling, where)
        values = {spelling, *self._seen, *map(spelled, self._values())}
        if len(values) > MOST_PROPOSED and any(_number(each) is None for each in values):
            again = self._command.again(self._settings, label_column="NAME")
            return DataError(
                f"{where}: {shown}, and there are {len(values)} of them where the model knows two.",
                f"Name the column of the labels: {again}",
            )
        again = self._command.again(self._settings, **_proposed(values))
        two = f", and there are {len(values)} of them where the model knows two" if len(values) > 2 else ""
        return DataError(f"{where}: {shown}{two}.", f"Say which values are which, such as: {again}")

    def _third(self, value: object, spelling: str, where: str) -> DataError:
        sides = {"positive": self._settings.positive, "negative": self._settings.negative}
        if self._usual:
            sides = {name: _listed(key for key, label in self._seen.items() if label == number)
                     for name, number in (("positive", 1), ("negative", 0))}  # fmt: skip
        others = " and ".join(side for side in sides.values() if side)
        ignored = ",".join(filter(None, (self._settings.ignore, _listed([spelling]))))
        named = {name: side for name, side in sides.items() if side}
        again = self._command.again(self._settings, **named, ignore=ignored)
        return DataError(
            f"{where}: {reprlib.repr(value)} is a third label, beside {others}; the model knows two, positive and "
            "negative.",
            f"Leave its reviews out: {again}",
        )


def _proposed(spellings: Iterable[str]) -> dict[str, str]:
    """Sides for some values: the larger numbers are positive; words go by what they hold, else by the alphabet."""
    values = [value for value in spellings if value]
    numbers = [number for number in map(_number, values) if number is not None]
    if len(values) > MOST_PROPOSED and len(numbers) == len(values):
        between = float(f"{(min(numbers) + max(numbers)) / 2:.2g}")
        return {"positive": f">={between:.12g}"}
    leaning = {value: _leaning(value) for value in values}
    if not numbers and {1, -1} <= set(leaning.values()):
        named = {
            side: _listed(sorted(value for value in values if leaning[value] == sign))
            for side, sign in (("positive", 1), ("negative", -1), ("ignore", 0))
        }
        return {side: listed for side, listed in named.items() if listed}
    ordered = sorted(values, key=lambda value: (_number(value) is None, _number(value) or 0, value))
    half = max(len(ordered) // 2, 1)
    negative, middle, positive = ordered[:half], ordered[half:-half], ordered[half:][-half:]
    sides = {"positive": _listed(positive) or "VALUE", "negative": _listed(negative)}
    return sides | ({"ignore": _listed(middle)} if middle else {})


def _leaning(value: str) -> int:
    """1 for a word that is usually praise, -1 for one that is usually blame, else 0."""
    words = set(re.findall(r"\w+", value))
    return bool(words & PRAISE) - bool(words & BLAME)


def spelled(value: object) -> str:
    """The spelling that values are compared by: JSON's 1, 1.0, true and CSV's "1", "1.0", " True " alike."""
    text = str(value).strip().casefold()
    if isinstance(value, bool) or not NUMBER.fullmatch(text) or len(text) > LONGEST:
        return text
    return f"{float(text.replace(',', '.')):.12g}"


def is_blank(value: object) -> bool:
    """Whether a label column holds nothing: no text, null, or not a number."""
    return value is None or spelled(value) in ("", *MISSING)


def _number(spelling: str) -> float | None:
    match = NUMBER.fullmatch(spelling) or RATING.fullmatch(spelling)
    if match:
        return float(match[1].replace(",", "."))
    stars = STARS.fullmatch(spelling)
    return float(len(stars[1])) if stars else None


def _side(text: str) -> Side:
    parts = [part.strip() for part in _parts(text)]
    limits = [match for match in map(LIMIT.fullmatch, parts) if match]
    spellings = frozenset(spelled(part) for part in parts if part and not LIMIT.fullmatch(part))
    return Side(spellings, tuple((match[1], float(match[2])) for match in limits))


def _parts(text: str) -> list[str]:
    """The values of a setting: with commas between them, or a JSON list where one of them has a comma itself."""
    if text.startswith("["):
        try:
            return [str(part) for part in json.loads(text)]
        except (ValueError, RecursionError):
            pass
    return text.split(",")


def _listed(values: Iterable[str]) -> str:
    """Values as a setting holds them."""
    listed = list(values)
    return json.dumps(listed, ensure_ascii=False) if any("," in value for value in listed) else ",".join(listed)
