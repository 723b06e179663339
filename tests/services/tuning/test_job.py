"""What a tuning job takes of IAM."""

import json
from fnmatch import fnmatchcase

from parliament import analyze_policy_string

from sentictl.services.tuning.job import TuningJob
from tests.services.conftest import ContextOf

PROJECT = '[project]\nname = "films"\n'


def test_its_policy_is_one_that_iam_takes_and_about_the_projects_own_alone(context_of: ContextOf) -> None:
    policy = TuningJob(context_of(PROJECT)).policy()
    # The action is younger than parliament's table.
    known = json.dumps(policy).replace('"sagemaker:DeleteTrainingJob", ', "")
    assert [(found.issue, found.detail) for found in analyze_policy_string(known).findings] == []
    for statement in policy["Statement"]:
        arns = statement["Resource"]
        assert arns == ["*"] or all(fnmatchcase(arn, "*films-local-*") or "TrainingJobs" in arn for arn in arns)
    unscoped = [statement["Action"] for statement in policy["Statement"] if statement["Resource"] == ["*"]]
    assert unscoped == [["sagemaker:ListHyperParameterTuningJobs"]]


def test_who_tunes_nothing_is_asked_for_no_more(context_of: ContextOf) -> None:
    context = context_of(PROJECT)
    assert list(TuningJob(context).found()) == []  # without a call: there is nobody to answer
    for action in ("sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob", "logs:DeleteLogStream"):
        assert TuningJob(context).scope(action) == []
