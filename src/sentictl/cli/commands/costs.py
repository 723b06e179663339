"""`sentictl costs`: what each way to serve the model costs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.cli.view.lines import hanging, paragraphs

if TYPE_CHECKING:
    from sentictl.services.pricing.costs import Choice, CostComparison, Crossing

app = typer.Typer(add_completion=False)
ROW = "{:<11} {:<26} {:>10} {:>10} {:>11}"


@app.command("costs")
@command
def costs(
    invocation: Invocation,
    requests: Annotated[
        str, typer.Option("--requests", help="How many there are, such as 10000/day, 5/second or 2M/month.")
    ],
    reviews_per_request: Annotated[
        int, typer.Option("--reviews-per-request", help="How many reviews each has.", metavar="N")
    ] = 1,
    words: Annotated[int, typer.Option("--words", help="How long a review is.", metavar="N")] = 230,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", help="That one processor core is busy with a request.", show_default="assumed"),
    ] = None,
) -> None:
    """Compare what each way to serve the model costs a month.

    That is: machines that always run, a serverless endpoint, and the model in the function, each with all that stands
    in front of it, by this project's settings or else by the defaults. No account is needed; where somebody is logged
    in to one, AWS is asked for its prices.
    """
    from sentictl.api.costs import costs as costs_of_defaults
    from sentictl.cli.open_project import opened
    from sentictl.config.project_folder import ProjectFolder

    if ProjectFolder.find() is None and not invocation.env:
        found = costs_of_defaults(requests, reviews_per_request=reviews_per_request, words=words, seconds=seconds)
    else:
        with opened(invocation) as project:
            found = project.costs(requests, reviews_per_request=reviews_per_request, words=words, seconds=seconds)
    invocation.output.result(found.document(), "\n".join(_lines(found, invocation.output.width)))


def _lines(found: "CostComparison", width: int) -> Iterator[str]:
    traffic = found.traffic
    reviews = "1 review" if traffic.reviews == 1 else f"{traffic.reviews:,} reviews"
    yield hanging(
        "",
        f"{_count(traffic.a_day)} requests a day, {_count(traffic.requests)} a month, of {reviews} of "
        f"{traffic.words:,} words",
        width,
    )
    yield ""
    yield ROW.format("serving", "on", "fixed", "by use", "a month")
    for choice in found.choices:
        yield _row(choice, found)
    yield ""
    yield "What a request waits for where nothing runs yet, and what it may be:"
    for heading, text in dict.fromkeys((_heading(each), _facts(each)) for each in found.choices):
        yield hanging(f"  {heading:<21} ", text, width)
    yield ""
    yield "Requests a day from which machines cost less:"
    yield from (_crossed(crossing, width) for crossing in found.crossings)
    yield ""
    assumed = "; ".join(f"{what} ({grounds})" for what, grounds in found.assumptions)
    rows = [("Assumed:", f"{assumed}."), ("Prices:", f"{found.source}; without taxes.")]
    yield paragraphs([*rows, *(("Beware:", warning) for warning in found.warnings)], width)


def _row(choice: "Choice", found: "CostComparison") -> str:
    requests = found.traffic.requests
    fixed, whole = choice.fixed, choice.monthly(requests)
    mark = " *" if choice is found.cheapest else ""
    amounts = [_dollars(fixed), _dollars(choice.each * requests), _dollars(whole)]
    all_stand = f"{_dollars(choice.monthly_most(requests))} a month where all of them stand" if choice.more else ""
    notes = [hanging(" " * 12, note) for note in (all_stand, choice.cannot(found.traffic)) if note]
    return "\n".join([ROW.format(choice.serving, choice.on, *amounts) + mark, *notes])


def _heading(choice: "Choice") -> str:
    return f"{choice.serving}{', kept warm' if 'warm' in choice.on else ''}"


def _facts(choice: "Choice") -> str:
    return f"{choice.cold_start}. {choice.limits[0].upper()}{choice.limits[1:]}."


def _crossed(crossing: "Crossing", width: int) -> str:
    day = float(f"{crossing.requests_a_day:.2g}")
    beyond = "" if crossing.within_reach else "; more than it answers"
    told = f"{crossing.cheap.on} than {crossing.dear.serving} ({crossing.dear.on}){beyond}"
    return hanging(f"{_count(day):>12}  ", told, width)


def _count(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _dollars(amount: float | None) -> str:
    return "unknown" if amount is None else f"${amount:,.2f}"
