"""From a raw review to its tokens.

Every regular expression here takes time linear in the review's length, whatever the review holds.
"""

import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

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
_TOKEN = re.compile(
    r"[0-9]+(?:\.[0-9]+)?/[0-9]+"  # a rating: 7/10, 8.5/10
    rf"|[^\W_](?:[^\W_]|[{_MARKS}])*(?:'[^\W_](?:[^\W_]|[{_MARKS}])*)*"  # a word: café, don't
    "|[\u2600-\u27bf\U0001f300-\U0001faff]"  # an emoji
)
# Composing accents takes time quadratic in the number of marks on one letter, so only tokens of a word's length are.
_LONGEST_COMPOSED = 64


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
    remove_stop_words: bool = True
    keep_negations: bool = True
    stem: bool = True

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
    """The tokens of a review in order: words of any script, ratings such as 7/10, and emoji.

    A contraction is one token, whichever apostrophe it is written with. Tokens hold no white space.
    """
    if settings.strip_html:
        text = _ENTITY.sub(_unescape, _TAG.sub(" ", text))
    if not text.isascii() or "`" in text:
        for apostrophe in _APOSTROPHES:
            text = text.replace(apostrophe, "'")
    if settings.lowercase:
        text = text.lower()
    tokens = _TOKEN.findall(text)
    if not text.isascii():
        tokens = [_compose(token) for token in tokens]
    if not settings.remove_stop_words:
        return tokens
    dropped = STOP_WORDS if settings.keep_negations else STOP_WORDS | NEGATIONS
    if settings.lowercase:
        return [token for token in tokens if token not in dropped]
    return [token for token in tokens if token.lower() not in dropped]


def _unescape(entity: re.Match[str]) -> str:
    return html.unescape(entity[0])


def _compose(token: str) -> str:
    return token if token.isascii() or len(token) > _LONGEST_COMPOSED else unicodedata.normalize("NFC", token)
