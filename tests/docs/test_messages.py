"""The commands that messages and hints tell to type are commands that there are."""

import re

import pytest

from tests.docs.calls import parse
from tests.docs.messages import told

# Behind what introduces a command, and before what ends one: the command, those below it, and options without values.
TYPED = re.compile(r"(?:^|: |`|, |\()sentictl(?P<words>(?: [a-z]+(?:-[a-z]+)*){1,2})(?= --|[`,)]|$)")


COMMANDS = {found["words"] for text in told() for found in TYPED.finditer(text)}


def test_messages_do_name_commands() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_a_command_that_a_message_names_exists(words: str) -> None:
    try:
        parse(words.split())
    except Exception as problem:
        if "Missing" not in str(problem):  # its arguments are filled in, or follow in words
            raise
