"""The walkthrough notebook, run from its first cell to its last in a toy project on the twin."""

import base64
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from sentictl.assets import installed
from sentictl.twin import daemon
from tests.chain.shell import Shell, begin, environment

PLOTS = {"curves", "roc", "lengths", "words"}


class Answered:
    """Asks the page as soon as the cell that makes it has run."""

    page: bytes = b""

    def __call__(self, cell: Any, **_: Any) -> None:
        if cell["id"] == "wired":
            url = next(line.split()[1] for line in text_of(cell).splitlines() if line.startswith("page "))
            with urllib.request.urlopen(url) as answer:
                self.page = answer.read()


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    shell = begin(tmp_path_factory.mktemp("walkthrough") / "toy")
    yield shell
    daemon.destroy(shell.twin)


@pytest.fixture(scope="module")
def answered() -> Answered:
    return Answered()


@pytest.fixture(scope="module")
def cells(shell: Shell, answered: Answered) -> dict[str, Any]:
    """The notebook's code cells by their ids, after all of them have run."""
    notebook = walkthrough()
    client = NotebookClient(notebook, timeout=120, on_cell_executed=answered, kernel_name="python3")
    with client.setup_kernel(cwd=str(shell.folder), env=environment()):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    return {cell["id"]: cell for cell in notebook.cells if cell["cell_type"] == "code"}


def test_the_plan_comes_before_anything_is_made(cells: dict[str, Any]) -> None:
    project, *lines = text_of(cells["planned"]).split("\n\n")[0].splitlines()
    assert project == "project toy · environment local"
    steps = [line for line in lines if not line.strip().startswith("API Gateway has no role for logs")]
    assert {step.split()[0] for step in steps} == {"create"}


def test_every_plot_is_drawn(cells: dict[str, Any]) -> None:
    drawn = {name: output["data"] for name, cell in cells.items() for output in cell["outputs"] if "data" in output}
    plots = {name: base64.b64decode(data["image/png"]) for name, data in drawn.items() if "image/png" in data}
    assert plots.keys() == PLOTS
    assert all(plot.startswith(b"\x89PNG") for plot in plots.values())
    assert "superb</span>" in drawn["explain"]["text/html"]


def test_the_page_was_there_and_the_api_told_good_from_bad(cells: dict[str, Any], answered: Answered) -> None:
    assert b"<title>" in answered.page
    good, bad = text_of(cells["ask"]).splitlines()
    assert good.startswith("positive")
    assert bad.startswith("negative")


def test_nothing_is_left(cells: dict[str, Any], shell: Shell) -> None:
    assert text_of(cells["down"]).endswith("resources deleted, 0 left\n")
    assert not (shell.folder / ".sentictl").exists()
    assert shell.json("status")["resources"] == []


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = walkthrough()
    code = [cell for cell in notebook.cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_a_folder_without_a_project_gets_one(tmp_path: Path) -> None:
    notebook = walkthrough()
    notebook.cells = [cell for cell in notebook.cells if cell["id"] in ("settings", "open")]
    try:
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
        assert 'name = "walkthrough"' in (tmp_path / "sentictl.toml").read_text()
    finally:
        Shell(tmp_path).run("local", "stop")


def walkthrough() -> Any:
    """The notebook as it is kept; one that is not valid is refused."""
    read: Any = nbformat.read  # which has no types
    return read(installed.walkthrough(), as_version=4)


def text_of(cell: Any) -> str:
    return "".join(output["text"] for output in cell["outputs"] if output["output_type"] == "stream")
