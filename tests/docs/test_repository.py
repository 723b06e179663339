"""The files about the repository itself agree with what they are about."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hatch_vcs.version_source import VCSVersionSource

from tests import order

ROOT = Path(__file__).parents[2]
CITATION = ROOT / "CITATION.cff"
RELEASE = ROOT / ".github" / "workflows" / "release.yml"


@pytest.fixture(scope="module")
def citation() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(CITATION.read_text(encoding="utf-8"))
    return document


def test_the_citation_is_of_the_format_that_it_names(citation: dict[str, Any]) -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [str(checker), "--builtin-schema", "vendor.citation-file-format", str(CITATION)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout
    assert citation["cff-version"] == "1.2.0"


def test_the_citation_is_of_this_package(citation: dict[str, Any]) -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cited = {name: citation[name] for name in ("title", "abstract", "license")}
    names = {"title": "name", "abstract": "description"}
    assert cited == {name: package[names.get(name, name)] for name in cited}


def test_every_reference_can_be_found_and_says_what_it_is_for(citation: dict[str, Any]) -> None:
    references = citation["references"]
    for reference in references:
        assert {"type", "title", "authors", "year", "scope"} <= reference.keys(), reference
        assert {"journal", "collection-title", "doi", "url"} & reference.keys(), reference
    assert len({reference["title"] for reference in references}) == len(references)


def test_the_papers_that_the_model_code_names_are_cited(citation: dict[str, Any]) -> None:
    families = {author["family-names"] for reference in citation["references"] for author in reference["authors"]}
    named = re.compile(r"([A-Z]\w+) (?:et al\.|(?:and|,)[\w ,]+?),? \(?(?:19|20)\d\d|([A-Z]\w+), (?:19|20)\d\d")
    found = set()
    for path in sorted((ROOT / "model_code").rglob("*.py")):
        found |= {first or second for first, second in named.findall(path.read_text(encoding="utf-8"))}
    assert {"Guo", "Wang", "Wolpert", "Levy"} <= found
    assert found <= families


def test_a_commit_is_checked_as_make_does() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe
    steps = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()]
    assert [hook["entry"] for hook in hooks] == steps
    assert all(hook["language"] == "system" and hook["pass_filenames"] is False for hook in hooks)


def test_the_release_is_a_workflow_that_github_takes() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [str(checker), "--builtin-schema", "vendor.github-workflows", str(RELEASE)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout


def test_the_release_may_do_little_and_runs_what_it_names() -> None:
    text = RELEASE.read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    jobs = workflow["jobs"]
    assert [name for name, job in jobs.items() if "id-token" in job["permissions"]] == ["publish"]
    assert [name for name, job in jobs.items() if "write" in job["permissions"].get("contents", "")] == ["release"]
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "build": None,
        "audit": "build",
        "test": "build",
        "publish": ["audit", "test"],
        "release": "publish",
    }
    assert jobs["publish"]["environment"]["name"] == "pypi"
    for name in ("publish", "release"):  # nothing of ours where a token is
        assert not [step for step in jobs[name]["steps"] if "run" in step]
    assert "${{" not in text
    used = re.findall(r"uses: (.+)", text)
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in used), used


@pytest.mark.parametrize("script", sorted((ROOT / ".ci").iterdir()), ids=lambda path: path.name)
def test_the_scripts_of_ci_are_sound(script: Path) -> None:
    checker = Path(sys.executable).with_name("shellcheck")
    checked = subprocess.run([str(checker), str(script)], capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("tags", "version"),
    [((), "0.0.dev1"), (("before-9", "2026-demo"), "0.0.dev1"), (("v1.2.3", "before-9"), "1.2.3")],
    ids=["none", "others", "a release"],
)
def test_the_version_is_that_of_a_tag_of_a_release_alone(tmp_path: Path, tags: tuple[str, ...], version: str) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@localhost"]
    for arguments in (["init"], ["commit", "--allow-empty", "--message", "x"], *(["tag", tag] for tag in tags)):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    assert _version(tmp_path) == version


def test_files_without_a_history_have_a_version(tmp_path: Path) -> None:
    assert _version(tmp_path) == "0.0.dev0"


def _version(root: Path) -> str:
    """The version that a build of such a folder has."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["version"]
    told: str = VCSVersionSource(str(root), settings).get_version_data()["version"]
    return told


def test_the_modules_that_take_long_are_there() -> None:
    assert [path for path in order.SLOW if not (order.FOLDER / path).exists()] == []


def test_blame_is_told_of_whole_commits() -> None:
    listed = (ROOT / ".git-blame-ignore-revs").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"#.*|[0-9a-f]{40}", line) for line in listed)
