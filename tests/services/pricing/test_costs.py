"""What each way to serve costs, worked out by hand from the prices, and what of it follows from the settings."""

import json
from dataclasses import replace

import pytest

from sentictl.api.costs import costs
from sentictl.errors import UsageError
from sentictl.services.pricing.costs import Choice, CostComparison
from tests.services.conftest import ContextOf

MONTHLY = 10_000 * 730 / 24  # 10,000 requests a day


def found(comparison: CostComparison, serving: str, on: str = "") -> Choice:
    return next(choice for choice in comparison.choices if choice.serving == serving and on in choice.on)


def parts(choice: Choice) -> dict[str, float]:
    return {part.what: (part.fixed or 0.0) + part.each * MONTHLY for part in choice.parts}


def test_a_serverless_endpoint_is_paid_by_memory_and_time() -> None:
    """As published for a request of 47 ms in 2 GB: about $0.57 a month for 10,000 requests a day."""
    paid = parts(found(costs("10000/day", seconds=0.047), "serverless"))
    assert paid["inference"] == pytest.approx(MONTHLY * 0.047 * 2 * 0.00002)
    assert paid["inference"] == pytest.approx(0.57, abs=0.005)
    assert paid["API Gateway"] == pytest.approx(MONTHLY * 3.5e-6)
    assert paid["function in front"] == pytest.approx(MONTHLY * (0.097 * 0.25 * 0.0000166667 + 0.0000002))


def test_machines_are_paid_while_nobody_asks() -> None:
    idle = costs("0/day")
    assert found(idle, "instance", "ml.m5.large").monthly(0) == pytest.approx(83.95)
    assert found(idle, "instance", "ml.t2.medium").monthly(0) == pytest.approx(40.88)
    assert found(idle, "lambda").monthly(0) == found(idle, "serverless").monthly(0) == 0


def test_machines_that_come_with_the_load_cost_from_the_fewest_to_the_most(context_of: ContextOf) -> None:
    context = context_of("[deploy]\nmin_instances = 1\nmax_instances = 3\n")
    choice = found(costs("0/day", context=context), "instance", "1 to 3 x ml.m5.large")
    assert choice.fixed == pytest.approx(0.115 * 730)
    assert choice.monthly_most(0) == pytest.approx(3 * 0.115 * 730)


def test_what_is_kept_warm_is_paid_always_and_used_for_less() -> None:
    compared = costs("10000/day")
    warm, cold = found(compared, "serverless", "kept warm"), found(compared, "serverless")
    assert warm.fixed == pytest.approx(2 * 0.000005 * 3600 * 730)
    assert warm.each < cold.each
    assert "10 s" in cold.cold_start
    assert "1 s" in warm.cold_start


def test_a_function_with_the_model_in_it_is_paid_for_arm() -> None:
    paid = parts(found(costs("10000/day", seconds=0.05), "lambda"))
    assert paid["function"] == pytest.approx(MONTHLY * (0.05 * 2 * 0.0000133334 + 0.0000002))
    assert "function in front" not in paid
    assert "data" not in paid


def test_the_cheapest_is_the_first_that_can_answer() -> None:
    few = costs("10000/day")
    assert few.cheapest is few.choices[0]
    prices = [choice.monthly(MONTHLY) for choice in few.choices]
    assert prices == sorted(prices, key=lambda price: price or 0)
    slow = costs("10M/day", seconds=20)  # 116 a second, each of 20 s
    assert slow.cheapest is None
    assert all("requests a second" in choice.cannot(slow.traffic) for choice in slow.choices)


def test_what_is_too_large_or_too_slow_for_a_choice_is_told(context_of: ContextOf) -> None:
    context = context_of("[api]\nmax_reviews = 1000\nmax_review_characters = 50000")
    large = costs("1/day", reviews_per_request=1000, words=800, context=context)
    refused = {choice.serving: choice.cannot(large.traffic) for choice in large.choices}
    assert refused["serverless"] == "a request of 4.3 MB is too large for it"
    assert refused["lambda"] == refused["instance"] == ""
    late = costs("1/day", seconds=30)
    assert all("API Gateway gives up after 29" in choice.cannot(late.traffic) for choice in late.choices)


