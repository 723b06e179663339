"""The vocabulary: which id each surface word has.

Words that share a Porter stem share an id, and the vocabulary lists the words themselves. Stemming is thus done once,
when the vocabulary is built; encoding a review later is one dictionary lookup a token and needs no stemmer.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from pathlib import Path

from sentimodel.files import write_whole
from sentimodel.text import TextSettings

PAD = 0
UNK = 1
UNKNOWN_WORD = "…"
_RESERVED = ("<pad>", "<unk>")  # no token holds an angle bracket, so these cannot be words


class VocabularyError(ValueError):
    """A vocabulary file is not one, or is damaged."""


class Vocabulary:
    """Maps surface words to ids: `PAD` and `UNK` first, then by how often an id's words occur, most often first.

    Args:
        groups: the surface words of each id from 2 on, separated by spaces; no word twice.
    """

    def __init__(self, groups: Sequence[str]) -> None:
        self._size = len(groups) + len(_RESERVED)
        self._ids = dict(zip(groups, range(len(_RESERVED), self._size), strict=True))
        several = {words: number for words, number in self._ids.items() if " " in words}
        for words, number in several.items():
            del self._ids[words]
            self._ids.update(dict.fromkeys(words.split(" "), number))
        if len(self._ids) != len(groups) + sum(words.count(" ") for words in several):
            raise VocabularyError("a word stands in the vocabulary twice")

    @classmethod
    def build(cls, counts: Mapping[str, int], size: int, settings: TextSettings) -> "Vocabulary":
        """The vocabulary of the `size` - 2 most frequent stems (or words, without `settings.stem`).

        Args:
            counts: how often each token of `text.tokenize` occurs in the training reviews.
            size: the largest number of ids, the two reserved ones included; at least 3.
        """
        if size <= len(_RESERVED):
            raise ValueError(f"a vocabulary needs room for more than {len(_RESERVED)} ids, not {size}")
        words = sorted(sorted(counts), key=counts.__getitem__, reverse=True)
        if not settings.stem:
            return cls(words[: size - len(_RESERVED)])
        stem = _stemmer(settings)
        groups: defaultdict[str, list[str]] = defaultdict(list)
        totals: defaultdict[str, int] = defaultdict(int)
        for word in words:
            key = stem(word)
            groups[key].append(word)
            totals[key] += counts[word]
        ranked = sorted(sorted(groups), key=totals.__getitem__, reverse=True)
        return cls([" ".join(groups[key]) for key in ranked[: size - len(_RESERVED)]])

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read what `save` wrote. Raises VocabularyError, naming the file, if it is damaged; OSError if unreadable."""
        try:
            lines = path.read_bytes().decode().split("\n")
        except UnicodeDecodeError as error:
            raise VocabularyError(f"{path}: not a vocabulary: not UTF-8 ({error.reason})") from error
        if tuple(lines[:2]) != _RESERVED:
            raise VocabularyError(f"{path}: not a vocabulary: its first two lines must be <pad> and <unk>")
        if lines[-1] != "":
            raise VocabularyError(f"{path}: the vocabulary is cut off: its last line has no end")
        groups = lines[2:-1]
        try:
            vocabulary = cls(groups)
        except VocabularyError as error:
            raise VocabularyError(f"{path}: {error}") from error
        if "" in vocabulary:
            raise VocabularyError(f"{path}: line {_first_blank(groups)} of the vocabulary holds an empty word")
        return vocabulary

    def save(self, path: Path) -> None:
        """Write a text file with one id a line: its surface words, separated by spaces, most frequent first."""
        lines: list[list[str]] = [[word] for word in _RESERVED] + [[] for _ in range(self._size - len(_RESERVED))]
        for word, number in self._ids.items():
            lines[number].append(word)
        text = "".join(" ".join(words) + "\n" for words in lines)
        write_whole(path, text.encode())

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The id of each token; `UNK` for a token that no training review held often enough."""
        return list(map(self._ids.get, tokens, repeat(UNK)))

    def words(self, ids: Iterable[int]) -> list[str]:
        """The most frequent surface word of each id; `UNKNOWN_WORD` where an id has none."""
        words: dict[int, str] = {}
        for word, number in self._ids.items():
            words.setdefault(number, word)
        return [words.get(number, UNKNOWN_WORD) for number in ids]

    def __len__(self) -> int:
        """The number of ids, the two reserved ones included."""
        return self._size

    def __contains__(self, token: object) -> bool:
        return token in self._ids


def _stemmer(settings: TextSettings) -> Callable[[str], str]:
    from nltk.stem import PorterStemmer  # two seconds to import, and only needed here

    porter = PorterStemmer()

    def stem(word: str) -> str:
        return str(porter.stem(word.removesuffix("'s"), to_lowercase=settings.lowercase))

    return stem


def _first_blank(groups: Sequence[str]) -> int:
    return next(number for number, words in enumerate(groups, start=3) if "" in words.split(" "))
