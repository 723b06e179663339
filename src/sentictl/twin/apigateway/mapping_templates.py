"""Mapping templates of integration responses: the part of Velocity's language that decides what is answered.

That is `#set`, `#if`, `#elseif`, `#else` and `#end`, comparisons with == and !=, joined by && and ||, quoted texts, the
request's parameters by `$input.params("name")` and `$input.params().header.get("name")`, `$context.name`, variables,
and the override of the answer's headers by `$context.responseOverride.header.NAME`
(https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

DIRECTIVE = re.compile(r"#(?P<name>set|if|elseif|else|end)\b|#\{?[a-z]+|\$\{?[A-Za-z]")
SPACE = re.compile(r"[ \t]*\n?")
PARAMETER = re.compile(r"\$input\.params\((?:\)\.header\.get\()?\s*(?P<quote>[\"'])(?P<name>[^\"']+)(?P=quote)\s*\)")
CONTEXT = re.compile(r"\$\{?context\.(?P<name>[A-Za-z.]+)\}?")
VARIABLE = re.compile(r"\$\{?(?P<name>[A-Za-z_]\w*)\}?")
QUOTED = re.compile(r"\"(?P<double>[^\"$#]*)\"|'(?P<single>[^']*)'")
OVERRIDE = re.compile(r"\$context\.responseOverride\.header\.(?P<name>[A-Za-z0-9-]+)")


class TemplateError(ValueError):
    """A template holds what is not read here, or what Velocity would not read either."""


@dataclass
class MappingTemplate:
    """A template at work.

    Args:
        text: the template.
        context: the values of `$context.name`.
        parameter: gives a parameter of the request by its name; empty where it has none.
    """

    text: str
    context: Mapping[str, Any]
    parameter: Callable[[str], str]
    headers: dict[str, str] = field(default_factory=dict)
    _variables: dict[str, str] = field(default_factory=dict)
    _at: int = 0

    def render(self) -> str:
        """Return what it makes; `headers` has those of the answer that it sets.

        Raises:
            TemplateError: it cannot be carried out.
        """
        text = "".join(self._block(active=True))
        if self._at < len(self.text):
            raise TemplateError(f"there is no #if before: {self.text[self._at :][:40]}")
        return text

    def _block(self, *, active: bool) -> Iterator[str]:
        """Carry out what comes, up to the #elseif, #else or #end that ends it, or to the template's end."""
        while found := DIRECTIVE.search(self.text, self._at):
            if active:
                yield self.text[self._at : found.start()]
            self._at = found.start()
            if found["name"] in ("elseif", "else", "end"):
                return
            if found["name"] == "set":
                self._set(active=active)
            elif found["name"] == "if":
                yield from self._if(active=active)
            else:
                value = self._reference()
                yield value if active else ""
        if active:
            yield self.text[self._at :]
        self._at = len(self.text)

    def _set(self, *, active: bool) -> None:
        target, equals, source = self._arguments("#set").partition("=")
        if not equals:
            raise TemplateError("#set has no =")
        if not active:
            return
        target, value = target.strip(), self._value(source.strip())
        if override := OVERRIDE.fullmatch(target):
            self.headers[override["name"]] = value
        elif variable := VARIABLE.fullmatch(target):
            self._variables[variable["name"]] = value
        else:
            raise TemplateError(f"{target} cannot be set")

    def _if(self, *, active: bool) -> Iterator[str]:
        taken, word = False, "#if"
        while word != "#end":
            holds = word == "#else" or self._holds(self._arguments(word))
            if word == "#else":
                self._pass_by(word)
            yield from self._block(active=active and holds and not taken)
            taken = taken or holds
            word = next((w for w in ("#elseif", "#else", "#end") if self.text.startswith(w, self._at)), "")
            if not word:
                raise TemplateError("an #if has no #end")
        self._pass_by(word)

    def _arguments(self, word: str) -> str:
        """What stands in the brackets behind a directive, which is passed by."""
        begin = self._at + len(word)
        if not self.text.startswith("(", begin):
            raise TemplateError(f"{word} has no brackets")
        depth, quote = 0, ""
        for place in range(begin, len(self.text)):
            character = self.text[place]
            if quote or character in "\"'":
                quote = "" if character == quote else quote or character
            depth += {"(": 1, ")": -1}.get(character, 0) if not quote else 0
            if not depth and not quote:
                self._at = place + 1
                self._pass_by("")
                return self.text[begin + 1 : place]
        raise TemplateError(f"the brackets of {word} are not closed")

    def _pass_by(self, word: str) -> None:
        """Go on behind a directive; as in Velocity, the end of its line is part of it."""
        found = SPACE.match(self.text, self._at + len(word))
        self._at = found.end() if found and found[0].endswith("\n") else self._at + len(word)

    def _reference(self) -> str:
        for form in (PARAMETER, CONTEXT, VARIABLE):
            if found := form.match(self.text, self._at):
                self._at = found.end()
                return self._value(found[0])
        raise TemplateError(f"this is not read: {self.text[self._at :][:40]}")

    def _holds(self, condition: str) -> bool:
        return any(all(map(self._compare, each.split("&&"))) for each in condition.split("||"))

    def _compare(self, comparison: str) -> bool:
        for operator, wanted in (("==", True), ("!=", False)):
            left, found, right = comparison.partition(operator)
            if found:
                return (self._value(left.strip()) == self._value(right.strip())) is wanted
        return bool(self._value(comparison.strip()))

    def _value(self, expression: str) -> str:
        if found := QUOTED.fullmatch(expression):
            return found["double"] or found["single"] or ""
        if found := PARAMETER.fullmatch(expression):
            return self.parameter(found["name"])
        if found := CONTEXT.fullmatch(expression):
            return str(self.context.get(found["name"], ""))
        if found := VARIABLE.fullmatch(expression):
            return self._variables.get(found["name"], "")
        raise TemplateError(f"this is not read: {expression[:40]}")
