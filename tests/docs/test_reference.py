"""The pages of docs/ that are generated are those that their generators write."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GENERATORS = sorted((ROOT / "docs" / "reference").glob("*.py"))


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda path: path.stem)
def test_the_committed_page_is_current(generator: Path) -> None:
    done = subprocess.run([sys.executable, generator, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_that_differs_is_told_with_how_to_write_it_anew(tmp_path: Path) -> None:
    reference = tmp_path / "docs" / "reference"
    reference.mkdir(parents=True)
    generator = reference / "cli.py"
    generator.write_bytes((ROOT / "docs" / "reference" / "cli.py").read_bytes())
    missing = subprocess.run([sys.executable, generator, "--check"], capture_output=True, text=True, check=False)
    assert missing.returncode == 1
    assert "python docs/reference/cli.py" in missing.stderr
    subprocess.run([sys.executable, generator], check=True)
    assert (tmp_path / "docs" / "cli.md").read_bytes() == (ROOT / "docs" / "cli.md").read_bytes()
