"""What the program can say: the texts in its sources."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src" / "sentictl"


@cache
def told() -> list[str]:
    """Every text in the sources, and of a text with values in it each part between them; documentation is none."""
    return [text for path in SOURCES.rglob("*.py") for text in _texts(ast.parse(path.read_text(encoding="utf-8")))]


def _texts(tree: ast.Module) -> Iterator[str]:
    documentation = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documentation:
            yield node.value
