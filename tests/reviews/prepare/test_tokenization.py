"""Texts to numbered tokens, in this process and in others."""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import count
from multiprocessing import active_children
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentimodel.text import TextSettings, tokenize

from sentictl.errors import DataError
from sentictl.reviews.prepare import tokenization
from sentictl.reviews.prepare.tokenization import CONTENT_BYTES, Chunk, Tokenizer, content_of, tokenized
from sentictl.reviews.read.source import Review

SETTINGS = TextSettings()
SECONDS_TO_END = 30

# Prepares an endless source in two processes, and tells their ids once they are at work.
ENDLESS = """
import sys
from itertools import count
from multiprocessing import active_children
from pathlib import Path
from sentictl.reviews.prepare import tokenization
from sentictl.reviews.prepare.preparation import prepare
from sentictl.reviews.read.source import Review, Source
from sentictl.config.settings import DataSettings


class Endless(Source):
    def fingerprint(self):
        return "0" * 64

    def _all(self):
        for number in count():
            if number == 5000:
                print(*(child.pid for child in active_children()), flush=True)
            yield Review(f"review {number}", number % 2)


if __name__ == "__main__":
    tokenization.CHUNK_CHARACTERS = 1000
    prepare(Endless("endless"), DataSettings(), Path(sys.argv[1]), lambda *progress: None, 2)
"""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of a few reviews each."""
    monkeypatch.setattr(tokenization, "CHUNK_CHARACTERS", 100)


def reviews(number: int) -> list[Review]:
    """So many reviews."""
    return [Review(f"The café number {each} was{'!' * each} n't bad <br />", each % 2) for each in range(number)]


def tokens(chunks: Iterable[Chunk]) -> list[list[str]]:
    """The tokens of each review of some chunks."""
    lexicons: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    found = []
    for chunk in chunks:
        lexicon = lexicons[chunk.tokens.lexicon]
        lexicon += chunk.tokens.words
        assert len(set(lexicon)) == len(lexicon)
        words = iter([lexicon[number] for number in chunk.tokens.numbers])
        found += [[next(words) for _ in range(length)] for length in chunk.tokens.lengths]
    return found


@pytest.mark.parametrize("most", [1, 5, 1000])
@given(texts=st.lists(st.lists(st.text())))
def test_numbered_tokens_are_the_tokens_however_often_a_lexicon_begins(most: int, texts: list[list[str]]) -> None:
    tokenizer = Tokenizer(SETTINGS)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tokenization, "MOST_WORDS", most)
        chunks = [Chunk([Review(text, 1) for text in some], tokenizer.number(some)) for some in texts]
    every = [text for some in texts for text in some]
    assert tokens(chunks) == [tokenize(text, SETTINGS) for text in every]
    contents = b"".join(chunk.tokens.contents for chunk in chunks)
    digests = {contents[CONTENT_BYTES * number :][:CONTENT_BYTES] for number in range(len(every))}
    assert len(digests) == len({" ".join(tokenize(text, SETTINGS)) or text for text in every})


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("number", [0, 1, 7, 100])
def test_all_reviews_come_in_order(processes: int, number: int) -> None:
    chunks = list(tokenized(reviews(number), SETTINGS, processes))
    assert [review for chunk in chunks for review in chunk.reviews] == reviews(number)
    assert tokens(chunks) == [tokenize(review.text, SETTINGS) for review in reviews(number)]
    assert not active_children()


def test_few_reviews_are_worth_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenization, "CHUNK_CHARACTERS", 1_000_000)
    with closing(tokenized(reviews(1000), SETTINGS, 2)) as chunks:
        next(chunks)
        assert not active_children()


def test_reviews_are_taken_as_there_is_room_for_them() -> None:
    taken = 0

    def endless() -> Iterator[Review]:
        nonlocal taken
        for number in count():
            taken = number
            yield Review("x" * 100, 1)

    with closing(tokenized(endless(), SETTINGS, 2)) as chunks:
        for given_out in range(1, 50):
            next(chunks)
            assert taken <= given_out + 2 * tokenization.CHUNKS_A_PROCESS
    assert not active_children()


def test_a_failing_source_ends_the_processes() -> None:
    def failing() -> Iterator[Review]:
        yield from reviews(100)
        raise DataError("The archive is damaged.")

    with pytest.raises(DataError, match="is damaged"):
        list(tokenized(failing(), SETTINGS, 2))
    assert not active_children()


def test_a_killed_process_is_one_error_and_ends_the_others() -> None:
    def endless() -> Iterator[Review]:
        for number in count():
            if number == 100:
                os.kill(active_children()[0].pid or 0, signal.SIGKILL)
            yield Review(f"review {number}", 1)

    with pytest.raises(DataError, match="was killed") as caught:
        for _ in tokenized(endless(), SETTINGS, 2):
            pass
    assert caught.value.hint
    assert not active_children()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_a_run_ends_no_process_and_no_dataset_stays(tmp_path: Path, ending: signal.Signals) -> None:
    program = tmp_path / "endless.py"
    program.write_text(ENDLESS)
    command = [sys.executable, str(program), str(tmp_path / "datasets")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stdout
        processes = [int(number) for number in run.stdout.readline().split()]
        if ending == signal.SIGINT:
            os.killpg(run.pid, ending)  # as a terminal sends it: to all of them
        else:
            run.send_signal(ending)
        try:
            _, errors = run.communicate(timeout=SECONDS_TO_END)
        finally:
            run.kill()  # or the failure would be waited for without end
    assert len(processes) == 2
    deadline = time.monotonic() + SECONDS_TO_END
    while any(map(alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, processes))
    assert not (tmp_path / "datasets").exists()
    assert errors.count("Traceback") == (1 if ending == signal.SIGINT else 0), errors


def alive(process: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("other", ["Great movie.\r\n", " GREAT  movie. ", "great<br />movie"])
def test_texts_of_the_same_tokens_are_the_same(other: str) -> None:
    """Else one can be learned from, and the other tested on."""
    first, second = (content_of(text, tokenize(text, SETTINGS)) for text in ("Great movie.", other))
    assert first == second
    assert content_of("!", []) != content_of("?", [])
