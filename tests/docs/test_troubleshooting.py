"""The troubleshooting page: each message that it explains is one that sentictl can give."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
SOURCES = [path.read_text(encoding="utf-8") for path in (CHECKOUT / "src" / "sentictl").rglob("*.py")]
# Adjacent string literals are one message.
CODE = re.sub(r'"\s*f?"', "", "\n".join(SOURCES))


@pytest.mark.parametrize("message", re.findall(r"^### (.+)$", PAGE, re.MULTILINE))
def test_the_message_exists(message: str) -> None:
    assert message in CODE
