"""A row of a table, and the columns that are asked of it."""

import difflib
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from sentictl.errors import DataError
from sentictl.reviews.read.command import ReadingCommand
from sentictl.reviews.read.labels import LabelReader

if TYPE_CHECKING:
    from sentictl.config.settings import DataSettings

MOST_NAMES_SHOWN = 300  # characters


class Row(NamedTuple):
    """A row of a table: where it begins, for messages, its fields in the file's order, and what is wrong with it."""

    where: str
    fields: dict[str, Any]
    problem: DataError | None = None


class Asked(NamedTuple):
    """What is asked of a table.

    Attributes:
        settings: how it is to be read, as far as a person says so, and what its columns are called.
        command: what a hint says to run again.
        labels: reads its labels; None where none are asked for.
    """

    settings: "DataSettings"
    command: ReadingCommand
    labels: LabelReader | None = None

    @property
    def columns(self) -> list[str]:
        """The names of the columns that have to be there."""
        return [self.settings.review_column, *([self.settings.label_column] if self.labels else [])]

    def text(self, row: Row) -> str:
        """The review of a row; JSON's null is an empty one.

        Raises:
            DataError: there is no such column, or something else than text in it.
        """
        text = self.field(row, "review_column")
        if text is None:
            return ""
        if not isinstance(text, str):
            nested = isinstance(text, dict | list)
            raise DataError(
                f"{row.where}: {self.settings.review_column!r} is of type {type(text).__name__}, not text.",
                f"Write the text itself into {self.settings.review_column}: what lies deeper is not looked for."
                if nested
                else self._name(row, "review_column"),
            )
        return text

    def field(self, row: Row, setting: str) -> Any:
        """The value in the column that a setting names.

        Raises:
            DataError: there is no such column; the message names those that there are.
        """
        column: str = getattr(self.settings, setting)
        key = find(column, row.fields)
        if key is not None and key != column and len(alike := _alike(column, row.fields)) > 1:
            raise DataError(
                f"{row.where}: the columns {' and '.join(map(repr, alike))} are both called {column!r}.",
                self._name(row, setting),
            )
        if key is not None:
            return row.fields[key]
        there = textwrap.shorten(", ".join(row.fields), MOST_NAMES_SHOWN, placeholder=" …") or "none"
        raise DataError(
            f"{row.where}: there is no column {column!r}; the columns are {there}.", self._name(row, setting)
        )

    def _name(self, row: Row, setting: str) -> str:
        """The hint to name a column: the one that was most likely meant."""
        others = [
            name
            for name, value in row.fields.items()
            if name not in self.columns and len(name) <= MOST_NAMES_SHOWN and not isinstance(value, dict | list)
        ]
        close = difflib.get_close_matches(normal(getattr(self.settings, setting)), map(normal, others), n=1)
        by_length = sorted(others, key=lambda name: len(str(row.fields[name])), reverse=setting == "review_column")
        meant = next((name for name in by_length if not close or normal(name) == close[0]), "NAME")
        question = f"Did you mean {meant!r}? " if close else ""
        return f"{question}Name it: {self.command.again(self.settings, **{setting: meant})}"


def find(column: str, names: Any) -> str | None:
    """The name that a column has in a table: this one, or one that differs in case and in blanks around it only."""
    if column in names:
        return column
    return next(iter(_alike(column, names)), None)


def _alike(column: str, names: Iterable[str]) -> list[str]:
    wanted = normal(column)
    return [name for name in names if normal(name) == wanted]


def normal(name: str) -> str:
    """A column's name as it is compared."""
    return name.strip().casefold()
