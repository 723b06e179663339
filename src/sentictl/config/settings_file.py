"""The text of `sentictl.toml`: read as TOML, and changed so that all else in it stays as people wrote it.

Settings are changed in place by tomlkit. Recorded state is a block of lines of its own, cut out and written anew.
Either way the new text is read back before it takes the place of the old one.
"""

import errno
import io
import re
import shlex
import stat
import tomllib
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AbstractTable

from sentictl.assets.atomic import write_atomically
from sentictl.errors import SettingsError, StateError

MOST_BYTES = 8 * 1024 * 1024  # twenty thousand resources' records
NOTE = "recorded by sentictl, not for editing"
HEADER = re.compile(r"\s*\[")
NOTHING = re.compile(r"\s*(#|$)")


class _SavedMeanwhileError(Exception):
    """The file is another one than the one that was read."""


@dataclass(frozen=True)
class SettingsFile:
    """A `sentictl.toml`. Every change reads it again, so that what a person wrote meanwhile stays."""

    path: Path

    def read(self) -> dict[str, Any]:
        """Return what it says.

        Raises:
            SettingsError: it is not there, or not TOML; the message says on which line.
        """
        return self._parse(self._text())

    def put(self, changes: Mapping[str, Any]) -> None:
        """Set values, by dotted key.

        Raises:
            SettingsError: it cannot be read, or is written in a form in which a key cannot be set.
            StateError: it cannot be written.
        """
        self._change(lambda text: self._with(text, changes))

    def put_state(self, environment: str, state: Mapping[str, Any]) -> None:
        """Write `[state.<environment>]` in place of what stood there, or at the end; an empty one goes away.

        Raises:
            SettingsError: it cannot be read, or has that table in a form that sentictl does not write.
            StateError: it cannot be written.
        """
        self._change(lambda text: self._with_state(text, environment, state))

    def put_with_state(self, changes: Mapping[str, Any], environment: str, state: Mapping[str, Any]) -> None:
        """Set values and write `[state.<environment>]`, both at once: a kill leaves all of it or nothing.

        Raises:
            SettingsError: it cannot be read, or has one of them in a form that sentictl does not write.
            StateError: it cannot be written.
        """
        self._change(lambda text: self._with_state(self._with(text, changes), environment, state))

    def _change(self, changed: Callable[[str], str]) -> None:
        """Write another text, made of the one that there is: anew where somebody saves the file meanwhile."""
        while True:
            before = self._text()
            try:
                self._write(changed(before), before)
            except _SavedMeanwhileError:
                continue
            return

    def _with(self, text: str, changes: Mapping[str, Any]) -> str:
        """The text with other values."""
        wanted = self._parse(text)
        try:
            document = tomlkit.parse(text)
            for key, value in changes.items():
                _put(wanted, key, value)
                _put(document, key, value)
            changed = tomlkit.dumps(document)
        except (TOMLKitError, ValueError, TypeError, AttributeError) as problem:
            raise self._unchangeable(", ".join(changes)) from problem
        if not _reads_as(changed, wanted):
            raise self._unchangeable(", ".join(changes))
        return changed

    def _with_state(self, text: str, environment: str, state: Mapping[str, Any]) -> str:
        """The text with another state of an environment, or without any."""
        wanted = _without_state(self._parse(text), environment)
        before, after = _around_state(text, environment)
        if state:
            wanted.setdefault("state", {})[environment] = state
            before += _block(before, environment, state)
        if not _reads_as(before + after, wanted):
            raise self._unchangeable(f"[state.{environment}]")
        return before + after

    def _text(self) -> str:
        """The text, without the byte-order mark that some editors put before it."""
        try:
            return self._content().decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            line = problem.object[: problem.start].count(b"\n") + 1
            raise SettingsError(
                f"{self.path} is not UTF-8 text (line {line}).",
                "Save it as UTF-8, or restore it from version control.",
            ) from None
        except FileNotFoundError:
            if self.path.is_symlink():
                raise SettingsError(
                    f"{self.path} is a link to {self.path.readlink()}, which is not there.",
                    f"Put the file there, or remove the link: rm {shlex.quote(str(self.path))}",
                ) from None
            raise SettingsError(
                f"{self.path} is not there any more.",
                "Restore it from version control, or write one with: sentictl init. "
                "What was recorded in it comes back with: sentictl import",
            ) from None
        except OSError as problem:
            raise SettingsError(
                f"{self.path} cannot be read: {problem.strerror}.",
                "Put a file in its place that you may read: restore it from version control, or move it away and "
                "write one with: sentictl init",
            ) from None

    def _content(self) -> bytes:
        """The bytes. What is no file is not opened: it may have no end, or never begin."""
        mode = self.path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise OSError(errno.EINVAL, "it is not a file")
        with self.path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            line = content.count(b"\n") + 1
            raise OSError(
                errno.EFBIG, f"it goes on after {MOST_BYTES // 1024**2} MiB, which are reached in line {line}"
            )
        return content

    def _parse(self, text: str) -> dict[str, Any]:
        try:
            return tomllib.loads(text)
        except (ValueError, RecursionError) as problem:  # ValueError: also numbers of thousands of digits
            raise SettingsError(
                f"{self.path} is not valid TOML: {problem}.", "Correct that line, or restore it from version control."
            ) from None

    def _write(self, text: str, before: str) -> None:
        def check() -> None:
            if self._text() != before:
                raise _SavedMeanwhileError

        try:
            with self.path.open("rb") as stream:
                mark = stream.read(len(BOM_UTF8)) == BOM_UTF8
            write_atomically(self.path, (BOM_UTF8 if mark else b"") + text.encode(), check=check)
        except OSError as problem:
            raise StateError(
                f"{self.path} cannot be written: {problem.strerror}. It is as it was before.",
                "Make room or make the folder writable, then run this again: it goes on from here.",
            ) from None

    def _unchangeable(self, what: str) -> SettingsError:
        return SettingsError(
            f"{self.path} is written in a form in which sentictl cannot change {what}. It is as it was before.",
            "Write tables with headers of their own, such as [train] or [env.prod], as sentictl init does.",
        )


