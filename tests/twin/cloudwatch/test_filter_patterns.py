"""Filter patterns of CloudWatch Logs, as its user guide describes them."""

import time

import pytest
from botocore.exceptions import ClientError

from tests.twin.conftest import Cloud

LINES = (
    '{"level": "ERROR", "status": 500}',
    '{"level": "INFO", "status": 200, "user": {"name": "ann"}}',
    "plain ERROR",
    "plain words",
    '{"message": "at 50 % || more"}',
)


@pytest.fixture(scope="module")
def group(cloud: Cloud) -> str:
    name = cloud.name("group")
    cloud.logs.create_log_group(logGroupName=name)
    cloud.logs.create_log_stream(logGroupName=name, logStreamName="stream")
    now = int(time.time() * 1000)
    events = [{"timestamp": now + number, "message": line} for number, line in enumerate(LINES)]
    cloud.logs.put_log_events(logGroupName=name, logStreamName="stream", logEvents=events)
    return name


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("ERROR", [0, 2]),
        ("error", []),
        ('"plain ERROR"', [2]),
        ("plain ERROR", [2]),
        ("?INFO ?words", [1, 3]),
        ("-plain", [0, 1, 4]),
        ('"50 %"', [4]),
        ("ERROR -plain", [0]),
        ("?INFO ERROR", [0, 2]),
        ('{ $.level = "ERROR" }', [0]),
        ('{ $.level != "ERROR" }', [1]),
        ("{ $.status >= 500 }", [0]),
        ("{ $.status < 500 && $.level = INFO }", [1]),
        ("{ $.status = 200 || $.status = 500 }", [0, 1]),
        ('{ $.user.name = "a*" }', [1]),
        ('{ $.message = "* || *" && $.message != "more" }', [4]),
        ('{ $.level > "A" }', None),
        ("{ $.level IS NULL }", None),
        ("[first, second]", None),
        ("%ERR.*%", None),
        ('"open', None),
        ("{ $.status = 200 && }", None),
    ],
)
def test_lines_match_as_the_user_guide_says(cloud: Cloud, group: str, pattern: str, matched: list[int] | None) -> None:
    asked = {"logGroupName": group, "filterPattern": pattern}
    if matched is None:
        with pytest.raises(ClientError, match="InvalidParameterException"):
            cloud.logs.filter_log_events(**asked)
        return
    found = cloud.logs.filter_log_events(**asked)["events"]
    assert [LINES.index(event["message"]) for event in found] == matched
