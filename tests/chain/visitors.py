"""People who ask the API while something is changed."""

import threading
import urllib.request


class Visitors:
    """People who ask the API all the time, below its rate limit."""

    def __init__(self, url: str, review: str) -> None:
        self._request = urllib.request.Request(url, review.encode(), {"Accept": "application/json"})
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answers: list[str] = []

    def __enter__(self) -> "Visitors":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._over.wait(0.15):
            try:
                with urllib.request.urlopen(self._request, timeout=60) as answer:
                    self.answers.append(answer.read().decode())
            except OSError as problem:
                self.answers.append(f"failed: {problem}")