def _put(document: Any, key: str, value: Any) -> None:
    """Set a dotted key, in a TOML document of tomlkit's or in plain tables."""
    *tables, name = key.split(".")
    dotted = len(tables) > len(("env", "NAME", "TABLE"))  # for TABLE is made of dotted keys there, as a rule
    written = _on_one_line(value) if isinstance(value, Mapping) else value
    table = document
    for part in tables:
        if part not in table and dotted and part == tables[-1]:
            _add_dotted(table, part, name, written)
            return
        if part not in table:
            table[part] = tomlkit.table(is_super_table=part != tables[-1])
        table = table[part]
    table[name] = written


def _on_one_line(values: Mapping[str, Any]) -> Any:
    table = tomlkit.inline_table()
    table.update(values)
    return table


def _add_dotted(table: Any, part: str, name: str, value: Any) -> None:
    """Begin a table in another: in a document as a dotted key, which stands among the other keys."""
    if isinstance(table, AbstractTable):
        table.add(tomlkit.key([part, name]), value)
    else:
        table[part] = {name: value}


def _reads_as(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _without_state(values: Mapping[str, Any], environment: str) -> dict[str, Any]:
    rest = deepcopy(dict(values))
    rest.get("state", {}).pop(environment, None)
    if not rest.get("state", True):
        del rest["state"]
    return rest


def _around_state(text: str, environment: str) -> tuple[str, str]:
    """The text before and after the lines of an environment's state; all of it is before where there are none.

    Its lines are the empty one above the header, and all from there to the last that is neither empty nor a comment:
    what follows that belongs to the next table.
    """
    ours = re.compile(rf"\s*\[\[?\s*state\s*\.\s*{re.escape(environment)}\s*[].]")
    kept: list[str] = []
    undecided: list[str] = []
    place: int | None = None
    inside = False
    for line in io.StringIO(text, newline="\n"):
        if HEADER.match(line):
            outside, inside = not inside, bool(ours.match(line))
            if outside and inside and kept and not kept[-1].strip():
                kept.pop()
        if not inside:
            kept += [*undecided, line]
        elif NOTHING.match(line):
            undecided.append(line)
            continue
        elif place is None:
            place = len(kept)
        undecided.clear()
    kept += undecided
    place = len(kept) if place is None else place
    return "".join(kept[:place]), "".join(kept[place:])


def _block(before: str, environment: str, state: Mapping[str, Any]) -> str:
    """The lines of an environment's state, as they follow the text before them."""
    table = tomlkit.table()
    for key, value in state.items():
        table[key] = value
    table["version"].comment(NOTE)
    states = tomlkit.table(is_super_table=True)
    states[environment] = table
    lines = tomlkit.dumps({"state": states})
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    return (gap + lines).replace("\n", "\r\n" if "\r\n" in before else "\n")
