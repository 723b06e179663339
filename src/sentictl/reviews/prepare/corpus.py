"""All reviews of a source as numbers. Tokens and words are on disk: in memory is what the splits depend on."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sentimodel.text import TextSettings
from sentimodel.vocabulary import UNK, Vocabulary

from sentictl.reviews.prepare.encoding import save_shard
from sentictl.reviews.prepare.lexicons import Lexicons
from sentictl.reviews.prepare.manifest import file_facts
from sentictl.reviews.prepare.spilled import Extent, Spilled
from sentictl.reviews.prepare.split_assignment import NONE, SPLITS, Members
from sentictl.reviews.prepare.tokenization import CONTENT_BYTES, Chunk, tokenized
from sentictl.reviews.prepare.tokenized_reviews import SavedShard, Shard
from sentictl.reviews.read.source import ReportProgress, Review, Source

NO_TOKENS = "review without tokens skipped"
REVIEWS_A_REPORT = 250
TOKEN_BYTES = 4
ROWS = 2048  # whose tokens are in memory at a time: some 2 MB
EXAMPLE_WORDS = 12


class Corpus:
    """The tokenized reviews of a source; a token is the number of its surface word in `lexicons`.

    As a context it closes what it keeps on disk.

    Args:
        folder: says on which disk.

    Attributes:
        members: what is known of each review that has tokens, once they have been read.
        lexicons: the surface words.
        warnings: the source's counted faults, and those found here.
        examples: one of each kind, where there is one.
    """

    members: Members

    def __init__(self, folder: Path) -> None:
        self.warnings: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self._open = ExitStack()
        self.lexicons = self._open.enter_context(closing(Lexicons(folder)))
        self._tokens = self._open.enter_context(closing(Spilled(folder)))
        self._films = self._open.enter_context(closing(Spilled(folder)))
        self._film_extents: list[Extent] = []
        self._contents = bytearray()
        self._labels, self._splits = array("b"), array("b")
        self._ends, self._positions = array("q", [0]), array("H")

    def __enter__(self) -> Self:
        """The corpus itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._open.close()

    def read(
        self, source: Source, settings: TextSettings, report: ReportProgress, processes: int | None = None
    ) -> None:
        """Read all reviews of a source that have tokens.

        Args:
            source: the reviews.
            settings: how a text becomes tokens.
            report: told how far the reading has come.
            processes: as `tokenized` takes it; what is read is the same for any number.

        Raises:
            DataError: as `Source.all_reviews` and `tokenized`.
        """
        with closing(tokenized(_reported(source, report), settings, processes)) as chunks:
            for chunk in chunks:
                self._add(chunk)
        self.members = self._known(source)
        self.warnings += source.warnings
        self.examples |= source.warnings.examples

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many tokens each review has."""
        ends = np.frombuffer(self._ends, dtype=np.int64)
        return ends[1:] - ends[:-1]

    def tokens(self, rows: NDArray[np.int64]) -> NDArray[np.uint32]:
        """The tokens of these reviews, one review after the other."""
        ends = np.frombuffer(self._ends, dtype=np.int64)
        extents = TOKEN_BYTES * np.stack([ends[rows], ends[rows + 1]], axis=1)
        numbers = np.frombuffer(self._tokens.gather(extents.tolist()), dtype=np.uint32)
        bases = self.lexicons.bases.astype(np.uint32)[np.frombuffer(self._positions, dtype=np.uint16)[rows]]
        return numbers + np.repeat(bases, ends[rows + 1] - ends[rows])

    def counts(self, rows: NDArray[np.int64], most: int | None) -> dict[str, int]:
        """How often each surface word is a token of some reviews.

        Args:
            rows: the reviews.
            most: words that are rarer than this many others may be left out as well; None for all words.
        """
        return self.lexicons.counts(self.occurrences(rows), most)

    def save(self, folder: Path, shards: Sequence[Shard], vocabulary: Vocabulary) -> list[SavedShard]:
        """Write some of the reviews in the ids of a vocabulary.

        Args:
            folder: of the dataset, in which there is a folder for each part.
            shards: the files to write.
            vocabulary: what gives the ids.

        Returns:
            What is known of each file, in the order of `shards`.
        """
        ids = self.lexicons.ids(vocabulary)
        with ThreadPoolExecutor() as threads:  # compressing takes a third as long as all the tokenizing
            return list(threads.map(lambda shard: self._save(folder / shard.path, shard, ids), shards))

    def occurrences(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """How often each of the words' numbers is a token of these reviews."""
        counts = np.zeros(self.lexicons.bases[-1], dtype=np.int64)
        for some in blocks(np.sort(rows)):
            tokens = self.tokens(some)
            least = int(tokens.min())
            found = np.bincount(tokens - least)
            counts[least : least + len(found)] += found
        return counts

    def excerpt(self, row: int) -> str:
        """The first words of a review."""
        position = self._positions[row]
        tokens = self.tokens(np.array([row]))[: EXAMPLE_WORDS + 1] - int(self.lexicons.bases[position])
        known = self.lexicons.words(position)
        return shortened([known[token] for token in tokens.tolist()])

    def _save(self, path: Path, shard: Shard, ids: NDArray[np.uint16]) -> SavedShard:
        unknown = 0

        def encoded() -> Iterator[NDArray[np.uint16]]:
            nonlocal unknown
            for some in blocks(shard.rows):
                block = ids[self.tokens(some)]
                unknown += int((block == UNK).sum())
                yield block

        save_shard(path, encoded(), self.lengths[shard.rows], self.members.labels[shard.rows], shard.groups)
        return SavedShard(unknown, file_facts(path))

    def _add(self, chunk: Chunk) -> None:
        tokens = chunk.tokens
        position = self.lexicons.add(tokens.lexicon, tokens.words)
        self._tokens.append(tokens.numbers)
        films = []
        for row, (review, length) in enumerate(zip(chunk.reviews, tokens.lengths, strict=True)):
            if not length:
                self._skip(review)
                continue
            self._contents += tokens.contents[CONTENT_BYTES * row : CONTENT_BYTES * (row + 1)]
            self._labels.append(NONE if review.label is None else review.label)
            self._splits.append(NONE if review.split is None else SPLITS.index(review.split))
            self._ends.append(self._ends[-1] + length)
            self._positions.append(position)
            films.append(f"{review.film or ''}\n")
        self._film_extents.append(self._films.append("".join(films).encode()))

    def _skip(self, review: Review) -> None:
        self.warnings[NO_TOKENS] += 1
        self.examples.setdefault(NO_TOKENS, repr(review.text[:40]))

    def _known(self, source: Source) -> Members:
        names: dict[str, int] = {}
        films = array("i")
        for extent in self._film_extents:
            for reference in self._films.gather([extent]).decode().split("\n")[:-1]:
                name = source.film(reference) if reference else ""
                films.append(names.setdefault(name, len(names)) if name else NONE)
        return Members(
            np.frombuffer(self._contents, dtype=f"V{CONTENT_BYTES}"),
            np.frombuffer(self._labels, dtype=np.int8),
            np.frombuffer(self._splits, dtype=np.int8),
            np.frombuffer(films, dtype=np.int32),
            list(names),
        )


def shortened(words: Sequence[str]) -> str:
    """The first words of a review."""
    return " ".join(words[:EXAMPLE_WORDS]) + (" …" if len(words) > EXAMPLE_WORDS else "")


def blocks(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yields these rows, so many at a time as fit into memory with their tokens."""
    return (rows[start : start + ROWS] for start in range(0, len(rows), ROWS))


def _reported(source: Source, report: ReportProgress) -> Iterator[Review]:
    """The reviews of a source, and now and then a word on how far they have come."""
    what = f"reading {source.description}"
    for count, review in enumerate(source.all_reviews()):
        if count % REVIEWS_A_REPORT == 0:
            report(what, source.done, source.total)
        yield review
    report(what, source.total, source.total)
