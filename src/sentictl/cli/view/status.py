"""A picture of what stands: the parts of the chain on a rail, each with what it is and whether something is wrong."""

import re
from collections.abc import Iterator, Sequence

from rich.text import Text

from sentictl.api.results import Status
from sentictl.api.stack import COMMANDS, Finding
from sentictl.cli.view.lines import hanging, unbroken
from sentictl.cli.view.phases import NAME_WIDTH
from sentictl.cli.view.plan import difference_lines

RAIL = "│"
ON_REQUEST = "alerts"  # the part that is not missed where it is not there
MADE, MISSING, CHANGING, WRONG = ("●", "green"), ("○", "dim"), ("◐", "yellow"), ("✗", "red")
UNDER_WAY = {"Creating", "Updating", "InProgress", "Pending", "Stopping", "Deleting", "RollingBack"}


def draw(status: Status, where: str, width: int) -> Text:
    """Draw the picture.

    Args:
        status: what stands.
        where: what the mending commands need besides, such as " --env prod".
        width: columns.
    """
    of_part: dict[str, list[Finding]] = {command: [] for command in COMMANDS if command != ON_REQUEST}
    for finding in status.findings:
        # Of "notebook create" the first word, "tune" of "train --tune", and "batch" of "predict --via batch".
        part = finding.kind.command.rpartition("--")[2].removeprefix("via ").partition(" ")[0]
        of_part.setdefault(part, []).append(finding)
    lines: list[Text] = []
    for command, findings in of_part.items():
        if lines:
            lines.append(Text(f"  {RAIL}", "dim"))
        lines += _part(command, findings, where, width)
    return Text("\n").join(lines)


def _part(command: str, findings: Sequence[Finding], where: str, width: int) -> Iterator[Text]:
    """Write a part in lines; those after the first hang on the rail."""
    mark, style = _mark(findings)
    heading = f"  {mark} {command:<{NAME_WIDTH}} "
    first, *rest = hanging(heading, _facts(command, findings, where), width).split("\n")
    text = Text(first)
    text.stylize(style, 2, 2 + len(mark))
    if style == "dim":
        text.stylize("dim")
    yield text
    for line in [*rest, *_wrong(findings, where, len(heading), width)]:
        yield Text.assemble((f"  {RAIL}", "dim"), line[3:])


def _mark(findings: Sequence[Finding]) -> tuple[str, str]:
    if any(finding.mend and finding.status not in UNDER_WAY for finding in findings):
        return WRONG
    if any(finding.status in UNDER_WAY for finding in findings):
        return CHANGING
    return MADE if any(finding.kind.face for finding in findings) else MISSING


def _facts(command: str, findings: Sequence[Finding], where: str) -> str:
    faces = [finding for finding in findings if finding.kind.face]
    if not faces:
        kept = " · its log is kept" if any(finding.kind.holds_logs for finding in findings) else ""
        making = findings[0].kind.command if findings else command  # "predict --via batch" of "batch"
        return f"not made yet{kept} · make it with: {unbroken(f'sentictl {making}{where}')}"
    return " · ".join(unbroken(fact) for fact in faces[-1].facts)


def _wrong(findings: Sequence[Finding], where: str, indent: int, width: int) -> Iterator[str]:
    for finding in findings:
        if finding.mend:
            state = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", finding.status).lower()
            advice = "Follow it" if finding.status in UNDER_WAY else "Mend it"
            command = unbroken(f"sentictl {finding.mend}{where}")
            told = f"{finding.record.kind} {finding.record.name}: {state}. {advice}: {command}"
            yield from hanging(" " * indent, told, width).split("\n")
            for line in difference_lines(finding.changes):
                yield from hanging(" " * (indent + 2), line, width).split("\n")
