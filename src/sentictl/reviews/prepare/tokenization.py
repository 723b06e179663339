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
from itertools import chain, islice
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import wait
from typing import NamedTuple

from sentimodel.text import TextSettings, tokenize

from sentictl.errors import DataError
from sentictl.reviews.read.source import Review

CHUNK_CHARACTERS = 1_000_000  # some 750 reviews, 50 ms of work
MOST_PROCESSES = 4  # reading the source is one process, and gives no more than these something to do
CHUNKS_A_PROCESS = 3  # one in work, one waiting for it, one waiting to be fetched


class Tokens(NamedTuple):
    """The tokens of some texts.

    Attributes:
        words: the different surface words, in the order they occur first.
        numbers: the tokens of all texts one after the other, each as a position in `words`; uint32.
        lengths: how many tokens each text has; uint32.
        contents: a digest of each text.
    """

    words: list[str]
    numbers: "array[int]"
    lengths: "array[int]"
    contents: list[bytes]


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
        return (Chunk(chunk, number_tokens(_texts(chunk), settings)) for chunk in chain(first, chunks))
    return _in_processes(chain(first, chunks), settings, count)


def number_tokens(texts: Iterable[str], settings: TextSettings) -> Tokens:
    """The tokens of these texts."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__  # each new word gets the next number
    tokens = Tokens([], array("I"), array("I"), [])
    for text in texts:
        found = tokenize(text, settings)
        tokens.numbers.extend(map(numbers.__getitem__, found))
        tokens.lengths.append(len(found))
        tokens.contents.append(hashlib.blake2b(text.encode(), digest_size=16).digest())
    tokens.words.extend(numbers)
    return tokens


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
                waiting.append((chunk, pool.submit(number_tokens, _texts(chunk), settings)))
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


def _follow_parent() -> None:
    """In a process of the pool: end with the process that started it, however that ends."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
