"""The troubleshooting page: each message that it explains is one that sentictl can give."""

import re
from pathlib import Path

import pytest

from tests.docs.messages import told

PAGE = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("message", re.findall(r"^### (.+)$", PAGE, re.MULTILINE))
def test_the_message_exists(message: str) -> None:
    assert [text for text in told() if message in text]
