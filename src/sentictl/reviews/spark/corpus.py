"""The tokenized reviews of a source on many machines; here is what the splits depend on."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sentimodel.text import TextSettings, tokenize
from sentimodel.vocabulary import Vocabulary

from sentictl.reviews.prepare.corpus import NO_TOKENS, shortened
from sentictl.reviews.prepare.split_assignment import NONE, SPLITS, Members
from sentictl.reviews.prepare.tokenization import CHUNK_CHARACTERS, CONTENT_BYTES, content_of
from sentictl.reviews.prepare.tokenized_reviews import SavedShard, Shard
from sentictl.reviews.spark.chunk import TokenizedChunk
from sentictl.reviews.spark.shards import ShardFile, encoded, write_shard

if TYPE_CHECKING:
    from pyspark import RDD, Broadcast

TOKENLESS = 40  # characters of a review without tokens, for the example


class SparkCorpus:
    """The tokenized reviews of a source, in pieces on the disks of the machines.

    Args:
        reviews: `(file, row, text, label, split)` of each.
        starts: the number of the first review of each file, and at last how many there are.
        settings: how a text becomes tokens.
        partitions: in how many pieces to tokenize them.

    Attributes:
        members: what is known of each review that has tokens.
        numbers: of each of them, its number among all reviews of the source; int64.
        lengths: how many tokens each of them has; int64.
        warnings: what was counted.
        examples: one of each kind.
        empty: the numbers of the reviews that have no tokens.
    """

    def __init__(
        self, reviews: "RDD[tuple[Any, ...]]", starts: NDArray[np.int64], settings: TextSettings, partitions: int
    ) -> None:
        from pyspark import StorageLevel

        pieces = reviews.repartition(partitions)
        self.chunks = pieces.mapPartitions(lambda some: _tokenized(some, starts, settings))
        self.chunks.persist(StorageLevel.DISK_ONLY)
        self.warnings: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.empty: list[int] = []
        self._count = int(starts[-1])
        self.members, self.numbers, self.lengths = self._known(self._count)

    def excerpt(self, row: int) -> str:
        """The first words of a review."""
        wanted = int(self.numbers[row])
        return shortened(self.chunks.filter(lambda chunk: chunk.holds(wanted)).first().words_of(wanted))

    def counts(self, rows: NDArray[np.int64], most: int | None) -> dict[str, int]:
        """How often each word is a token of these reviews; as `Corpus.counts`."""
        chosen = np.zeros(self._count, dtype=bool)
        chosen[self.numbers[rows]] = True
        context = self.chunks.context
        shared = context.broadcast(np.packbits(chosen))
        counts = self.chunks.flatMap(lambda chunk: _counted(chunk, shared)).reduceByKey(add)
        if most is None:
            every: dict[str, int] = counts.collectAsMap()
            return every
        counts.persist()
        try:
            least = _least(counts.map(lambda item: item[1]).countByValue(), most)
            frequent: dict[str, int] = counts.filter(lambda item: item[1] >= least).collectAsMap()
            return frequent
        finally:
            counts.unpersist()

    def save(self, folder: Path, shards: Sequence[Shard], vocabulary: Vocabulary) -> list[SavedShard]:
        """Write some of the reviews in the ids of a vocabulary, each file in a task; as `Corpus.save`.

        Args:
            folder: of the dataset, on whichever machine a task runs.
            shards: the files to write.
            vocabulary: what gives the ids.
        """
        files = [ShardFile(str(folder / shard.path), self.members.labels[shard.rows], shard.groups) for shard in shards]
        context = self.chunks.context
        places = context.broadcast(self._places(shards))
        words = context.broadcast(vocabulary)
        tasks = context.parallelize(list(enumerate(files)), len(files))
        pieces = self.chunks.flatMap(lambda chunk: encoded(chunk, words.value, *places.value))
        written = tasks.cogroup(pieces, len(files)).mapValues(write_shard)
        return [saved for _, saved in sorted(written.collect())]

    def _places(self, shards: Sequence[Shard]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """For each number of a review its shard, `NONE` for those of none, and its place in that."""
        owners = np.full(self._count, NONE, dtype=np.int32)
        places = np.zeros_like(owners)
        for number, shard in enumerate(shards):
            owners[self.numbers[shard.rows]] = number
            places[self.numbers[shard.rows]] = np.arange(len(shard.rows))
        return owners, places

    def _known(self, count: int) -> tuple[Members, NDArray[np.int64], NDArray[np.int64]]:
        contents = np.zeros(count, dtype=f"V{CONTENT_BYTES}")
        labels, splits = np.full(count, NONE, dtype=np.int8), np.full(count, NONE, dtype=np.int8)
        lengths = np.full(count, NONE, dtype=np.int64)
        empty: list[tuple[int, str]] = []
        for chunk in self.chunks.map(lambda chunk: chunk._replace(words="")).toLocalIterator():
            numbers = np.frombuffer(chunk.numbers, dtype=np.int64)
            contents[numbers] = np.frombuffer(chunk.contents, dtype=f"V{CONTENT_BYTES}")
            labels[numbers] = np.frombuffer(chunk.labels, dtype=np.int8)
            splits[numbers] = np.frombuffer(chunk.splits, dtype=np.int8)
            lengths[numbers] = np.frombuffer(chunk.lengths, dtype=np.int64)
            empty += chunk.empty
        if (lengths == NONE).any():
            raise RuntimeError(f"{int((lengths == NONE).sum())} reviews were lost between two stages")
        if empty:
            self.empty = sorted(number for number, _ in empty)
            self.warnings[NO_TOKENS] = len(empty)
            self.examples[NO_TOKENS] = min(empty)[1]
        kept = np.flatnonzero(lengths)
        films = np.full(len(kept), NONE, dtype=np.int32)  # tables name none
        return Members(contents[kept], labels[kept], splits[kept], films, []), kept, lengths[kept]


def _tokenized(
    reviews: Iterable[tuple[Any, ...]], starts: NDArray[np.int64], settings: TextSettings
) -> Iterator[TokenizedChunk]:
    some: list[tuple[Any, ...]] = []
    characters = 0
    for review in reviews:
        some.append(review)
        characters += len(review[2])
        if characters >= CHUNK_CHARACTERS:
            yield _chunk(some, starts, settings)
            some, characters = [], 0
    if some:
        yield _chunk(some, starts, settings)


def _chunk(reviews: Sequence[tuple[Any, ...]], starts: NDArray[np.int64], settings: TextSettings) -> TokenizedChunk:
    numbers, labels, splits, lengths = array("q"), array("b"), array("b"), array("q")
    contents = bytearray()
    words: list[str] = []
    empty = []
    for file, row, text, label, split in reviews:
        number = int(starts[file]) + row
        tokens = tokenize(text, settings)
        if not tokens:
            empty.append((number, repr(text[:TOKENLESS])))
        numbers.append(number)
        labels.append(NONE if label is None else label)
        splits.append(NONE if split is None else SPLITS.index(split))
        lengths.append(len(tokens))
        contents += content_of(text, tokens)
        words += tokens
    return TokenizedChunk(
        numbers.tobytes(),
        labels.tobytes(),
        splits.tobytes(),
        bytes(contents),
        lengths.tobytes(),
        " ".join(words),
        empty,
    )


def _counted(chunk: TokenizedChunk, chosen: "Broadcast[NDArray[np.uint8]]") -> Iterable[tuple[str, int]]:
    numbers, lengths = (np.frombuffer(each, dtype=np.int64) for each in (chunk.numbers, chunk.lengths))
    is_chosen = chosen.value[numbers >> 3] >> (7 - (numbers & 7)) & 1  # as numpy.packbits packs them
    return Counter(compress(chunk.words.split(), np.repeat(is_chosen, lengths).tolist())).items()


def _least(frequencies: Mapping[int, int], most: int) -> int:
    """How often a word occurs at least that not so many others are more frequent than."""
    left = most
    for count in sorted(frequencies, reverse=True):
        left -= frequencies[count]
        if left <= 0:
            return count
    return 0
