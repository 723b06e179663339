"""The official layout's names and films."""

from collections.abc import Iterable, Iterator

import pytest

from sentictl.reviews.read.folders.layout import LayoutSource, Place, place
from sentictl.reviews.read.source import Review

POSITIVE, NEGATIVE = "train/pos", "train/neg"


class Files(LayoutSource):
    """A source of these files."""

    def __init__(self, files: Iterable[tuple[Place, bytes]]) -> None:
        super().__init__("files")
        self.files = list(files)

    def fingerprint(self) -> str:
        return ""

    def _files(self) -> Iterator[tuple[Place, bytes]]:
        return iter(self.files)


def films(files: Iterable[tuple[Place, bytes]]) -> dict[str, str]:
    """The film of each review, by the review's text."""
    source = Files(files)
    found = list(source.reviews())
    return {review.text: source.film(review.film or "") for review in found}


@pytest.mark.parametrize("above", ["", "./", "aclImdb/", "./aclImdb/", "renamed/"])
def test_places_of_reviews_and_addresses(above: str) -> None:
    assert place(f"{above}train/pos/0_9.txt") == Place("train/pos", 0)
    assert place(f"{above}test/neg/12499_1.txt") == Place("test/neg", 12499)
    assert place(f"{above}train/unsup/49999_0.txt") == Place("train/unsup", 49999)
    assert place(f"{above}test/urls_neg.txt") == Place("test/neg", None)


@pytest.mark.parametrize(
    "name",
    [
        "aclImdb/README", "aclImdb/test/unsup/0_0.txt", "aclImdb/train/urls_unsup.txt", "train/pos", "",
        "aclImdb/train/pos/._0_9.txt", "a/b/train/pos/0_9.txt", "train/pos/0_9.txt.gz", "train/pos/x_9.txt",
        "aclImdb/train/labeledBow.feat", "../train/pos/0_9.txt\n",
    ],
)  # fmt: skip
def test_all_else_has_no_place(name: str) -> None:
    assert place(name) is None


@pytest.mark.parametrize("addresses_at", [0, 1, 2])
def test_films_are_found_wherever_their_addresses_come(addresses_at: int) -> None:
    files = [(Place(POSITIVE, 1), b"second"), (Place(POSITIVE, 0), b"first")]
    addresses = b"http://www.imdb.com/title/tt0064354/usercomments\nhttp://www.imdb.com/title/tt001/reviews\n"
    files.insert(addresses_at, (Place(POSITIVE, None), addresses))
    assert films(files) == {"first": "tt0064354", "second": "tt001"}


def test_reviews_come_as_their_files_do() -> None:
    files = [(Place(POSITIVE, 1), b"second"), (Place("train/unsup", 0), b"unlabelled"), (Place("test/neg", 0), b"bad")]
    assert [review[:3] for review in Files(files).all_reviews()] == [
        ("second", 1, "train"), ("unlabelled", None, None), ("bad", 0, "test"),
    ]  # fmt: skip


def test_unlabelled_reviews_come_only_when_asked_for() -> None:
    source = Files([(Place(POSITIVE, 0), b"good"), (Place("train/unsup", 0), b"unlabelled")])
    assert [review.text for review in source.reviews()] == ["good"]
    assert Review("unlabelled", None) in source.all_reviews()


def test_a_film_has_one_name_under_all_its_addresses() -> None:
    files = [
        (Place(POSITIVE, None), b"http://www.imdb.com/title/tt7/usercomments"),
        (Place(NEGATIVE, None), b"http://www.imdb.com/title/tt7/usercomments-index"),
        (Place(POSITIVE, 0), b"good"),
        (Place(NEGATIVE, 0), b"bad"),
    ]
    assert films(files) == {"good": "tt7", "bad": "tt7"}


def test_without_an_address_there_is_no_film() -> None:
    reviews = [(Place(POSITIVE, number), b"%d" % number) for number in range(3)]
    assert films([(Place(POSITIVE, None), b"\nelsewhere"), *reviews]) == {"0": "", "1": "elsewhere", "2": ""}
    assert films(reviews) == {"0": "", "1": "", "2": ""}
