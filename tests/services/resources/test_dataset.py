"""What is said of a prepared dataset."""

from pathlib import Path

from sentictl.services.resources.dataset import Dataset
from tests.services.conftest import ContextOf


def test_the_summary_names_every_part(context_of: ContextOf, tmp_path: Path) -> None:
    for group, count in (("train/pos", 30), ("train/neg", 30), ("test/pos", 5), ("test/neg", 5), ("train/unsup", 7)):
        folder = tmp_path / "films" / group
        folder.mkdir(parents=True)
        for number in range(count):
            (folder / f"{number}_0.txt").write_text(f"film number{number} of {group}")
    context = context_of('[project]\nname = "films"\n[data]\nsource = "films"\n')
    assert Dataset(context).summary() == ("77 reviews from films → 54 train · 6 validation · 10 test · 7 unlabelled")
