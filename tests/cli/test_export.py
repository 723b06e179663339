"""`sentictl export` as it is called."""

import json
from pathlib import Path

import pytest

from sentictl.assets.installed import templates
from tests.cli.conftest import Run

LARGEST = 51_200  # bytes that CloudFormation takes without a bucket

TRAINED = """
[project]
name = "films"

[state.local]
version = 2

[[state.local.resources]]
kind = "training-job"
name = "films-local-0123456789ab"
arn = "arn:aws:sagemaker:us-east-1:123456789012:training-job/films-local-0123456789ab"
artifact = "s3://films-local-123456789012/models/films-local-0123456789ab/output/model.tar.gz"
"""


def test_the_template_is_the_result(tmp_path: Path, run: Run) -> None:
    settings = tmp_path / "sentictl.toml"
    settings.write_text(TRAINED)
    try:
        printed, wrapped = run("export", "--cloudformation"), run("export", "--cloudformation", "--json")
        written = run("export", "--cloudformation", "--output", "stack.json")
    finally:
        run("local", "stop")
    template = json.loads(printed.stdout)
    assert template["Resources"]["Endpoint"]["Properties"]["EndpointName"] == "films-local-endpoint"
    assert json.loads(wrapped.stdout) == {"template": template}
    assert json.loads((tmp_path / "stack.json").read_text()) == template
    assert written.stdout == f"Wrote stack.json: {len(template['Resources'])} resources.\n"
    assert settings.read_text() == TRAINED


def test_a_template_that_is_too_large_is_squeezed_and_what_still_is_goes_by_way_of_the_bucket(
    tmp_path: Path, run: Run
) -> None:
    (tmp_path / "sentictl.toml").write_text(TRAINED)
    handler = tmp_path / "templates" / "lambda" / "handler.py"
    handler.parent.mkdir(parents=True)
    own = (templates() / "lambda" / "handler.py").read_text()
    done, texts = [], []
    try:
        for more in (5_000, 20_000):
            handler.write_text(f"{own}\n{'#' * more}\n")
            done.append(run("export", "--cloudformation", "--output", "stack.json"))
            texts.append((tmp_path / "stack.json").read_text())
            json.loads(texts[-1])
    finally:
        run("local", "stop")
    assert [text.strip().count("\n") for text in texts] == [0, 0]
    assert len(texts[0].encode()) <= LARGEST < len(texts[1].encode())
    command = (
        "aws cloudformation deploy --stack-name films --template-file stack.json "
        "--s3-bucket films-local-123456789012 --capabilities CAPABILITY_NAMED_IAM --region us-east-1"
    )
    assert [command in " ".join(each.stderr.split()) for each in done] == [False, True]


def test_the_document_is_the_result(tmp_path: Path, run: Run) -> None:
    (tmp_path / "sentictl.toml").write_text('[project]\nname = "films"\n')
    try:
        printed, wrapped = run("export", "--openapi"), run("export", "--openapi", "--json")
        written = run("export", "--openapi", "--output", "openapi.json")
    finally:
        run("local", "stop")
    document = json.loads(printed.stdout)
    assert document["info"]["title"] == "films-local-api"
    assert json.loads(wrapped.stdout) == {"document": document}
    assert json.loads((tmp_path / "openapi.json").read_text()) == document
    assert written.stdout == "Wrote openapi.json: 3 methods.\n"


@pytest.mark.parametrize("forms", [(), ("--cloudformation", "--openapi")])
def test_one_form_has_to_be_said(run: Run, forms: tuple[str, ...]) -> None:
    done = run("export", *forms)
    assert done.returncode == 2
    assert "sentictl export --cloudformation" in done.stderr
    assert "sentictl export --openapi" in done.stderr


def test_an_output_without_a_folder_is_refused_before_anything_is_done(tmp_path: Path, run: Run) -> None:
    done = run("export", "--cloudformation", "--output", "nowhere/stack.json")
    assert done.returncode == 2
    assert "There is no folder" in done.stderr
    assert list(tmp_path.iterdir()) == []
