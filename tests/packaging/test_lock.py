"""The lock files: what pyproject.toml asks for is in them, once, in a version that it allows, and with hashes."""

import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[2]
FOLDER = CHECKOUT / "requirements"
ENTRY = re.compile(r"(?P<pin>\w[\w.-]*==\S+(?: ; [^\\]+)?) (?P<hashes>(?:\\\n    --hash=sha256:[0-9a-f]{64} ?)+)\n")
Pins = dict[str, set[str]]


@pytest.fixture(scope="module")
def lock() -> Any:
    """The script that writes them."""
    spec = importlib.util.spec_from_file_location("lock", FOLDER / "lock.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def locked() -> dict[str, Pins]:
    """The versions of each package, by the layer that they are in."""
    return {path.stem: pins(path) for path in sorted(FOLDER.glob("*.txt"))}


def pins(path: Path) -> Pins:
    """The versions of each package: several where they differ by system or Python."""
    found: Pins = {}
    for entry in ENTRY.finditer(path.read_text(encoding="utf-8")):
        pin = Requirement(entry["pin"])
        (version,) = pin.specifier
        assert version.operator == "=="
        found.setdefault(canonicalize_name(pin.name), set()).add(version.version)
    return found


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_every_line_is_part_of_a_pin_with_its_hashes(path: Path) -> None:
    comment, _, entries = path.read_text(encoding="utf-8").partition("\n")
    assert comment.startswith("# ")
    assert ENTRY.sub("", entries) == ""


def test_every_requirement_is_locked_where_it_is_installed(lock: Any, locked: dict[str, Pins]) -> None:
    document = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    project = document["project"]
    assert {extra for extras in lock.LAYERS.values() for extra in extras} == project["optional-dependencies"].keys()
    at_hand = dict(locked["torch"])
    asked = [*document["build-system"]["requires"], *project["dependencies"]]
    for layer, extras in lock.LAYERS.items():
        at_hand |= locked[layer]
        asked += [requirement for extra in extras for requirement in project["optional-dependencies"][extra]]
        for requirement in map(Requirement, asked):
            versions = at_hand.get(canonicalize_name(requirement.name), set())
            assert versions, f"{requirement} is not in requirements/{layer}.txt. Write it anew: make lock"
            assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: {versions}"


def test_no_package_is_in_two_layers(lock: Any, locked: dict[str, Pins]) -> None:
    names = [name for layer in ("torch", *lock.LAYERS) for name in locked[layer]]
    assert sorted(set(names)) == sorted(names)
    assert locked.keys() == {*lock.LAYERS, "torch", "torch-cpu"}


def test_torch_is_of_one_version_from_either_index(locked: dict[str, Pins]) -> None:
    assert locked["torch-cpu"] == {"torch": locked["torch"]["torch"]}
    hashes = {
        stem: set(re.findall(r"sha256:(\w+)", (FOLDER / f"{stem}.txt").read_text())) for stem in ("torch", "torch-cpu")
    }
    assert len(hashes["torch-cpu"]) == 8  # four Pythons, two processors
    assert hashes["torch-cpu"] < hashes["torch"]  # an index of one's own may have both


def link(name: str, digest: str) -> str:
    return f'<a href="/whl/cpu/{name.replace("+", "%2B")}#sha256={digest * 64}">{name}</a><br/>\n'


PAGE = "".join(
    [
        link("torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl", "a"),
        link("torch-2.13.0+cpu-cp314-cp314-manylinux_2_28_aarch64.whl", "b"),
        link("torch-2.13.0+cpu-cp314-cp314t-manylinux_2_28_aarch64.whl", "c"),
        link("torch-2.13.0+cpu-cp312-cp312-win_amd64.whl", "d"),
        link("torch-2.13.1+cpu-cp312-cp312-manylinux_2_28_x86_64.whl", "e"),
    ]
)


def test_the_hashes_are_those_of_a_versions_wheels_for_linux(lock: Any) -> None:
    assert lock.hashes_in(PAGE, "2.13.0") == f"    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n"


@pytest.mark.parametrize("page", ["", PAGE.replace("#sha256=", "#md5=")], ids=["no wheels", "no hashes"])
def test_a_page_without_hashes_is_refused(lock: Any, page: str) -> None:
    with pytest.raises(SystemExit, match=r"tells no hashes of torch 2\.13\.0"):
        lock.hashes_in(page, "2.13.0")
