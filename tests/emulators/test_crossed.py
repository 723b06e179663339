"""The chain across two emulators: ministack has S3, IAM, STS, Lambda, API Gateway and logs, and our twin SageMaker.

It runs by `make test-emulator`, which installs ministack: that takes a botocore that is not ours.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.server import free_ports
from tests.emulators.crossing import REGION, Crossing, change, crossing
from tests.emulators.ministack import PROGRAM, SERVICES, ministack

pytestmark = pytest.mark.skipif(PROGRAM not in os.environ, reason="make test-emulator installs ministack")

PAGE = Path(__file__).parents[2] / "docs" / "emulators.md"
ROW = re.compile(r"^\| (?P<service>[a-z0-9-]+) \| `(?P<difference>[^`]+)` \|", re.MULTILINE)
FIELD = re.compile(r".*?(?P<field>[^.\[\]]+)(\[\])*: (?P<what>only ours|only theirs|.+)")
# What AWS and both emulators leave behind on purpose: the log groups of SageMaker's jobs are of a whole account.
SHARED = "/aws/sagemaker/"


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crossing]:
    folder = tmp_path_factory.mktemp("crossed")
    first, second = free_ports(2)
    with (
        ministack(folder, first, REGION, f"http://127.0.0.1:{second}") as other,
        crossing(folder, other, SERVICES, second, 'site.publish = "s3"') as both,
    ):
        yield both


@pytest.fixture(scope="module")
def told(crossed: Crossing) -> dict[str, Any]:
    """What the commands said, one after the other."""
    said: dict[str, Any] = {"up": json.loads(crossed.run("up", "--json"))}
    said["good"] = json.loads(crossed.run("predict", "--via", "api", "--json", "A wonderful, superb film"))
    change(crossed)
    said["changed"] = json.loads(crossed.run("up", "--json"))
    said["bad"] = json.loads(crossed.run("predict", "--via", "api", "--json", "A dreadful, boring film"))
    said["status"] = json.loads(crossed.run("status", "--json"))
    said["timeout"] = [each["Timeout"] for each in functions(crossed)]
    crossed.run("down", "--confirm", "toy")
    return said


def functions(crossed: Crossing) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = crossed.bridge.other.client("lambda", REGION).list_functions()["Functions"]
    return found


def test_the_chain_answers(told: dict[str, Any]) -> None:
    assert not told["up"]["missing"]
    assert told["good"]["label"] == "positive"
    assert told["bad"]["label"] == "negative"


def test_a_change_reaches_the_other_emulator(told: dict[str, Any]) -> None:
    assert told["timeout"] == [20]
    assert told["changed"]["api_url"] == told["up"]["api_url"]


def test_nothing_is_left_on_either_side(told: dict[str, Any], crossed: Crossing) -> None:
    for side in (crossed.bridge.twin, crossed.bridge.other):
        assert side.client("s3", REGION).list_buckets()["Buckets"] == []
        assert [role["RoleName"] for role in side.client("iam", REGION).list_roles()["Roles"]] == []
        assert side.client("lambda", REGION).list_functions()["Functions"] == []
        assert side.client("apigateway", REGION).get_rest_apis()["items"] == []
        groups = side.client("logs", REGION).describe_log_groups()["logGroups"]
        assert [group["logGroupName"] for group in groups if not group["logGroupName"].startswith(SHARED)] == []
    assert crossed.bridge.twin.client("sagemaker", REGION).list_endpoints()["Endpoints"] == []


def test_what_they_answer_differently_is_written_down(told: dict[str, Any], crossed: Crossing) -> None:
    found = {
        (each.service, brief(each.operation, difference))
        for each in crossed.bridge.exchanges
        if each.asked.service in SERVICES
        for difference in each.differences()
    }
    assert found - {(row["service"], row["difference"]) for row in ROW.finditer(PAGE.read_text())} == set()


def brief(operation: str, difference: str) -> str:
    """Return a difference as the page has it: of an outcome with the call, of a field without where it stands."""
    field = FIELD.fullmatch(difference)
    if field is None:
        return f"{operation}: {difference}"
    return f"{field['field']}: {field['what'] if field['what'].startswith('only') else 'another'}"
