"""Write the table of rooms into CONTRIBUTING.md, from the packages; with --check only tell whether it is what they say.

It stands between the lines `<!-- rooms -->` and `<!-- /rooms -->`. What a room is its docstring says, and what it may
import the contracts of import-linter in pyproject.toml.
"""

import argparse
import tomllib
from collections.abc import Iterator
from pathlib import Path

from house import DIVIDED, MODEL, PACKAGE, ROOT, layers, packages, what_it_is

BEGIN, END = "<!-- rooms -->\n", "<!-- /rooms -->\n"
HEAD = "| folder | what | may import |\n|---|---|---|"


def main() -> None:
    """Write the table, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the table differs")
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "CONTRIBUTING.md", help="default: CONTRIBUTING.md")
    options = parser.parse_args()
    page = options.file.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{options.file} has no lines {BEGIN.strip()} and {END.strip()} to write the table between.")
    content = "".join([before, BEGIN, "\n".join([HEAD, *rows()]), "\n", END, after])
    if not options.check:
        options.file.write_text(content, encoding="utf-8")
    elif page != content:
        raise SystemExit(
            f"The table in {options.file} is not of the packages. Write it: python docs/reference/rooms.py"
        )


def rows() -> Iterator[str]:
    """The rows of the table: each room, and the rooms inside those that are divided."""
    floors = layers(PACKAGE)
    for number, floor in enumerate(floors):
        for name in floor:
            kept_out = forbidden(f"{PACKAGE}.{name}")
            below = [[each for each in lower if each not in kept_out] for lower in floors[number + 1 :]]
            yield row(PACKAGE, name, allowed(below, whole=not kept_out))
            if name in DIVIDED:
                yield from inner_rows(f"{PACKAGE}.{name}")
    yield f"| `model_code/{MODEL}/` | {what_it_is(MODEL)} | nothing of {PACKAGE} |"
    yield "| `templates/` | The Lambda function, the page, policies, the commented settings. | |"


def inner_rows(container: str) -> Iterator[str]:
    """The rows of the rooms inside another one, which may import what that one may as well."""
    floors = packages(container)
    for floor, below in zip(floors, [*floors[1:], []], strict=True):
        for name in floor:
            outside = f"what `{container.rpartition('.')[2]}` may"
            yield row(container, name, f"{listed(below)} and below" if below else outside)


def allowed(below: list[list[str]], *, whole: bool) -> str:
    """The rooms below one that it may import; `whole` where that is all of them."""
    floors = [listed(floor) for floor in below if floor]
    return f"{floors[0]} and below" if whole and len(floors) > 1 else ", ".join(floors) or "nothing"


def listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def row(container: str, name: str, may_import: str) -> str:
    """One room."""
    folder = f"src/{container.replace('.', '/')}/{name}"
    suffix = "/" if (ROOT / folder).is_dir() else ".py"
    return f"| `{folder}{suffix}` | {what_it_is(f'{container}.{name}')} | {may_import} |"


def forbidden(module: str) -> set[str]:
    """The rooms that a contract of its own keeps a room from importing."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    return {
        name.removeprefix(f"{PACKAGE}.")
        for contract in contracts
        if contract["type"] == "forbidden" and module in contract["source_modules"]
        for name in contract["forbidden_modules"]
    }


if __name__ == "__main__":
    main()
