"""A project's name, from its folder's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.config.identity import LONGEST_NAME, is_name, name_of_folder, with_suffix

FOLDERS = st.text(min_size=1).filter(lambda name: "/" not in name and "\0" not in name)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,18}[a-z0-9]", fullmatch=True).filter(is_name)


@given(FOLDERS)
def test_every_folder_gives_a_name(folder: str) -> None:
    assert is_name(name_of_folder(folder))


@given(NAMES)
def test_a_folder_that_is_called_as_a_project_can_be_gives_its_name(name: str) -> None:
    assert name_of_folder(name) == name


@pytest.mark.parametrize(
    ("folder", "beginning"),
    [
        ("2024 Films", "p2024-films-"),
        ("Films", "films-"),
        ("a", "a-"),
        ("Kritiken über Filme aus aller Welt", "kritiken-uber-"),
        ("my_reviews", "my-reviews-"),
        ("films-", "films-"),
        ("xn--films", "xn-films-"),
        ("sthree-films", "psthree-films-"),
        ("STHREE", "psthree-"),
        ("映画", "reviews-"),
        ("...", "reviews-"),
    ],
)
def test_any_other_is_brought_into_form_and_marked(folder: str, beginning: str) -> None:
    name = name_of_folder(folder)
    assert name.startswith(beginning)
    assert len(name) == len(beginning) + 6
    assert is_name(name)


def test_folders_that_come_to_the_same_give_different_names() -> None:
    alike = [
        "films",
        "Films",
        "FILMS",
        "films ",
        "films-",
        "_films",
        "fílms",
        "2024 films",
        "2024-films",
        "x" * 30,
        "x" * 31,
    ]
    assert len({name_of_folder(folder) for folder in alike}) == len(alike)


def test_a_folder_whose_name_is_no_text_gives_a_name() -> None:
    assert is_name(name_of_folder(b"films \xff".decode("utf-8", "surrogateescape")))


@pytest.mark.parametrize(
    "name", ["a", "x" * 21, "2films", "films-", "Films", "a b", "", "xn--a", "sthree-a", "amzn-s3-demo-a"]
)
def test_what_aws_does_not_take_is_no_name(name: str) -> None:
    assert not is_name(name)


@given(NAMES)
def test_a_name_with_a_suffix_is_a_name(name: str) -> None:
    suffixed = with_suffix(name, "0f3a")
    assert is_name(suffixed)
    assert len(suffixed) <= LONGEST_NAME
