"""Many reviews answered in order: in batches, with constant memory, and without waiting for input that is not there."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from sentictl.errors import RefusedError
from sentictl.services.predict.clients import MAX_BODY_BYTES, Client
from sentictl.services.predict.rows import Prediction, failed

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = TypeVar("Item")


def predict_each(
    asker: Client,
    arriving: Iterable[list[Item]],
    text_of: Callable[[Item], str],
    fault_of: Callable[[Item], Prediction | None] = lambda _: None,
) -> Iterator[tuple[Item, Prediction]]:
    """Each item with the prediction of its text, in order.

    Where the asker takes several at once, other batches are read and asked while one is answered. A text that is
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

    batches = (list(_batches(items, text_of, asker.at_once)) for items in arriving)
    return _in_turn(batches, answers) if asker.threads == 1 else _side_by_side(batches, answers, asker.threads)


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


def _in_turn(
    arriving: Iterable[list[list[Item]]], answers: Callable[[list[Item]], list[Prediction]]
) -> Iterator[tuple[Item, Prediction]]:
    for batches in arriving:
        for batch in batches:
            yield from zip(batch, answers(batch), strict=True)


def _side_by_side(
    arriving: Iterable[list[list[Item]]], answers: Callable[[list[Item]], list[Prediction]], threads: int
) -> Iterator[tuple[Item, Prediction]]:
    from concurrent.futures import ThreadPoolExecutor  # imports more than a single review needs

    pool = ThreadPoolExecutor(threads)
    pending: deque[tuple[list[Item], Future[list[Prediction]]]] = deque()
    try:
        for batches in arriving:
            for batch in batches:
                pending.append((batch, pool.submit(answers, batch)))
                if len(pending) > threads:
                    yield from _answered(*pending.popleft())
            while pending and not batches:
                yield from _answered(*pending.popleft())
        while pending:
            yield from _answered(*pending.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


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
