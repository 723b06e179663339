"""Many reviews answered in order: in batches, with constant memory, and without waiting for input that is not there."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, NamedTuple, TypeVar

from sentictl.errors import DataError, RefusedError
from sentictl.reviews.read.source import lines_or_problems
from sentictl.services.predict.clients import MAX_BODY_BYTES, Client
from sentictl.services.predict.rows import Prediction, failed

Item = TypeVar("Item")

AHEAD = 2048  # lines read before they are asked for


def predict_each(
    asker: Client,
    arriving: Iterable[list[Item]],
    text_of: Callable[[Item], str],
    fault_of: Callable[[Item], Prediction | None] = lambda _: None,
) -> Iterator[tuple[Item, Prediction]]:
    """Each item with the prediction of its text, in order.

    While one batch is answered the next is read, and asked as well if the asker takes several at once. A text that is
    refused is answered with `{"error": {"code", "message"}}`, and the others of its batch are asked without it.

    Args:
        asker: who is asked.
        arriving: items as they come. An empty list says that there are no more for now: what has been asked is then
            answered before the next list is awaited.
        text_of: the text of an item.
        fault_of: what stands in place of the prediction where an item cannot be asked about; None where it can.
    """

    def answers(batch: list[Item]) -> list[Prediction]:
        faults = [fault_of(item) for item in batch]
        asked = [text_of(item) for item, fault in zip(batch, faults, strict=True) if fault is None]
        said = iter(_ask(asker, asked))
        return [next(said) if fault is None else fault for fault in faults]

    pool = ThreadPoolExecutor(asker.threads)
    pending: deque[tuple[list[Item], Future[list[Prediction]]]] = deque()
    try:
        for items in arriving:
            for batch in _batches(items, text_of, asker.at_once):
                pending.append((batch, pool.submit(answers, batch)))
                if len(pending) > asker.threads:
                    yield from _answered(*pending.popleft())
            while pending and not items:
                yield from _answered(*pending.popleft())
        while pending:
            yield from _answered(*pending.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def windows(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Items that are all there, such as a file's, in lists of `size`; the last may be shorter.

    An error of the items' comes after the items before it, and after an empty list, so that those are answered.
    """
    window: list[Item] = []
    try:
        for item in items:
            window.append(item)
            if len(window) == size:
                yield window
                window = []
    except Exception:
        yield from (window, []) if window else ([],)
        raise
    if window:
        yield window


def lines_as_they_come(stream: BinaryIO, most: int) -> Iterator[list[str | DataError]]:
    """The lines of a stream, without their ends: at each step those that are there, at most `most`.

    When there are no more for now, a step is an empty list, and the one after it waits. Invalid UTF-8 becomes U+FFFD.
    In the place of a line that is too long stands an error.

    Raises:
        DataError: the stream cannot be read, or a line of it has no end.
    """
    lines: queue.Queue[bytes | DataError | _End] = queue.Queue(AHEAD)
    threading.Thread(target=_read_into, args=(lines, stream), daemon=True).start()
    last: bytes | DataError | _End = b""
    while not isinstance(last, _End):
        taken = [lines.get()]
        while len(taken) < most and not lines.empty():
            taken.append(lines.get())
        last = taken[-1]
        decoded = [_text(line) for line in taken if not isinstance(line, _End)]
        if decoded:
            yield decoded
        if not isinstance(last, _End) and lines.empty():
            yield []
    if last.problem:
        yield []
        raise last.problem


def _text(line: bytes | DataError) -> str | DataError:
    return line if isinstance(line, DataError) else line.decode(errors="replace").rstrip("\r\n")


class _End(NamedTuple):
    """Comes after the last line: why no more could be read, if not for the end of the stream."""

    problem: DataError | None


def _read_into(lines: "queue.Queue[bytes | DataError | _End]", stream: BinaryIO) -> None:
    problem = None
    try:
        for line in lines_or_problems(stream, "stdin"):
            lines.put(line)
    except DataError as endless:
        problem = endless
    except OSError as error:
        problem = DataError(f"stdin cannot be read: {error.strerror or error}.", "Pipe reviews into it, one a line.")
    lines.put(_End(problem))


def _ask(asker: Client, texts: list[str]) -> list[Prediction]:
    """Ask about some texts; where they are refused, about each half of them, down to the one that is at fault."""
    if not texts:
        return []
    try:
        return asker.ask(texts)
    except RefusedError as refusal:
        if len(texts) == 1:
            return [failed(refusal.reason, refusal.message)]
        middle = len(texts) // 2
        return _ask(asker, texts[:middle]) + _ask(asker, texts[middle:])


def _answered(batch: list[Item], predictions: "Future[list[Prediction]]") -> Iterator[tuple[Item, Prediction]]:
    return zip(batch, predictions.result(), strict=True)


def _batches(items: list[Item], text_of: Callable[[Item], str], at_once: int) -> Iterator[list[Item]]:
    """The items in lists that one request takes, by number and by the bytes of their texts."""
    batch: list[Item] = []
    size = 0
    for item in items:
        item_size = len(text_of(item).encode(errors="replace")) + 8
        if batch and (len(batch) == at_once or size + item_size > MAX_BODY_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += item_size
    if batch:
        yield batch
