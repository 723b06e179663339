"""From a raw review to its tokens.

Every regular expression here takes time linear in the review's length, whatever the review holds.
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from typing import NamedTuple

# Function words, by what they do. They say what a review is about to English grammar, and next to nothing about
# whether it praises. Words of degree and contrast (very, too, only, but, however) do say something and are not here.
_ARTICLES_AND_DETERMINERS = "a an the this that these those some any each every either both other another such same own"
_PRONOUNS = """
    i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers
    herself it its itself they them their theirs themselves who whom whose which what one ones
"""
_AUXILIARY_VERBS = """
    am is are was were be been being have has had having do does did doing will would shall can could may might must
"""
_CONTRACTIONS = """
    i'm i've i'd i'll we're we've we'd we'll you're you've you'd you'll he's he'd he'll she's she'd she'll it's it'd
    it'll they're they've they'd they'll that's that'd that'll there's there'd who's who'd who'll what's here's let's
"""
_PREPOSITIONS = """
    of at by for with about into onto through during before after above below to from in on over under upon within
    between among around along across toward towards behind beside besides per via
"""
_CONJUNCTIONS_AND_ADVERBS = """
    and or if as because while until since when where then than there here also so how again once
"""

# Words that turn a sentence round. They are function words as well, and kept unless the settings say otherwise.
_NEGATIONS = """
    not no nor never none nobody nothing nowhere neither without cannot ain't aren't can't couldn't daren't didn't
    doesn't don't hadn't hasn't haven't isn't mayn't mightn't mustn't needn't oughtn't shan't shouldn't wasn't weren't
    won't wouldn't
"""

NEGATIONS = frozenset(_NEGATIONS.split())
STOP_WORDS = frozenset(
    " ".join(
        (
            _ARTICLES_AND_DETERMINERS,
            _PRONOUNS,
            _AUXILIARY_VERBS,
            _CONTRACTIONS,
            _PREPOSITIONS,
            _CONJUNCTIONS_AND_ADVERBS,
        )
    ).split()
)

# A tag ends at the next angle bracket of either kind: one "<" never looks past another, which keeps this linear.
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
# Digits are bounded: html.unescape refuses numbers of thousands of digits.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_APOSTROPHES = "\u2019\u2018\u02bc\uff07\u00b4`"

# Python's \w leaves out the combining marks that many scripts spell their vowels with, and the invisible joiners:
# accents, Hebrew, Arabic, the Indic blocks (without their full stops), Thai, Lao, Tibetan, Burmese, Khmer, joiners.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0966-\u0df3\u0e31-\u0e4e\u0eb1-\u0ecd\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3\u200c\u200d"
)
_LETTERS = rf"[^\W_]+(?:[{_MARKS}]+[^\W_]*)*"  # runs of letters and marks: several times as fast as one by one
_TOKEN = (
    r"[0-9]+(?:\.[0-9]+)?/[0-9]+"  # a rating: 7/10, 8.5/10
    rf"|{_LETTERS}(?:'{_LETTERS})*"  # a word: café, don't
    r"|(?<!!)!|(?<!\?)\?"  # the first of a run of exclamation or question marks
    "|[\u2600-\u27bf\U0001f300-\U0001faff]"  # an emoji
)
# The same rules for ASCII, where they can do without most of that.
_RATING = re.compile("[0-9]/[0-9]")
_LOOSE_APOSTROPHE = re.compile("'(?:(?![a-zA-Z0-9])|(?<![a-zA-Z0-9]'))")
_SEPARATORS = {code: " " for code in range(128) if not chr(code).isalnum() and chr(code) not in "'!?"}
# Composing accents takes time quadratic in the number of marks on one letter, so only tokens of a word's length are.
_LONGEST_COMPOSED = 64


class Located(NamedTuple):
    """A token and where it stands: the review's characters `start` to `end` (excluded), counted in code points."""

    token: str
    start: int
    end: int


@dataclass(frozen=True)
class TextSettings:
    """How a review becomes tokens, and tokens become vocabulary entries.

    Attributes:
        strip_html: replace tags by a space and entities by their characters.
        lowercase: compare words without regard to case.
        remove_stop_words: drop `STOP_WORDS`.
        keep_negations: keep `NEGATIONS` even so; false drops them with the stop words.
        stem: let words of one Porter stem share a vocabulary id (used when a vocabulary is built).
    """

    strip_html: bool = True
    lowercase: bool = True
    remove_stop_words: bool = False
    keep_negations: bool = True
    stem: bool = False

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "TextSettings":
        """The settings that `to_dict` gave; every key must be there. Raises ValueError for anything else."""
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            wrong = ", ".join(sorted(names.symmetric_difference(values)))
            raise ValueError(
                f"text settings must have the keys {', '.join(sorted(names))}; missing or unknown: {wrong}"
            )
        wrong = ", ".join(f"{name}={value!r}" for name, value in values.items() if not isinstance(value, bool))
        if wrong:
            raise ValueError(f"text settings must be true or false: {wrong}")
        return cls(**{name: bool(value) for name, value in values.items()})

    def to_dict(self) -> dict[str, bool]:
        """The settings as JSON can hold them."""
        return asdict(self)


