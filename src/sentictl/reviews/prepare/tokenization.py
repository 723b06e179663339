"""Texts to numbered tokens, in as many processes as are of use, with little of the texts in memory at any time."""

import hashlib
import os
import signal
import threading
from array import array
from collections import defaultdict, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from itertools import chain, islice
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import wait
from typing import NamedTuple

from sentimodel.text import TextSettings, tokenize

from sentictl.errors import DataError
from sentictl.reviews.read.source import Review

CHUNK_CHARACTERS = 1_000_000  # some 750 reviews, 50 ms of work
MOST_WORDS = 200_000  # in one lexicon: some 30 MB
MOST_PROCESSES = 4  # reading the source is one process, and gives no more than these something to do
CONTENT_BYTES = 16
CHUNKS_A_PROCESS = 3  # one in work, one waiting for it, one waiting to be fetched


class Tokens(NamedTuple):
    """The tokens of some texts, each as the number of its surface word in a lexicon.

    Attributes:
        lexicon: which lexicon the numbers are of: the process that keeps it, and how many it has begun.
        words: the words that are new in the lexicon; they have the next numbers.
        numbers: the tokens of all texts one after the other; uint32.
        lengths: how many tokens each text has; uint32.
        contents: a digest of each text, `CONTENT_BYTES` long, one after the other.
    """

    lexicon: tuple[int, int]
    words: list[str]
    numbers: "array[int]"
    lengths: "array[int]"
    contents: bytearray


class Chunk(NamedTuple):
    """Reviews and their tokens; what is known of each review is in `reviews`."""

    reviews: Sequence[Review]
    tokens: Tokens


def tokenized(
    reviews: Iterable[Review], settings: TextSettings, processes: int | None = None
) -> Generator[Chunk, None, None]:
    """Yields all reviews with their tokens, in order, chunk by chunk. Closing it ends the processes it started.

    Args:
        reviews: taken one by one, as there is room for them.
        settings: how a text becomes tokens.
        processes: how many tokenize, by default as many as there are cores. This one reads, and does the rest as well
            where one is enough: for 1, and for few reviews.

    Raises:
        DataError: another process was killed.
    """
    chunks = _chunks(reviews)
    first = list(islice(chunks, 2))
    count = processes or min(usable_cores(), MOST_PROCESSES)
    if count == 1 or len(first) < 2:
        tokenizer = Tokenizer(settings)
        return (Chunk(chunk, tokenizer.number(_texts(chunk))) for chunk in chain(first, chunks))
    return _in_processes(chain(first, chunks), settings, count)


class Tokenizer:
    """Texts to numbered tokens: each word that is new gets the next number, and once there are many, another begins.

    Args:
        settings: how a text becomes tokens.
    """

    def __init__(self, settings: TextSettings) -> None:
        self._settings = settings
        self._begun = 0
        self._begin()

    def number(self, texts: Iterable[str]) -> Tokens:
        """The tokens of these texts."""
        if len(self._numbers) >= MOST_WORDS:
            self._begin()
        known = len(self._numbers)
        tokens = Tokens((os.getpid(), self._begun), [], array("I"), array("I"), bytearray())
        for text in texts:
            found = tokenize(text, self._settings)
            tokens.numbers.extend(map(self._numbers.__getitem__, found))
            tokens.lengths.append(len(found))
            tokens.contents.extend(content_of(text, found))
        tokens.words.extend(islice(reversed(self._numbers), len(self._numbers) - known))
        tokens.words.reverse()
        return tokens

    def _begin(self) -> None:
        """Begin a lexicon, so that a process never holds more than one, however many reviews there are."""
        self._numbers: defaultdict[str, int] = defaultdict()
        self._numbers.default_factory = self._numbers.__len__
        self._begun += 1


def content_of(text: str, tokens: Sequence[str]) -> bytes:
    """A digest of what a model sees of a text, `CONTENT_BYTES` long.

    Texts of the same tokens have the same one, whatever else they differ in; of one without tokens it is the text's.
    """
    return hashlib.blake2b((" ".join(tokens) or text).encode(), digest_size=CONTENT_BYTES).digest()


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chunks(reviews: Iterable[Review]) -> Iterator[list[Review]]:
    chunk: list[Review] = []
    characters = 0
    for review in reviews:
        chunk.append(review)
        characters += len(review.text)
        if characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _in_processes(chunks: Iterable[list[Review]], settings: TextSettings, count: int) -> Generator[Chunk, None, None]:
    pool = ProcessPoolExecutor(count, get_context("spawn"), initializer=_follow_parent)
    waiting: deque[tuple[list[Review], Future[Tokens]]] = deque()
    try:
        for chunk in chunks:
            with _interrupts_held():
                waiting.append((chunk, pool.submit(_number, _texts(chunk), settings)))
            if len(waiting) == count * CHUNKS_A_PROCESS:
                yield _finished(*waiting.popleft())
        while waiting:
            yield _finished(*waiting.popleft())
    except BrokenProcessPool as error:
        raise DataError(
            "A process that was tokenizing reviews was killed, perhaps because memory ran out.",
            "Make room in memory, and run the command again.",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _finished(chunk: Sequence[Review], tokens: "Future[Tokens]") -> Chunk:
    return Chunk(chunk, tokens.result())


def _texts(chunk: Sequence[Review]) -> list[str]:
    return [review.text for review in chunk]


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes started meanwhile never get Ctrl-C, which is this one's to answer; here it takes effect afterwards."""
    resource_tracker.ensure_running()  # starting it lets interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _number(texts: Sequence[str], settings: TextSettings) -> Tokens:
    """In a process of the pool: the tokens of some texts."""
    return _tokenizer(settings).number(texts)


@cache
def _tokenizer(settings: TextSettings) -> Tokenizer:
    return Tokenizer(settings)


def _follow_parent() -> None:
    """In a process of the pool: end with the process that started it, however that ends."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
