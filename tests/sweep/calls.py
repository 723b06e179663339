"""Names for the calls that a command makes to AWS: the same calls have the same names in each run."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

READING = re.compile(r"(Describe|Filter|Get|Head|List|Search|Simulate)[A-Z]")
PAGING = {"ContinuationToken", "Marker", "NextToken", "PaginationToken", "nextToken", "position"}
NAME = re.compile(r"(?P<service>[a-z0-9-]+)\.(?P<operation>\w+)#(?P<number>\d+)")


@dataclass(frozen=True)
class Call:
    """The `number`th call (from 1) of an operation within a run; written `sagemaker.CreateModel#1`."""

    service: str
    operation: str
    number: int

    @classmethod
    def parse(cls, text: str) -> "Call":
        """Read what `str` wrote.

        Raises:
            ValueError: it is no such name.
        """
        found = NAME.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no call: expected service.Operation#number")
        return cls(found["service"], found["operation"], int(found["number"]))

    def __str__(self) -> str:
        return f"{self.service}.{self.operation}#{self.number}"

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return bool(READING.match(self.operation))

    @property
    def answers_without_body(self) -> bool:
        """Whether its refusals are a status code alone, from which nobody can tell more."""
        return self.operation.startswith("Head")


class CallNames:
    """Names the calls of one run, in the order in which they are made.

    A question that was asked before, with nothing changed in between, is not another call: how often something is
    polled depends on how fast the machine is, and so does the number of a list's pages.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._asked: dict[str, Call] = {}

    def name(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Call:
        """The call's name.

        Args:
            service: botocore's name of the service, such as `sagemaker`.
            operation: AWS's name of the operation.
            parameters: what the client's method was given.
        """
        own = {key: value for key, value in parameters.items() if key not in PAGING}
        question = f"{service}.{operation} {json.dumps(own, sort_keys=True, default=str)}"
        if question in self._asked:
            return self._asked[question]
        self._counts[service, operation] += 1
        call = Call(service, operation, self._counts[service, operation])
        if call.reads:
            self._asked[question] = call
        else:
            self._asked.clear()
        return call
