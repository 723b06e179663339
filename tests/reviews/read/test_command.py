"""The command that a hint says to run again."""

import shlex

from sentictl.config.settings import DataSettings
from sentictl.reviews.read.command import DATA, evaluate_command, predict_command

SETTINGS = DataSettings(source="a b.csv", review_column="it's", negative="-1,no", ignore="so so")


def test_it_has_what_was_given_quoted_for_a_shell() -> None:
    words = shlex.split(DATA.again(SETTINGS, positive="1"))
    assert words == [
        *("sentictl", "data", "--source", "a b.csv", "--review-column", "it's", "--positive", "1"),
        *("--negative=-1,no", "--ignore", "so so"),
    ]


def test_a_change_back_to_the_default_is_said() -> None:
    assert DATA.again(SETTINGS, review_column="review").count("--review-column review") == 1


def test_each_command_takes_its_own_options() -> None:
    assert shlex.split(predict_command("x y.csv").again(SETTINGS, delimiter=";")) == [
        *("sentictl", "predict", "--file", "x y.csv", "--delimiter", ";", "--review-column", "it's")
    ]
    assert (
        evaluate_command("s3://films/a.csv").again(SETTINGS).startswith("sentictl evaluate --data s3://films/a.csv --")
    )
