"""Lines that fit: nothing is lost, nothing sticks out but what cannot be broken."""

from hypothesis import given
from hypothesis import strategies as st

from sentictl.cli.view.lines import LEAST, hanging, paragraphs, unbroken

WORDS = st.lists(st.text("abcdefghij/·→", min_size=1, max_size=30), min_size=1, max_size=30)


@given(words=WORDS, width=st.integers(min_value=20, max_value=120), heading=st.text("ab ", max_size=15))
def test_every_word_stands_whole_below_the_first(words: list[str], width: int, heading: str) -> None:
    text = hanging(heading, " ".join(words), width)
    assert text.startswith(heading)
    lines = text[len(heading) :].split("\n")
    assert [word for line in lines for word in line.split()] == words
    assert all(line.startswith(" " * len(heading)) for line in lines[1:])
    room = max(width, len(heading) + LEAST)
    assert all(len(heading + line if line is lines[0] else line) <= room or len(line.split()) == 1 for line in lines)


def test_a_command_stays_on_one_line() -> None:
    commands = " · ".join(unbroken(command) for command in ("sentictl predict 'what a film'", "sentictl status"))
    assert hanging("Next: ", commands, 40) == "Next: sentictl predict 'what a film' ·\n      sentictl status"


def test_headings_stand_in_a_column() -> None:
    assert paragraphs([("Page:", "http://here"), ("API:", "there")]) == "Page: http://here\nAPI:  there"
