"""The page about what commands answer leaves none of them out."""

import re
from pathlib import Path

import pytest

from tests.cli.test_help import BY_PATH

PAGE = Path(__file__).resolve().parents[2] / "docs" / "output.md"


@pytest.mark.parametrize(
    "path", [path for path, context in BY_PATH.items() if not hasattr(context.command, "commands")]
)
def test_what_the_command_answers_with_json_is_there(path: str) -> None:
    table = PAGE.read_text().partition("## Answers with --json")[2]
    assert re.search(rf"`{path}\b", table)
