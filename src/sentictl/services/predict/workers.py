"""Processes that answer beside this one, as Python lets only one thread of a process run at a time.

Each runs this module as a program. It reads a JSON list of texts in each line of its stdin, answers with a line that
lists their predictions, and ends with its stdin: nothing is left of it, even if this process is killed.
"""

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from sentictl.scaffold.overrides import use_model_code_here
from sentictl.services.predict.rows import Prediction

ENOUGH = 6  # questions after which workers are worth their start, which takes as long as a thousand reviews
SECONDS_TO_END = 10

Ask = Callable[[Sequence[str]], list[Prediction]]


class Workers:
    """Answers in this process and, after some questions, in others as well.

    Args:
        here: asks the model in this process.
        arguments: the program's, with which it asks the same as `here`: the artifact's folder, and maybe --explain.
        most: how many other processes to start.
        many: whether to start them with the first question, as many are known to come.
    """

    def __init__(self, here: Ask, arguments: Sequence[str], most: int, *, many: bool = False) -> None:
        self._here = here
        self._arguments = arguments
        self._most = most
        self._first = 1 if many else ENOUGH
        self._asked = 0
        self._lock = threading.Lock()
        self._started: list[subprocess.Popen[bytes]] = []
        self._idle = queue.SimpleQueue[subprocess.Popen[bytes]]()

    @property
    def processes(self) -> list[int]:
        """The numbers of those that were started."""
        return [worker.pid for worker in self._started]

    def ask(self, texts: Sequence[str]) -> list[Prediction]:
        """Return the predictions of some texts; callable from several threads, each of which keeps one process busy."""
        self._start_in_time()
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            return self._here(texts)
        try:
            answers = _asked(worker, texts)
        except (OSError, ValueError):  # somebody killed it: its work is done here
            return self._here(texts)
        self._idle.put(worker)
        return answers

    def close(self) -> None:
        """End the processes, and wait until they have ended."""
        with self._lock:
            self._most = 0
            for worker in self._started:
                if worker.stdin:
                    with contextlib.suppress(BrokenPipeError):  # it was killed before it read the last question
                        worker.stdin.close()
        for worker in self._started:
            try:
                worker.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def _start_in_time(self) -> None:
        with self._lock:
            self._asked += 1
            if self._asked < self._first:
                return
            missing, self._most = self._most, 0
            self._started += [self._start() for _ in range(missing)]
        for worker in self._started[len(self._started) - missing :]:
            threading.Thread(target=self._use_when_ready, args=(worker,), daemon=True).start()

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C is for this process, which then decides what is still answered.
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "sentictl.services.predict.workers", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _use_when_ready(self, worker: "subprocess.Popen[bytes]") -> None:
        if worker.stdout and worker.stdout.readline():
            self._idle.put(worker)


def _asked(worker: "subprocess.Popen[bytes]", texts: Sequence[str]) -> list[Prediction]:
    if worker.stdin is None or worker.stdout is None:
        raise ValueError("a worker has no pipes")
    worker.stdin.write(json.dumps(list(texts)).encode() + b"\n")
    worker.stdin.flush()
    answers: list[Prediction] = json.loads(worker.stdout.readline())
    return answers


def _serve(folder: str, *options: str) -> None:
    """Be a worker until stdin ends: first tell, by a line, that the model is loaded, then answer."""
    use_model_code_here()  # before anything imports it
    from sentictl.services.predict.clients import from_artifact

    ask = from_artifact(Path(folder), explain="--explain" in options).ask
    sys.stdout.write("\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(ask(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # whoever asked has ended
        _serve(*sys.argv[1:])
