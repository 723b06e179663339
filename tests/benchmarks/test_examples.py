"""The examples that people meet first are those that the default model is asked about."""

import importlib
import re
from pathlib import Path

import pytest

# That the default model is sure of them takes minutes to see: `make examples` trains it on the default reviews.
examples = importlib.import_module("benchmarks.examples")

ROOT = Path(__file__).parents[2]
GIVEN = re.compile(r"""predict (?:--explain |--via \w+ )*(?:"([^"]+)"|'([^']+)')|--data '([^']+)'""")
PAGES = [ROOT / "README.md", ROOT / "src/sentictl/cli/examples.py"]
PAGES += [*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "src/sentictl/cli/commands").glob("*.py"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_asks_about_is_checked(page: Path) -> None:
    given = {next(filter(None, groups)) for groups in GIVEN.findall(page.read_text(encoding="utf-8"))}
    assert {review for review in given if not review.startswith(("{", "-"))} <= examples.SURE.keys()


def test_the_examples_of_the_page_and_of_the_docs_are_there() -> None:
    assert any("predict" in page.read_text(encoding="utf-8") for page in PAGES)
    assert len(examples.OFFERED) >= 3


@pytest.mark.parametrize("promised", [(0.0, 1.0), (0.0, 0.1)])
def test_an_example_that_is_answered_otherwise_is_told(
    toy_artifact: Path,
    promised: tuple[float, float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(examples, "SURE", {"superb": promised})
    monkeypatch.setattr(examples, "OFFERED", {})
    monkeypatch.setattr("sys.argv", ["examples.py", "--artifact", str(toy_artifact)])
    holds = promised == (0.0, 1.0)
    assert examples.main() == int(not holds)
    assert capsys.readouterr().out.startswith("ok" if holds else "WRONG")
