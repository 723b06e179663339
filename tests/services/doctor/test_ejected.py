"""What doctor tells of a project's own copies."""

import hashlib
from pathlib import Path

import pytest

from sentictl.config.settings import Settings
from sentictl.scaffold.init import EJECTED, initialize
from sentictl.services.doctor.check import CheckResult, CheckStatus, carry_out
from sentictl.services.doctor.ejected import Copy, access_checks, compare, ejected_checks

HANDLER = "templates/lambda/handler.py"
PARTS = ("container", "lambda", "policies", "site")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ejected project's folder."""
    monkeypatch.chdir(tmp_path)
    initialize(eject=True)
    return tmp_path


def findings(root: Path) -> dict[str, CheckResult]:
    return dict(carry_out(ejected_checks(root)))


def append(path: Path, text: str = "# more\n") -> None:
    path.write_text(path.read_text() + text)


def as_if_ejected_from_another(root: Path, path: str) -> None:
    """Record a file, as it is now, as the one that was installed when it was copied."""
    digest = hashlib.sha256((root / path).read_bytes()).hexdigest()
    lines = [line for line in (root / EJECTED).read_text().splitlines() if not line.endswith(path)]
    (root / EJECTED).write_text("".join(f"{line}\n" for line in [*lines, f"{digest}  {path}"]))


def test_a_project_without_copies_is_not_checked_for_them(tmp_path: Path) -> None:
    assert ejected_checks(tmp_path) == []


def test_fresh_copies_are_as_installed(root: Path) -> None:
    found = findings(root)
    assert set(found) == {f"own {name}" for name in ("model_code", *(f"templates/{p}" for p in PARTS))}
    assert {finding.status for finding in found.values()} == {CheckStatus.OK}


def test_each_file_is_told_by_how_it_stands(root: Path) -> None:
    append(root / "model_code" / "train.py")
    (root / "model_code" / "mine.py").touch()
    (root / "model_code" / "inference.py").unlink()
    (root / "model_code" / "sentimodel" / "text.py").unlink()
    (root / "model_code" / "sentimodel" / "__pycache__").mkdir()
    (root / "model_code" / "sentimodel" / "__pycache__" / "text.pyc").touch()
    stands = compare(root, "model_code")
    assert {path: copy for path, copy in stands.items() if copy is not Copy.SAME} == {
        "model_code/train.py": Copy.CHANGED,
        "model_code/mine.py": Copy.EXTRA,
        "model_code/sentimodel/text.py": Copy.MISSING,  # the package is taken whole, and the scripts are not
    }
    finding = findings(root)["own model_code"]
    assert finding.status == CheckStatus.WARNING
    assert "changed here: train.py" in finding.found
    assert "missing: sentimodel/text.py" in finding.found
    assert "init --eject" in finding.mend
    assert "diff -u" in finding.mend


def test_what_a_newer_sentictl_changed_is_told_from_what_the_project_did(root: Path) -> None:
    append(root / HANDLER, "# as an older sentictl had it\n")
    as_if_ejected_from_another(root, HANDLER)
    assert compare(root, "templates/lambda")[HANDLER] == Copy.OUTDATED
    assert "delete" in findings(root)["own templates/lambda"].mend
    append(root / HANDLER)
    assert compare(root, "templates/lambda")[HANDLER] == Copy.BOTH
    (root / EJECTED).unlink()
    assert compare(root, "templates/lambda")[HANDLER] == Copy.CHANGED


def test_a_package_without_its_beginning_fails(root: Path) -> None:
    (root / "model_code" / "sentimodel" / "__init__.py").unlink()
    finding = findings(root)["own model_code"]
    assert finding.status == CheckStatus.FAILED
    assert "init --eject" in finding.mend


@pytest.mark.parametrize("auth", ["none", "key", "iam", "cognito"])
def test_fresh_copies_ask_in_every_way(root: Path, auth: str) -> None:
    settings = Settings.model_validate({"api": {"auth": auth, "cors_origins": ["https://films.example"]}})
    assert [each.status for _, each in carry_out(access_checks(root, settings))] == [CheckStatus.OK]


@pytest.mark.parametrize(
    ("auth", "file"), [("key", "index.html"), ("cognito", "entering.js"), ("cognito", "index.html")]
)
def test_a_page_of_ones_own_that_cannot_ask_is_told(root: Path, auth: str, file: str) -> None:
    (root / "templates" / "site" / file).write_text("<p>mine</p>")
    asking, open_to_all = (Settings.model_validate({"api": {"auth": each}}) for each in (auth, "none"))
    ((_, finding),) = carry_out(access_checks(root, asking))
    assert (finding.status, f'"{auth}"' in finding.found) == (CheckStatus.WARNING, True)
    assert [each.status for _, each in carry_out(access_checks(root, open_to_all))] == [CheckStatus.OK]


def test_a_handler_of_ones_own_that_lets_every_page_read_is_told(root: Path) -> None:
    (root / HANDLER).write_text("def lambda_handler(event, context): ...\n")
    settings = Settings.model_validate({"api": {"cors_origins": ["https://films.example"]}})
    ((_, finding),) = carry_out(access_checks(root, settings))
    assert "api.cors_origins keeps no page out" in finding.found


def test_who_has_no_templates_of_their_own_is_not_told_of_them(tmp_path: Path) -> None:
    assert access_checks(tmp_path, Settings()) == []
