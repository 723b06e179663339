"""CloudWatch Logs' filter patterns: words, quoted texts, alternatives, exclusions, and comparisons of JSON fields.

The syntax is that of "Filter pattern syntax for metric filters, subscription filters, filter log events" in the user
guide: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html. Expressions between %,
fields parted by spaces, parentheses and the tests IS and EXISTS are not known here.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

WORD = re.compile(r'(?P<sign>[?-]?)(?:"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<plain>[^\s"?-][^\s"]*))(?:\s+|$)')
COMPARISON = re.compile(
    r'\s*\$\.(?P<path>[\w.]+)\s*(?P<operator>>=|<=|!=|=|>|<)\s*(?:"(?P<quoted>[^"]*)"|(?P<plain>[\w.*+-]+))\s*'
    r"(?P<then>&&|\|\||)"
)
ORDER: Mapping[str, Callable[[float, float], bool]] = {
    ">": lambda found, wanted: found > wanted,
    ">=": lambda found, wanted: found >= wanted,
    "<": lambda found, wanted: found < wanted,
    "<=": lambda found, wanted: found <= wanted,
}
Matches = Callable[[str], bool]


class PatternError(ValueError):
    """The pattern is none, or none that is known here."""


def compiled(pattern: str) -> Matches:
    """Return what tells whether a line matches a pattern.

    Raises:
        PatternError: it is not known here.
    """
    text = pattern.strip()
    if text.startswith("{") and text.endswith("}"):
        return _fields(text[1:-1])
    if text.startswith(("[", "%")):
        raise PatternError(f"the local twin does not know the filter pattern {pattern}")
    return _words(text)


def _words(text: str) -> Matches:
    found, end = [], 0
    while end < len(text):
        word = WORD.match(text, end)
        if word is None:
            raise PatternError(f"Invalid character(s) in term '{text}'")
        written = word["plain"] if word["quoted"] is None else re.sub(r"\\(.)", r"\1", word["quoted"])
        found.append((word["sign"], written))
        end = word.end()
    needed, unwanted, either = ([term for sign, term in found if sign == each] for each in ("", "-", "?"))
    # Alternatives beside other words count for nothing.
    either = [] if needed or unwanted else either
    return lambda line: (
        all(term in line for term in needed)
        and not any(term in line for term in unwanted)
        and (not either or any(term in line for term in either))
    )


def _fields(text: str) -> Matches:
    """`&&` binds more tightly than `||`."""
    ways: list[list[Callable[[Any], bool]]] = [[]]
    end = 0
    while found := COMPARISON.match(text, end):
        ways[-1].append(_comparison(found))
        if found["then"] == "||":
            ways.append([])
        end = found.end()
        if not found["then"]:
            break
    if end != len(text) or not ways[-1]:
        raise PatternError(f"the local twin does not know the comparison {text.strip()}")

    def matches(line: str) -> bool:
        try:
            event = json.loads(line)
        except ValueError:
            return False
        return any(all(holds(event) for holds in way) for way in ways)

    return matches


def _comparison(found: re.Match[str]) -> Callable[[Any], bool]:
    path, operator = found["path"].split("."), found["operator"]
    if operator in ORDER:
        return _in_order(path, ORDER[operator], found["plain"] or "")
    wanted = found["plain"] if found["quoted"] is None else found["quoted"]
    equal = re.compile(".*".join(map(re.escape, wanted.split("*"))), re.DOTALL)

    def holds(event: Any) -> bool:
        value = _at(event, path)
        return value is not None and bool(equal.fullmatch(_written(value))) is (operator == "=")

    return holds


def _in_order(path: list[str], compare: Callable[[float, float], bool], number: str) -> Callable[[Any], bool]:
    try:
        wanted = float(number)
    except ValueError:
        raise PatternError(f"Invalid number '{number}'") from None

    def holds(event: Any) -> bool:
        value = _at(event, path)
        return isinstance(value, int | float) and not isinstance(value, bool) and compare(value, wanted)

    return holds


def _at(event: Any, path: list[str]) -> Any:
    for name in path:
        event = event.get(name) if isinstance(event, dict) else None
    return event


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
