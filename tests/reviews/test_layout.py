"""The official layout's names and films."""

import pytest

from sentictl.reviews.layout import Place, place, reviews
from sentictl.reviews.source import Review


@pytest.mark.parametrize("above", ["", "./", "aclImdb/", "./aclImdb/", "renamed/"])
def test_places_of_reviews_and_addresses(above: str) -> None:
    assert place(f"{above}train/pos/0_9.txt") == Place("train", 1, 0)
    assert place(f"{above}test/neg/12499_1.txt") == Place("test", 0, 12499)
    assert place(f"{above}test/urls_neg.txt") == Place("test", 0, None)


@pytest.mark.parametrize(
    "name",
    [
        "aclImdb/README", "aclImdb/train/unsup/0_0.txt", "aclImdb/train/urls_unsup.txt", "train/pos", "",
        "aclImdb/train/pos/._0_9.txt", "a/b/train/pos/0_9.txt", "train/pos/0_9.txt.gz", "train/pos/x_9.txt",
        "aclImdb/train/labeledBow.feat", "../train/pos/0_9.txt\n",
    ],
)  # fmt: skip
def test_all_else_has_no_place(name: str) -> None:
    assert place(name) is None


@pytest.mark.parametrize("addresses_at", [0, 1, 2])
def test_films_are_found_wherever_their_addresses_come(addresses_at: int) -> None:
    group = Place("train", 1, None)
    files = [(group._replace(id=1), b"second"), (group._replace(id=0), b"first")]
    addresses = b"http://www.imdb.com/title/tt0064354/usercomments\nhttp://www.imdb.com/title/tt001/reviews\n"
    files.insert(addresses_at, (group, addresses))
    assert set(reviews(files)) == {
        Review("first", 1, "train", "tt0064354"),
        Review("second", 1, "train", "tt001"),
    }


def test_a_film_has_one_name_under_all_its_addresses() -> None:
    pos, neg = Place("train", 1, None), Place("train", 0, None)
    files = [
        (pos, b"http://www.imdb.com/title/tt7/usercomments"),
        (neg, b"http://www.imdb.com/title/tt7/usercomments-index"),
        (pos._replace(id=0), b"good"),
        (neg._replace(id=0), b"bad"),
    ]
    assert {review.film for review in reviews(files)} == {"tt7"}


def test_without_an_address_there_is_no_film() -> None:
    pos = Place("train", 1, None)
    files = [(pos, b"\nelsewhere"), *((pos._replace(id=number), b"x") for number in range(3))]
    assert [review.film for review in reviews(files)] == [None, "elsewhere", None]
    assert [review.film for review in reviews([(pos._replace(id=0), b"x")])] == [None]
