"""The names of calls: the same for the same calls, however often something is polled."""

import pytest

from tests.sweep.calls import Call, CallNames
from tests.sweep.cells import Cell


def names(*calls: tuple[str, dict[str, str]]) -> list[str]:
    """The names of SageMaker calls, given as operation and parameters."""
    book = CallNames()
    return [str(book.name("sagemaker", operation, parameters)) for operation, parameters in calls]


def test_the_calls_of_an_operation_are_numbered() -> None:
    assert names(
        ("CreateModel", {"ModelName": "a"}), ("AddTags", {"ResourceArn": "a"}), ("CreateModel", {"ModelName": "b"})
    ) == ["sagemaker.CreateModel#1", "sagemaker.AddTags#1", "sagemaker.CreateModel#2"]


def test_the_same_change_again_is_another_call() -> None:
    again = ("DeleteModel", {"ModelName": "a"})
    assert names(again, again) == ["sagemaker.DeleteModel#1", "sagemaker.DeleteModel#2"]


def test_a_question_that_is_asked_again_is_the_same_call_until_something_changes() -> None:
    first, second = ("DescribeModel", {"ModelName": "a"}), ("DescribeModel", {"ModelName": "b"})
    assert names(first, second, first, second, ("CreateModel", {"ModelName": "c"}), first) == [
        "sagemaker.DescribeModel#1",
        "sagemaker.DescribeModel#2",
        "sagemaker.DescribeModel#1",
        "sagemaker.DescribeModel#2",
        "sagemaker.CreateModel#1",
        "sagemaker.DescribeModel#3",
    ]


def test_the_pages_of_a_list_are_one_call() -> None:
    assert names(("ListModels", {}), ("ListModels", {"NextToken": "2"})) == ["sagemaker.ListModels#1"] * 2


@pytest.mark.parametrize("operation", ["DescribeEndpoint", "HeadObject", "ListTags", "GetRole", "FilterLogEvents"])
def test_what_only_asks_reads(operation: str) -> None:
    assert Call("any", operation, 1).reads


@pytest.mark.parametrize("operation", ["CreateBucket", "TagResource", "Heading", "UpdateStage", "PutObject"])
def test_what_does_not_only_ask_changes_something(operation: str) -> None:
    assert not Call("any", operation, 1).reads


def test_a_cell_is_read_as_it_is_written() -> None:
    cell = Cell("up", Call("s3", "CreateBucket", 1), "kill")
    assert str(cell) == "up:s3.CreateBucket#1:kill"
    assert Cell.parse(str(cell)) == cell


@pytest.mark.parametrize("text", ["", "up", "up:s3.CreateBucket:kill", "up:s3.CreateBucket#1:fire", "init:s3.A#1:kill"])
def test_what_names_no_cell_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Cell.parse(text)