def test_where_lines_cross_both_cost_the_same() -> None:
    compared = costs("10000/day")
    assert [crossing.requests for crossing in compared.crossings] == sorted(
        each.requests for each in compared.crossings
    )
    assert compared.crossings
    for crossing in compared.crossings:
        assert crossing.dear.monthly(crossing.requests) == pytest.approx(crossing.cheap.monthly(crossing.requests))
        beyond = 2 * crossing.requests
        assert (crossing.dear.monthly(beyond) or 0) > (crossing.cheap.monthly(beyond) or 0)


def test_the_settings_are_those_of_the_project(context_of: ContextOf) -> None:
    context = context_of(
        '[deploy]\ninstance_type = "ml.m5.xlarge"\ninstance_count = 2\nmemory_mb = 4096\nmax_concurrency = 20\n'
        "provisioned_concurrency = 3\n[lambda]\nmemory_mb = 512"
    )
    compared = costs("10000/day", context=context)
    assert {choice.on for choice in compared.choices} == {
        "2 x ml.m5.xlarge",
        "1 x ml.t2.medium",
        "4096 MB",
        "4096 MB, 3 kept warm",
        "4096 MB, arm64",
    }
    assert found(compared, "instance", "xlarge").fixed == pytest.approx(2 * 0.23 * 730)
    assert "20 at once" in found(compared, "serverless").limits
    assert (
        parts(found(compared, "serverless"))["function in front"]
        > parts(found(costs("10000/day"), "serverless"))["function in front"]
    )


def test_the_cheapest_machine_alone_is_shown_once(context_of: ContextOf) -> None:
    compared = costs("1/day", context=context_of('[deploy]\ninstance_type = "ml.t2.medium"'))
    assert [choice.on for choice in compared.choices if choice.serving == "instance"] == ["1 x ml.t2.medium"]


def test_a_machine_whose_price_is_not_known_comes_last(context_of: ContextOf) -> None:
    compared = costs("1/day", context=context_of('[deploy]\ninstance_type = "ml.c7g.large"'))
    unknown = compared.choices[-1]
    assert (unknown.on, unknown.monthly(1)) == ("1 x ml.c7g.large", None)
    assert compared.cheapest is not None
    assert unknown not in [crossing.cheap for crossing in compared.crossings]
    assert compared.document()["choices"][-1]["monthly_cost"] is None


@pytest.mark.parametrize(
    ("asked", "key"),
    [({"reviews_per_request": 101}, "api.max_reviews 101"), ({"words": 10_000}, "api.max_review_characters 57000")],
)
def test_what_the_api_refuses_is_refused(asked: dict[str, int], key: str) -> None:
    with pytest.raises(UsageError) as refused:
        costs("1/day", **asked)  # type: ignore[arg-type]
    assert f"sentictl config set {key}" in refused.value.hint


def test_more_than_the_api_lets_through_is_told(context_of: ContextOf) -> None:
    assert not costs("10000/day").warnings
    (warning,) = costs("20/second").warnings
    assert warning.endswith("sentictl config set api.throttle_rate 40")
    context = context_of('[project]\nname = "films"\n')
    context.environment.name = "prod"
    (there,) = costs("20/second", context=context).warnings
    assert there == f"{warning} --env prod"
    assert "api.throttle_rate 40" in warning


def test_no_twin_is_started_for_it(context_of: ContextOf) -> None:
    context = context_of("")
    started: list[str] = []

    def start() -> str:
        started.append("twin")
        return "http://127.0.0.1:9"

    environment = replace(context.environment, endpoint=start)
    assert costs("1/day", context=replace(context, environment=environment)).source.startswith("built-in table")
    assert not started


def test_the_document_says_the_same_to_programs() -> None:
    compared = costs("10000/day", reviews_per_request=2)
    document = compared.document()
    assert json.loads(json.dumps(document)) == document
    assert document["requests_a_day"] == pytest.approx(10_000)
    assert document["cheapest"] == {"serving": "lambda", "on": "2048 MB, arm64"}
    for choice in document["choices"]:
        assert sum(choice["parts"].values()) == pytest.approx(choice["monthly_cost"])
    assert len(document["crossings"]) == len(compared.crossings)
    assert document["assumptions"]
