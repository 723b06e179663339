"""What nothing serves, found against moto."""

import pytest

from sentictl.config.config import Config
from sentictl.config.state import Record
from sentictl.errors import DamagedStateError
from sentictl.services.operations.unused import survey
from sentictl.services.resources.artifacts import make_current
from tests.services.operations.conftest import Shop, digest_of, name_of, names


def test_the_newest_the_live_and_the_one_before_it_stay(shop: Shop) -> None:
    assert shop.unused("version") == names("ad")
    assert shop.unused("dataset") == [digest_of("a"), digest_of("d")]
    assert shop.unused("version", keep=2) == names("a")
    assert shop.unused("version", keep=9) == []
    assert survey(shop.context, 1).kept == names("bce")


@pytest.mark.parametrize("given", [name_of("a"), "1"])
def test_the_pinned_version_stays_with_its_dataset(shop: Shop, given: str) -> None:
    shop.choose(given)
    assert shop.unused("version") == names("d")
    assert shop.unused("dataset") == [digest_of("d")]


def test_what_predict_asks_here_stays(shop: Shop) -> None:
    make_current(shop.context, shop.context.config.folder.models / name_of("a"))
    assert shop.unused("version") == names("d")
    assert digest_of("a") not in shop.unused("dataset")


def test_what_another_environment_has_stays_on_this_machine(shop: Shop) -> None:
    folder = shop.context.config.folder
    shop.context.config.save_state()
    prod = Config.load(folder, "prod")
    prod.state.keep(Record("dataset", f"datasets/{digest_of('a')}/", "s3://a"))
    prod.save_state()
    (found,) = [each for each in survey(shop.context, 1).unused if each.name == digest_of("a")]
    assert (found.bytes_on_s3, found.path) == (200, None)
    text = folder.settings_file.read_text()
    folder.settings_file.write_text(text + "[[state.prod.resources]]\nkind = 7\n")
    with pytest.raises(DamagedStateError, match=r"state\.prod"):
        survey(shop.context)


@pytest.mark.parametrize(("status", "stays"), [("InProgress", True), ("Completed", True), ("Failed", False)])
def test_what_a_job_without_a_recorded_end_needs_stays(shop: Shop, status: str, stays: bool) -> None:
    shop.begin_training("d", status)
    shop.train("f", 6)
    assert (digest_of("d") not in shop.unused("dataset")) is stays
    assert shop.unused("checkpoints") == ([] if stays else names("d"))


def test_the_newest_job_can_be_resumed_though_it_failed(shop: Shop) -> None:
    shop.begin_training("f", "Failed")
    assert shop.unused("checkpoints") == []


def test_a_dataset_that_was_only_planned_with_goes(shop: Shop) -> None:
    shop.prepare(digest_of("9"))
    assert digest_of("9") in shop.unused("dataset")
