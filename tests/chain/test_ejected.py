"""An ejected project's life: its own copies are what is trained, deployed, published and asked."""

import json
import urllib.request
from pathlib import Path
from typing import Any

from tests.chain.shell import Shell

STRANGER = "zork"  # a word of no review; the project's own code takes it for one that it knows


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def changes(shell: Shell) -> list[tuple[str, str]]:
    """What `up` would do, apart from what it keeps."""
    steps: list[dict[str, Any]] = shell.json("plan")["steps"]
    return [(step["action"], step["kind"]) for step in steps if step["action"] != "keep"]


def ask(url: str, review: str) -> tuple[dict[str, Any], str]:
    request = urllib.request.Request(url, json.dumps({"review": review}).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer), answer.headers["X-Made-By"]


def test_copies_change_nothing_until_they_are_changed_and_then_they_run(shell: Shell) -> None:
    first = shell.json("up")
    shell.run("init", "--eject")
    assert changes(shell) == []

    edit(shell.folder / "templates" / "site" / "index.html", "<title>", "<!-- ours --><title>")
    assert changes(shell) == [("update", "page")]

    handler = shell.folder / "templates" / "lambda" / "handler.py"
    edit(handler, '"Access-Control-Allow-Origin": "*"', '"Access-Control-Allow-Origin": "*", "X-Made-By": "us"')
    assert sorted(changes(shell)) == [("update", "function"), ("update", "page")]

    edit(shell.folder / "model_code" / "train.py", "training failed: ", "training went wrong: ")
    assert ("create", "training-job") in changes(shell)
    assert ("create", "dataset") not in changes(shell)

    text = shell.folder / "model_code" / "sentimodel" / "text.py"
    edit(text, "_cleaned(text, settings))", f'_cleaned(text, settings).replace("{STRANGER}", "superb"))')
    assert {("create", "dataset"), ("create", "training-job")} <= set(changes(shell))

    second = shell.json("up")
    assert second["model"] != first["model"]
    assert changes(shell) == []

    answer, made_by = ask(second["api_url"], f"A {STRANGER} film")
    known, _ = ask(second["api_url"], "A superb film")
    assert made_by == "us"
    assert (answer["label"], answer["probability"]) == ("positive", known["probability"])
    assert shell.json("predict", f"A {STRANGER} film")["label"] == "positive"
    with urllib.request.urlopen(second["page_url"], timeout=30) as page:
        assert b"<!-- ours -->" in page.read()

    found = {check["name"]: check for check in shell.json("doctor")["checks"]}
    assert "changed here: sentimodel/text.py, train.py" in found["own model_code"]["found"]
