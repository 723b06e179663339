"""The ends of AWS's host names, by region."""

import pytest

from sentictl.aws.regions import dns_suffix


@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("us-east-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("eusc-de-east-1", "amazonaws.eu"),
        ("mars-1", "amazonaws.com"),
    ],
)
def test_each_part_of_aws_has_its_own_suffix(region: str, suffix: str) -> None:
    assert dns_suffix(region) == suffix
