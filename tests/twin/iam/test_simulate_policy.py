"""SimulatePrincipalPolicy on the twin."""

from tests.twin.conftest import Cloud, code_of


def test_simulated_policies(cloud: Cloud) -> None:
    policy = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::mine/*"}
    arguments = {"ActionNames": ["s3:GetObject", "s3:PutObject"], "ResourceArns": ["arn:aws:s3:::mine/a<b"]}
    role = cloud.role("lambda.amazonaws.com", policy=policy)
    results = cloud.iam.simulate_principal_policy(PolicySourceArn=role, **arguments)["EvaluationResults"]
    assert [(r["EvalActionName"], r["EvalResourceName"], r["EvalDecision"]) for r in results] == [
        ("s3:GetObject", "arn:aws:s3:::mine/a<b", "allowed"),
        ("s3:PutObject", "arn:aws:s3:::mine/a<b", "implicitDeny"),
    ]
    me = cloud.sts.get_caller_identity()["Arn"]
    mine = cloud.iam.simulate_principal_policy(PolicySourceArn=me, **arguments)["EvaluationResults"]
    assert {result["EvalDecision"] for result in mine} == {"allowed"}
    unknown = code_of(cloud.iam.simulate_principal_policy, PolicySourceArn=role + "-gone", **arguments)
    assert unknown == "NoSuchEntity"
