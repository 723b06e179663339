"""The commands that messages and hints tell to type are commands that there are."""

import re

from tests.docs.calls import parse
from tests.docs.messages import told

# Behind what introduces a command, and before what ends one: the command, those below it, and options without values.
TYPED = re.compile(r"(?:^|: |`|, |\()sentictl(?P<words>(?: [a-z]+(?:-[a-z]+)*){1,2})(?= --|[`,)]|$)")


def test_the_commands_that_messages_name_exist() -> None:
    commands = {found["words"] for text in told() for found in TYPED.finditer(text)}
    assert len(commands) > 20
    assert {words: problem for words in sorted(commands) if (problem := refused(words))} == {}


def refused(words: str) -> str:
    """Why there is no such command; empty where there is. Its arguments are filled in, or follow in words."""
    try:
        parse(words.split())
    except Exception as problem:  # noqa: BLE001  (whatever is wrong with it is what is told)
        return "" if "Missing" in str(problem) else str(problem) or repr(problem)
    return ""
