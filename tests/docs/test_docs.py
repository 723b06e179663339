"""What the pages say that can be checked: their commands can be called, and their links lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sentictl.aws.refusals import REFUSALS
from tests.docs.calls import calls_in, parse

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`(?P<line>sentictl [^`\n]+)`")
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def typed(page: Path) -> Iterator[str]:
    """The lines that a page has typed into a console."""
    for fence in FENCE.finditer(page.read_text(encoding="utf-8")):
        if fence["language"] == "console":
            lines = fence["body"].replace("\\\n", " ").splitlines()  # one that goes on behind a backslash is one
            yield from (line[2:] for line in lines if line.startswith("$ "))


def mentioned(page: Path) -> Iterator[str]:
    """Calls of sentictl in a page's running text."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    yield from (span["line"] for span in SPAN.finditer(text) if "…" not in span["line"])


CONSOLE = [(page.name, call) for page in PAGES for line in typed(page) for call in calls_in(line)]
PROSE = [(page.name, call) for page in PAGES for line in mentioned(page) for call in calls_in(line)]


@pytest.mark.parametrize(("page", "call"), CONSOLE)
def test_a_typed_command_can_be_called(page: str, call: list[str]) -> None:
    parse(call)


@pytest.mark.parametrize(("page", "call"), PROSE)
def test_a_mentioned_command_and_its_options_exist(page: str, call: list[str]) -> None:
    try:
        parse(call)
    except Exception as problem:
        if not re.search(r"requires an argument|Missing", str(problem)):  # values are not the point
            raise


@pytest.mark.parametrize(
    "line",
    ["sentictl trian", "sentictl train --epoch 3", "cat a | sentictl train --epochs many", "sentictl config get"],
)
def test_a_command_that_cannot_be_called_is_noticed(line: str) -> None:
    (call,) = calls_in(line)
    with pytest.raises(Exception, match=r"No such|not a valid|Missing"):
        parse(call)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = {urlsplit(link["target"]) for link in LINK.finditer(text)}
    files = {target.path for target in targets if not target.scheme and target.path}
    assert [file for file in files if not (page.parent / file).is_file()] == []


def test_files_that_the_docs_name_are_there() -> None:
    """Those of the source, wherever they are named, and all that the walks through the house lead past."""
    named = {
        name for page in PAGES for name in re.findall(r"`(src/sentictl/[\w/.]+)`", page.read_text(encoding="utf-8"))
    }
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    walked = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", design))
    places = (ROOT, ROOT / "src" / "sentictl", ROOT / "model_code", ROOT / "src" / "sentictl" / "twin")
    assert len(walked) > 20
    assert [name for name in sorted(named | walked) if not any((place / name).exists() for place in places)] == []


def test_every_refusal_that_is_met_with_another_call_is_told() -> None:
    text = (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8")
    for refusal in REFUSALS:
        calls = ", ".join(f"`{call}`" for call in sorted(refusal.calls))
        assert f"| {refusal.reason} | {calls} | {refusal.seconds:.0f} |" in text


def test_each_test_that_security_rests_on_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "docs" / "security.md").read_text()))
    assert len(named) > 30
    for file, test in sorted(named):
        assert (ROOT / file).is_file(), file
        assert f"def {test}(" in (ROOT / file).read_text() or not test, f"{file}::{test}"
