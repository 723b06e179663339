"""What a tuning job takes of IAM."""

from fnmatch import fnmatchcase

from sentictl.services.chain import CHAIN
from sentictl.services.iam.documents import listed
from sentictl.services.iam.permissions import policy
from sentictl.services.tuning.job import TuningJob
from tests.services.conftest import ContextOf

PROJECT = '[project]\nname = "films"\n'


def test_it_is_allowed_only_where_something_is_tuned_and_on_the_projects_own_jobs_alone(context_of: ContextOf) -> None:
    plain, tuning = (
        policy(context_of(f"{PROJECT}{ranges}"), [*CHAIN, TuningJob])["Statement"]
        for ranges in ("", "[train.tune]\nepochs = [2, 3]\n")
    )
    create, find = "sagemaker:CreateHyperParameterTuningJob", "sagemaker:ListHyperParameterTuningJobs"
    assert not [entry for entry in plain if {create, find} & set(listed(entry["Action"]))]
    (arns,) = [entry["Resource"] for entry in tuning if create in entry["Action"]]
    assert [arn for arn in arns if not fnmatchcase(arn, "arn:aws:sagemaker:*/films-local-*")] == []
    assert [arn for arn in arns if ":hyper-parameter-tuning-job/films-local-" in arn]
    assert [entry["Resource"] for entry in tuning if find in entry["Action"]] == [["*"]]


def test_who_tunes_nothing_is_asked_for_no_more(context_of: ContextOf) -> None:
    assert list(TuningJob(context_of(PROJECT)).found()) == []  # without a call: there is nobody to answer
