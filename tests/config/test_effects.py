"""Settings that do nothing in what the model is served from: which they are, and how that is told."""

import pytest

from sentictl.config.dotted_keys import get
from sentictl.config.effects import COUNTS_WITH, without_effect
from sentictl.config.settings import Settings


def settings(serving: str) -> Settings:
    return Settings.model_validate({"project": {"name": "films"}, "deploy": {"serving": serving}})


@pytest.mark.parametrize("key", COUNTS_WITH)
def test_it_knows_settings_that_there_are(key: str) -> None:
    get(settings("instance"), key)


@pytest.mark.parametrize(
    ("serving", "key", "told"),
    [
        ("lambda", "lambda.memory_mb", ["the function has deploy.memory_mb then"]),
        ("lambda", "deploy.image", ['while deploy.serving is "lambda"']),
        ("serverless", "deploy.instance_type", ['while deploy.serving is "serverless"']),
        ("instance", "deploy.memory_mb", ['while deploy.serving is "instance"']),
        ("serverless", "deploy.memory_mb", []),
        ("instance", "lambda.memory_mb", []),
        ("lambda", "lambda.timeout_seconds", []),
        ("lambda", "train.epochs", []),
    ],
)
def test_what_has_no_effect_is_told_with_what_counts_instead(serving: str, key: str, told: list[str]) -> None:
    found = without_effect(settings(serving), [key])
    assert len(found) == len(told)
    for sentence, part in zip(found, told, strict=True):
        assert sentence.startswith(f"{key} has no effect")
        assert sentence.endswith(part)
