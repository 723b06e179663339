"""Rounds: change, plan, up, ask, roll back, down; and what was wrong in them."""

import json
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.soak.judge import OK, PATIENCE_SECONDS, judge_run, judge_visits
from tests.soak.project import MOST_TRIES, PAUSE_SECONDS, Project
from tests.soak.troubles import TWIN_KILLED, Trouble
from tests.soak.visitors import REVIEW, Visit, visit, visitors, visits
from tests.sweep.inventory import compare
from tests.sweep.runs import Run

SERVINGS = ("instance", "serverless", "lambda")
WEATHERS = ("calm", "rough")
NGRAMS = (1000, 2000, 3000, 4000, 5000)
CHANCE_OF_TROUBLE = 0.5  # in a command that changes something
CHANCE_OF_RESTART = 0.05  # of the twin, at a moment at which nothing is asked of it
REVIEWS = {"positive": REVIEW, "negative": b"A dreadful plot, tedious music."}


@dataclass
class Round:
    """What was done in a round, and what was wrong with it.

    Args:
        seed: of the soak.
        project: its name.
        number: of the round; in 0 nothing goes wrong on purpose.
        serving: what serves the model.
        weather: which it begins in; other projects change it, too.
        steps: each run of a command: its words, what was to go wrong, its exit code and its seconds.
        answered: how many requests were answered rightly.
        met: how many requests met a kill.
        problems: what was wrong.
        twin: the twin's size after it.
    """

    seed: int
    project: str
    number: int
    serving: str
    weather: str = "calm"
    steps: list[dict[str, Any]] = field(default_factory=list)
    answered: int = 0
    met: int = 0
    problems: list[str] = field(default_factory=list)
    twin: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


class BrokenOffError(Exception):
    """A round cannot go on."""


def rounds(project: Project, seed: int, first: int, last: int) -> Iterator[Round]:
    """Do them; before the first one of each way to serve one without troubles, which shows how its commands go."""
    for number in range(first, last + 1):
        serving = random.Random(f"{seed} {project.name} {number}").choice(SERVINGS)
        while not project.knows(serving):
            yield _do(project, Round(seed, project.name, 0, serving))
        yield _do(project, Round(seed, project.name, number, serving))


def _do(project: Project, done: Round) -> Round:
    began = time.monotonic()
    walk = _Walk(project, done, random.Random(f"{done.seed} {done.project} {done.number} troubles"))
    try:
        walk.go()
    except BrokenOffError:
        walk.clean_up()
    project.account.wait()
    done.seconds, done.twin = round(time.monotonic() - began, 2), project.account.measure()
    return done


@dataclass
class _Walk:
    """A round that is being done."""

    project: Project
    done: Round
    chance: random.Random

    def go(self) -> None:
        """Do it.

        Raises:
            BrokenOffError: a command did not come to a good end however often it was run.
        """
        first, second = self.chance.sample(NGRAMS, 2)
        files = self.project.files
        if self.done.number > 0:
            self.done.weather = self.chance.choice(WEATHERS)
            self.project.account.change_weather(self.done.weather)
        self.project.settle(self.done.serving, first)
        self._run("plan", "--exit-code", expected=3)
        told = json.loads(self._run("up").stdout)
        url, before = told["api_url"], told["model"]
        self._ask(url, before)
        self._run("config", "set", "train.ngrams", str(second), calm=True)
        self._run("plan", "--exit-code", expected=3)
        file = self.project.folder / "visits"
        began = time.monotonic()
        with visitors(url, file):
            after = json.loads(self._run("up").stdout)["model"]
            self._ask(url, after)
            self._run("deploy", "--model", "previous")
            self._ask(url, before)
        self._judge_visits(visits(file), "positive", {before, after}, began)
        self._run("plan", "--exit-code", calm=True)
        self._outlive_twin()
        self._run("down", "--confirm", self.project.name)
        left = self.project.stock()
        self.done.problems += [f"left after down: {line}" for line in left]
        self.done.problems += [f"left in the folder: {name}" for name in self.project.files if name not in files]

    def clean_up(self) -> None:
        """Go down from wherever it broke off, so that the next round can begin."""
        for _ in range(MOST_TRIES):
            if self.project.run(("down", "--confirm", self.project.name), Trouble()).code == 0:
                break
            time.sleep(PAUSE_SECONDS)
        shutil.rmtree(self.project.place.folder / ".sentictl", ignore_errors=True)

    def _run(self, *words: str, expected: int = 0, calm: bool = False) -> Run:
        """Run a command until it is done; at the first time something may go wrong."""
        quiet = calm or self.done.number == 0
        wrong = not quiet and self.chance.random() < CHANCE_OF_TROUBLE
        trouble = self.project.choose(self.chance, self.done.serving, words) if wrong else Trouble()
        for _ in range(MOST_TRIES):
            began = time.monotonic()
            run = self.project.run(words, trouble)
            met = self.project.account.events.between(began - PAUSE_SECONDS, time.monotonic())
            problems = judge_run(run, trouble, met, expected)
            told = {"words": words, "trouble": str(trouble), "what": trouble.what, "code": run.code}
            self.done.steps.append(told | {"seconds": round(run.seconds, 2), "met": met})
            self.done.problems += [f"{' '.join(words)}, {trouble}: {problem}" for problem in problems]
            if run.code == expected:
                if not trouble.what and not met:
                    self.project.learn(self.done.serving, words, run)
                return run
            trouble = Trouble()
            time.sleep(PAUSE_SECONDS)
        self.done.problems.append(f"{' '.join(words)} does not come to an end")
        raise BrokenOffError

    def _ask(self, url: str, model: str) -> None:
        """Each kind of review has to be answered rightly, by this model; asked again while a kill's effect lasts."""
        for label, review in REVIEWS.items():
            began, asked = time.monotonic(), [visit(url, review)]
            while asked[-1].status != OK and time.monotonic() - began < PATIENCE_SECONDS:
                time.sleep(PAUSE_SECONDS)
                asked.append(visit(url, review))
            if asked[-1].status != OK:
                self.done.problems.append(f"the API does not answer any more: {asked[-1]}")
            self._judge_visits(asked, label, {model}, began - PATIENCE_SECONDS)

    def _judge_visits(self, asked: list[Visit], label: str, models: set[str], began: float) -> None:
        events = [event for event in self.project.account.events.all() if event.ended > began]
        self.done.answered += sum(each.status == OK for each in asked)
        self.done.met += sum(each.status != OK for each in asked)
        self.done.problems += judge_visits(asked, label, models, events)

    def _outlive_twin(self) -> None:
        """Kill the twin while this project asks nothing of it: it has to come back with all it knew."""
        if self.done.number == 0 or self.chance.random() >= CHANCE_OF_RESTART:
            return
        before = self.project.stock()
        with self.project.account.events.lasting(TWIN_KILLED):
            self.project.account.kill()
        self.done.steps.append({"words": ["(nothing)"], "trouble": TWIN_KILLED, "what": TWIN_KILLED, "code": 0})
        for _ in range(int(PATIENCE_SECONDS)):
            differences = compare(before, self.project.stock())
            if not differences:
                return
            time.sleep(1.0)  # its endpoints come back one after the other
        self.done.problems += [f"after the twin came back: {line}" for line in differences]