def tokenize(text: str, settings: TextSettings) -> list[str]:
    """The tokens of a review in order: words of any script, ratings such as 7/10, emoji, and the marks "!" and "?".

    A contraction is one token, whichever apostrophe it is written with. A run of one mark is one token: "!!!" is "!",
    and "?!" is "?" and "!". Tokens hold no white space.
    """
    tokens = _tokens(_cleaned(text, settings))
    if not settings.remove_stop_words:
        return tokens
    dropped = STOP_WORDS if settings.keep_negations else STOP_WORDS | NEGATIONS
    if settings.lowercase:
        return [token for token in tokens if token not in dropped]
    return [token for token in tokens if token.lower() not in dropped]


def locate(text: str, settings: TextSettings) -> list[Located]:
    """The tokens that `tokenize` gives, each with its place in the review as it was given, tags and entities included.

    A token that an entity or a combining accent contributes to spans all of it: `caf&eacute;` has the place of "café".
    """
    spans = _spans(text, settings)
    found = []
    for match in _token().finditer(_cleaned(text, settings)):
        token = match[0] if match[0].isascii() else _compose(match[0])
        found.append(Located(token, spans[match.start()][0], spans[match.end() - 1][1]))
    if not settings.remove_stop_words:
        return found
    dropped = STOP_WORDS if settings.keep_negations else STOP_WORDS | NEGATIONS
    return [each for each in found if (each.token if settings.lowercase else each.token.lower()) not in dropped]


def _spans(text: str, settings: TextSettings) -> list[tuple[int, int]]:
    """For each character of `_cleaned`, which characters of the review it was made of."""
    spans = [(place, place + 1) for place in range(len(text))]
    if settings.strip_html:
        spans = _respanned(spans, ((tag.span(), 1) for tag in _TAG.finditer(text)))
        text = _TAG.sub(" ", text)
        spans = _respanned(spans, ((entity.span(), len(_unescape(entity))) for entity in _ENTITY.finditer(text)))
        text = _ENTITY.sub(_unescape, text)
    if settings.lowercase and len(text.lower()) != len(text):  # a capital dotted I becomes an i and a dot
        spans = [span for character, span in zip(text, spans, strict=True) for _ in character.lower()]
    return spans


def _respanned(
    spans: Sequence[tuple[int, int]], replaced: Iterable[tuple[tuple[int, int], int]]
) -> list[tuple[int, int]]:
    """The spans after stretches of the text were replaced: each stretch, and how many characters took its place."""
    result: list[tuple[int, int]] = []
    last = 0
    for (start, end), length in replaced:
        result += spans[last:start]
        result += [(spans[start][0], spans[end - 1][1])] * length
        last = end
    result += spans[last:]
    return result


def _cleaned(text: str, settings: TextSettings) -> str:
    """The text that `_TOKEN` is looked for in."""
    if settings.strip_html:
        text = _ENTITY.sub(_unescape, _TAG.sub(" ", text))
    if not text.isascii() or "`" in text:
        for apostrophe in _APOSTROPHES:
            text = text.replace(apostrophe, "'")
    return text.lower() if settings.lowercase else text


def _tokens(text: str) -> list[str]:
    if not text.isascii():
        return _tokens_of_any_script(text)
    if "/" in text and _RATING.search(text):
        return _token().findall(text)
    return _split(text)


def _tokens_of_any_script(text: str) -> list[str]:
    """The tokens, by stretches of words that are ASCII and others: no rule looks across a space."""
    tokens: list[str] = []
    for is_ascii, words in groupby(text.split(" "), str.isascii):
        stretch = " ".join(words)
        tokens += _tokens(stretch) if is_ascii else map(_compose, _token().findall(stretch))
    return tokens


def _split(text: str) -> list[str]:
    """The tokens that `_TOKEN` finds in an ASCII text without a rating, in a third of the time."""
    for mark in "!?":
        while mark * 2 in text:  # halves every run of it
            text = text.replace(mark * 2, mark)
        text = text.replace(mark, f" {mark} ")
    return _LOOSE_APOSTROPHE.sub(" ", text).translate(_SEPARATORS).split()


@functools.cache
def _token() -> re.Pattern[str]:
    return re.compile(_TOKEN)  # takes longer than to split a review in ASCII, which does without


def _unescape(entity: re.Match[str]) -> str:
    import html  # its table of entities takes as long to import as a short review to predict

    return html.unescape(entity[0])


def _compose(token: str) -> str:
    import unicodedata

    return token if len(token) > _LONGEST_COMPOSED else unicodedata.normalize("NFC", token)
