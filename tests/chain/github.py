"""GitHub as the workflow's steps ask it by `gh api`: the pull requests of a repository and their comments, in files."""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPOSITORY = "you/toy"
TIME = "%Y-%m-%dT%H:%M:%SZ"
BOT = "github-actions[bot]"  # whose token a job has


@dataclass(frozen=True)
class GitHub:
    """The repository, whose state is in a folder.

    Args:
        folder: holds the pull requests and comments, and the program `gh`.
    """

    folder: Path

    def begin(self) -> None:
        """Put the program `gh` in the folder, and `python` as actions/setup-python has it, which sentictl is in."""
        self.folder.mkdir()
        for name, command in {"gh": f"{sys.executable} {__file__} {self.folder}", "python": sys.executable}.items():
            program = self.folder / name
            program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
            program.chmod(0o755)
        self._save("comments", [])

    def pull(self, number: int, state: str, changed: datetime | None = None) -> None:
        """Have a pull request in a state, in which something happened last at that time; by default now."""
        updated = (changed or datetime.now(UTC)).strftime(TIME)
        self._save(f"pull-{number}", {"state": state, "updated_at": updated})

    def comment(self, number: int, user: str, body: str) -> None:
        """Have somebody write a comment."""
        comments = self.comments()
        comment = {"id": 100 + len(comments), "number": number, "user": {"login": user}, "body": body}
        self._save("comments", [*comments, comment])

    def comments(self) -> list[dict[str, Any]]:
        """All comments: `id`, `number` of the pull request, `user` and `body`."""
        found: list[dict[str, Any]] = self._load("comments")
        return found

    def answer(self, arguments: list[str]) -> str:
        """What `gh` prints for these arguments."""
        parser = argparse.ArgumentParser()
        for flag in ("--paginate", "--silent"):
            parser.add_argument(flag, action="store_true")
        for option, default in (("--method", "GET"), ("--jq", "."), ("--field", "")):
            parser.add_argument(option, default=default)
        parser.add_argument("path")
        asked = parser.parse_args(arguments[1:])
        body = Path(asked.field.removeprefix("body=@")).read_text() if asked.field else ""
        answer = self._call(asked.method, asked.path.removeprefix(f"repos/{REPOSITORY}/").split("/"), body)
        if asked.silent:
            return ""
        filtered = ["jq", "--raw-output", asked.jq]
        return subprocess.run(filtered, input=json.dumps(answer), capture_output=True, text=True, check=True).stdout

    def _call(self, method: str, path: list[str], body: str) -> Any:
        match method, path:
            case "GET", ["pulls", number]:
                return self._load(f"pull-{number}")
            case "GET", ["issues", number, "comments"]:
                return [each for each in self.comments() if each["number"] == int(number)]
            case "POST", ["issues", number, "comments"]:
                self.comment(int(number), BOT, body)
            case "PATCH", ["issues", "comments", which]:
                others = [each | ({"body": body} if each["id"] == int(which) else {}) for each in self.comments()]
                self._save("comments", others)
            case _:
                raise SystemExit(f"there is no {method} {path}")
        return None

    def _load(self, name: str) -> Any:
        file = self.folder / f"{name}.json"
        if not file.exists():
            raise SystemExit("gh: Not Found (HTTP 404)")
        return json.loads(file.read_text())

    def _save(self, name: str, document: Any) -> None:
        (self.folder / f"{name}.json").write_text(json.dumps(document))


if __name__ == "__main__":
    sys.stdout.write(GitHub(Path(sys.argv[1])).answer(sys.argv[2:]))
