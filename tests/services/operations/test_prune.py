"""What nothing serves, deleted, against moto."""

import os
import re
import time
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.aws.environment import Environment
from sentictl.config.config import Config
from sentictl.config.state import Record
from sentictl.errors import ForeignError, ModelError
from sentictl.lifecycle.reconcile import Step
from sentictl.services.evaluate.versions import choose, versions
from sentictl.services.iam.permissions import every_action, reading_actions
from sentictl.services.kept import KEPT
from sentictl.services.operations.prune import piled_up, prune
from sentictl.services.operations.unused import survey
from sentictl.services.resources.storage import delete_bucket
from tests.golden.requests import record as recorded
from tests.services.iam.test_permissions import actions_for
from tests.services.operations.conftest import VERSIONS, Shop, digest_of, name_of, names


class Silent:
    """Notes what is deleted."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    def started(self, step: Step) -> None:
        self.deleted.append(step.name)

    def finished(self, step: Step, summary: str) -> None:
        pass


def test_what_was_deleted_is_gone_and_is_not_offered_any_more(shop: Shop) -> None:
    silent = Silent()
    found = prune(shop.context, silent, 1)
    assert silent.deleted == [each.name for each in found.unused]
    assert found.size > 600
    assert name_of("a") not in shop.listing()
    assert digest_of("a") not in shop.listing()
    folder = shop.context.config.folder
    assert sorted(path.name for path in folder.models.iterdir()) == names("bce")
    assert sorted(path.name for path in folder.datasets.iterdir()) == [digest_of(letter) for letter in "bce"]
    shop.context = replace(shop.context, config=Config.load(folder))
    assert [(each.number, bool(each.pruned)) for each in versions(shop.context)] == [
        (1, True), (2, False), (3, False), (4, True), (5, False)
    ]  # fmt: skip
    assert shop.context.state.of_kind("training-job")[-1].name == name_of("e")  # still what the settings make
    assert choose(shop.context, "previous") == name_of("b")
    with pytest.raises(ModelError, match=r"\(version 4\) was deleted by sentictl prune on 20") as error:
        choose(shop.context, "4")
    assert error.value.hint == f"Versions: 2 ({name_of('b')}), 3 ({name_of('c')}), 5 ({name_of('e')})."
    assert survey(shop.context, 1).unused == []


def test_the_version_before_is_the_one_before_that_is_left(shop: Shop) -> None:
    prune(shop.context, Silent(), 1)
    attributes = shop.context.state.of_kind("training-job")
    shop.context.state.amend(replace(attributes[1], attributes={**attributes[1].attributes, "pruned": "2026-11-29"}))
    with pytest.raises(ModelError, match="There is none before"):
        choose(shop.context, "previous")


def test_a_kill_in_the_middle_is_healed_by_pruning_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "DeleteObjects")

    client = shop.context.environment.client("s3")
    with monkeypatch.context() as patched:
        patched.setattr(client, "delete_objects", refuse)
        with pytest.raises(ClientError):
            prune(shop.context, Silent(), 1)
    assert name_of("a") in shop.listing()
    with pytest.raises(ModelError, match="was deleted by sentictl prune"):
        choose(shop.context, "1")
    prune(shop.context, Silent(), 1)
    assert name_of("a") not in shop.listing()


def test_what_is_damaged_or_not_known_is_left_alone_and_told(shop: Shop) -> None:
    folder = shop.context.config.folder
    damaged = folder.models / name_of("a") / "metadata.json"
    damaged.write_text("{")
    (folder.models / "notes").mkdir()
    (folder.datasets / digest_of("a") / "manifest.json").unlink()
    (folder.datasets / "notes.txt").write_text("mine")
    shop.put("datasets/by-hand/reviews.csv")
    shop.put("models/by-hand/output/model.tar.gz")
    untouched = dict(prune(shop.context, Silent(), 1).untouched)
    bucket = shop.context.naming.bucket
    assert untouched == {
        str(folder.models / name_of("a")): "it is no whole model",
        str(folder.models / "notes"): "it is of no version that is recorded",
        str(folder.datasets / digest_of("a")): "it is no whole dataset",
        str(folder.datasets / "notes.txt"): "it is no whole dataset",
        f"s3://{bucket}/datasets/by-hand/": "it is not recorded here; record it with: sentictl import",
        f"s3://{bucket}/models/by-hand/": "it is not recorded here; record it with: sentictl import",
    }
    assert damaged.exists()
    assert (folder.datasets / "notes.txt").exists()
    assert "datasets/by-hand/reviews.csv" in shop.listing()


def test_a_bucket_of_another_project_is_not_touched(shop: Shop) -> None:
    tags = [{"Key": "sentictl:project", "Value": "songs"}]
    shop.context.environment.client("s3").put_bucket_tagging(
        Bucket=shop.context.naming.bucket, Tagging={"TagSet": tags}
    )
    before = shop.listing()
    with pytest.raises(ForeignError, match="is not this project's"):
        prune(shop.context, Silent(), 1)
    assert shop.listing() == before
    assert len(list(shop.context.config.folder.models.iterdir())) == len(VERSIONS)


def test_where_the_bucket_is_gone_what_is_recorded_of_it_is_no_version_to_go_back_to(shop: Shop) -> None:
    delete_bucket(shop.context, shop.context.naming.bucket)
    prune(shop.context, Silent(), 1)
    assert [bool(each.pruned) for each in versions(shop.context)] == [True, False, False, True, False]


def test_what_killed_commands_left_goes_and_what_is_being_made_stays(shop: Shop) -> None:
    folder = shop.context.config.folder
    for name in (".making-old", ".making-new", ".pruned-new"):
        (folder.datasets / name).mkdir()
    batches = [folder.cache / name for name in (".batch-old", ".batch-new")]  # the reviews of a transform job
    for batch in batches:
        batch.mkdir()
    for old in (folder.datasets / ".making-old", batches[0]):
        os.utime(old, (time.time() - 10**6,) * 2)
    assert shop.unused("unfinished") == [".making-old", ".pruned-new", ".batch-old"]
    prune(shop.context, Silent(), 1)
    assert [path.name for path in folder.datasets.glob(".*")] == [".making-new"]
    assert [batch.exists() for batch in batches] == [False, True]


def test_it_takes_only_what_the_policy_allows(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = recorded(monkeypatch)
    environment = Environment("local", "eu-west-1")
    environment.__dict__["account"] = shop.context.environment.account
    context = replace(shop.context, environment=environment)

    def taken() -> set[str]:
        return {action for request in requests for action in actions_for(request.service, request.operation)}

    survey(context, 1)
    assert "s3:ListBucket" in taken()
    assert taken() <= set(reading_actions(KEPT))
    prune(context, Silent(), 1)
    assert "s3:DeleteObject" in taken()
    assert taken() <= set(every_action(KEPT))


def test_little_is_not_told_and_much_is(shop: Shop) -> None:
    assert piled_up(shop.context) == ""
    stray = shop.context.config.folder.datasets / ".pruned-large"
    stray.mkdir()
    with (stray / "reviews-00000.npz").open("wb") as sparse:
        sparse.truncate(1_200_000_000)
    told = piled_up(shop.context)
    assert re.fullmatch(r"\d+ datasets, .* nothing serves take 1\.2 GB\. Look at them: sentictl prune", told)


def test_many_datasets_are_told(shop: Shop) -> None:
    for number in range(11):
        shop.prepare(f"{number:016}")
    assert "sentictl prune" in piled_up(shop.context)
    settings = shop.context.config.folder.settings_file
    settings.write_text(settings.read_text() + "\n[state.prod]\nversion = 'x'\n")
    assert piled_up(shop.context) == ""  # cannot be told, which is no error of `data`


def test_what_jobs_on_aws_prepared_from_goes_with_its_dataset_and_the_newest_stays(shop: Shop) -> None:
    for number, dataset in enumerate((digest_of("a"), digest_of("e"), digest_of("a")), start=1):
        digest = f"{number:012x}"
        shop.put(f"processing/{digest}/code/order.json")
        shop.context.state.keep(Record("processing-code", f"processing/{digest}/", f"arn:{digest}"))
        job = Record("processing-job", f"films-local-{digest}", f"arn:{digest}", {"dataset": dataset})
        shop.context.state.keep(job)
    shop.put("processing/ffffffffffff/code/order.json")
    assert shop.unused("preparation") == ["films-local-000000000001"]
    assert any("processing/ffffffffffff/" in where for where, _ in survey(shop.context, 1).untouched)
    prune(shop.context, Silent(), 1)
    assert "processing/000000000001/" not in shop.listing()
    assert [record.name for record in shop.context.state.of_kind("processing-code")] == [
        "processing/000000000002/",
        "processing/000000000003/",
    ]
