"""The cost of a resource: what a price is to be known of, and how an amount is written."""

import pytest

from sentictl.lifecycle.cost import Machines, Use, dollars


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (0, "$0"),
        (0.0231, "$0.0231"),
        (0.123456, "$0.1235"),
        (12.3, "$12.3"),
        (999.94, "$999.9"),
        (999.96, "$1,000"),
        (1000, "$1,000"),
        (1234.5678, "$1,235"),
        (1_234_567.8, "$1,234,568"),
    ],
)
def test_an_amount_has_four_digits_or_whole_dollars(amount: float, written: str) -> None:
    assert dollars(amount) == written


def test_what_is_paid_by_use_names_its_price_and_its_measure() -> None:
    assert str(Use("storage", "GB and month", 0.023)) == "storage: $0.023 for GB and month"


def test_each_type_that_can_stand_has_a_price() -> None:
    machines = Machines("Hosting", "ml.m5.large", fallback_types=("ml.m5.xlarge", "ml.m4.xlarge"))
    assert list(machines.kinds) == [
        ("Hosting", "ml.m5.large"),
        ("Hosting", "ml.m5.xlarge"),
        ("Hosting", "ml.m4.xlarge"),
    ]


def test_one_machine_stands_all_the_time_where_nothing_else_is_said() -> None:
    machines = Machines("Hosting", "ml.m5.large")
    assert (machines.count, machines.standing, machines.most, machines.share) == (1, True, 0, 1.0)
    assert list(machines.kinds) == [("Hosting", "ml.m5.large")]
