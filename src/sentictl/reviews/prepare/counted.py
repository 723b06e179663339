"""What a dataset holds that whoever made it may not expect: counted by kind, with an example of each."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import cast

from sentimodel.text import TextSettings

from sentictl.reviews.prepare.corpus import DUPLICATES, NO_TOKENS, Corpus
from sentictl.reviews.prepare.split_assignment import UNLABELLED, Part
from sentictl.reviews.prepare.tokenization import Chunk
from sentictl.reviews.read.source import ReportProgress, Source, SplitName

BOTH_LABELS = "text with both labels"
TWO_SPLITS = "text that stands in two splits"
TWO_SPLITS_FILM = "film that is in two splits"
EXAMPLE_WORDS = 12


class CountedCorpus(Corpus):
    """A corpus with an example of each kind of thing that was counted.

    Attributes:
        examples: by kind.
    """

    def __init__(self) -> None:
        super().__init__()
        self.examples: dict[str, str] = {}

    def excerpt(self, row: int) -> str:
        """The first words of a review."""
        tokens, _ = self.tokens([row])
        words = [self.words[token] for token in tokens[: EXAMPLE_WORDS + 1].tolist()]
        return " ".join(words[:EXAMPLE_WORDS]) + (" …" if len(words) > EXAMPLE_WORDS else "")

    def _add(self, chunk: Chunk, numbers: defaultdict[str, int]) -> None:
        if NO_TOKENS not in self.examples:
            wordless = (
                review.text for review, length in zip(chunk.reviews, chunk.tokens.lengths, strict=True) if not length
            )
            for text in wordless:
                self.examples[NO_TOKENS] = repr(text[:40])
                break
        super()._add(chunk, numbers)


def read_counted(
    source: Source, settings: TextSettings, report: ReportProgress, processes: int | None
) -> CountedCorpus:
    """The corpus of a source, as `Corpus.read` reads it, with what was counted and examples of it."""
    corpus = cast(CountedCorpus, CountedCorpus.read(source, settings, report, processes))
    corpus.examples |= source.warnings.examples
    _note_equal_texts(corpus)
    corpus.warnings += Counter()  # takes out what was met no time
    return corpus


def note_overlaps(corpus: CountedCorpus, rows: Mapping[Part, Sequence[int]]) -> list[int]:
    """Count the texts and the films that stand in two splits.

    Args:
        corpus: the reviews; what is found is counted there.
        rows: the reviews of each split.

    Returns:
        which reviews of the test split are of a film of the training split, as positions in the split.
    """
    splits = {name: rows[name] for name in rows if name != UNLABELLED}
    _note_in_two(corpus, splits, TWO_SPLITS)
    _note_in_two(corpus, splits, TWO_SPLITS_FILM)
    trained = {corpus.members[row].film for row in rows["train"]} - {None}
    return [place for place, row in enumerate(rows["test"]) if corpus.members[row].film in trained]


def _note_equal_texts(corpus: CountedCorpus) -> None:
    first: dict[bytes, int] = {}
    contradicted: set[bytes] = set()
    for row, member in enumerate(corpus.members):
        if member.label is None:
            continue
        before = first.setdefault(member.content, row)
        if before != row:
            corpus.examples.setdefault(DUPLICATES, corpus.excerpt(row))
            if corpus.members[before].label != member.label:
                corpus.examples.setdefault(BOTH_LABELS, corpus.excerpt(row))
                contradicted.add(member.content)
    corpus.warnings[BOTH_LABELS] = len(contradicted)


def _note_in_two(corpus: CountedCorpus, splits: Mapping[SplitName, Sequence[int]], kind: str) -> None:
    """Count what stands in more than one split: texts, or films."""
    found: dict[object, SplitName] = {}
    twice: set[object] = set()
    for name, rows in splits.items():
        for row in rows:
            member = corpus.members[row]
            what: object = member.film if kind == TWO_SPLITS_FILM else member.content
            if what is None:
                continue
            if found.setdefault(what, name) != name:
                corpus.examples.setdefault(kind, member.film or "" if kind == TWO_SPLITS_FILM else corpus.excerpt(row))
                twice.add(what)
    if twice:
        corpus.warnings[kind] = len(twice)
