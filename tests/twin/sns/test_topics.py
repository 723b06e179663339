"""Topics that send mails: to whom, when, and what a restart leaves of it."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from sentictl.twin import daemon
from sentictl.twin.core.home import TwinHome
from sentictl.twin.sns.mailbox import Mail, Mailbox
from tests.twin.conftest import Cloud, code_of, wait_for

ALARM = {
    "Namespace": "test",
    "MetricName": "M",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "LessThanThreshold",
}


def mails(home: Path, to: str) -> list[Mail]:
    return [mail for mail in Mailbox(TwinHome(home).mail).mails() if mail.to == to]


def links(home: Path, to: str) -> list[str]:
    return [line for mail in mails(home, to) for line in mail.text.split("\n") if line.startswith("http")]


def opened(link: str) -> str:
    with urllib.request.urlopen(link) as answer:
        return str(answer.read().decode())


def topic(cloud: Cloud, *services: str, condition: bool = True) -> str:
    """A topic to which these services may publish, on condition that they do so for this account."""
    arn: str = cloud.sns.create_topic(Name=cloud.name("topic"))["TopicArn"]
    allowing: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": list(services)},
        "Action": "sns:Publish",
        "Resource": arn,
    }
    if condition:
        allowing["Condition"] = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowing]})
    cloud.sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return arn


def subscribed(cloud: Cloud, home: Path, arn: str, *, confirmed: bool = True) -> str:
    address = f"{cloud.name('mail')}@example.org"
    cloud.sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=address)
    if confirmed:
        opened(links(home, address)[0])
    return address


def test_nobody_gets_mails_before_the_link_is_followed(cloud: Cloud, home: Path) -> None:
    arn = topic(cloud)
    address = subscribed(cloud, home, arn, confirmed=False)
    (listed,) = cloud.sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert (listed["Endpoint"], listed["SubscriptionArn"]) == (address, "PendingConfirmation")
    assert code_of(cloud.sns.unsubscribe, SubscriptionArn="PendingConfirmation") == "InvalidParameter"
    cloud.sns.publish(TopicArn=arn, Subject="one", Message="lost")
    (link,) = links(home, address)
    assert address in opened(link)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        opened(link)
    cloud.sns.publish(TopicArn=arn, Subject="two", Message="Naïve,\nand in two lines.")
    _, mail = mails(home, address)
    assert (mail.subject, mail.text) == ("two", "Naïve,\nand in two lines.")
    (listed,) = cloud.sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    cloud.sns.unsubscribe(SubscriptionArn=listed["SubscriptionArn"])
    cloud.sns.publish(TopicArn=arn, Message="lost")
    assert len(mails(home, address)) == 2


def test_an_alarm_tells_the_topics_that_let_it(cloud: Cloud, home: Path) -> None:
    lets, lets_not = topic(cloud, "cloudwatch.amazonaws.com"), topic(cloud, "events.amazonaws.com")
    told, untold = subscribed(cloud, home, lets), subscribed(cloud, home, lets_not)
    alarm = cloud.name("alarm")
    actions = {"AlarmActions": [lets, lets_not, "arn:aws:sns:us-east-1:123456789012:none"], "OKActions": [lets]}
    text = "What has happened.\nWhat to do: sentictl status"
    missing = {"TreatMissingData": "breaching", "AlarmDescription": text}
    cloud.cloudwatch.put_metric_alarm(AlarmName=alarm, **ALARM, **actions, **missing)
    cloud.cloudwatch.describe_alarms()  # evaluates them, as a minute does
    (_, mail) = mails(home, told)
    assert mail.subject == f'ALARM: "{alarm}" in us-east-1'
    assert mail.text.startswith(text)
    assert "INSUFFICIENT_DATA -> ALARM" in mail.text
    cloud.cloudwatch.put_metric_alarm(AlarmName=alarm, **ALARM, **actions, TreatMissingData="notBreaching")
    cloud.cloudwatch.describe_alarms()
    assert mails(home, told)[-1].subject == f'OK: "{alarm}" in us-east-1'
    assert len(mails(home, told)) == 3
    assert len(mails(home, untold)) == 1  # what asks for confirmation


def test_days_that_the_twin_was_not_there_are_no_days_without_requests(cloud: Cloud) -> None:
    alarm = cloud.name("alarm")
    days = {"Period": 86_400, "EvaluationPeriods": 2, "TreatMissingData": "breaching"}
    cloud.cloudwatch.put_metric_alarm(AlarmName=alarm, **{**ALARM, **days})
    (found,) = cloud.cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    assert found["StateValue"] == "INSUFFICIENT_DATA"


def test_who_has_confirmed_is_known_after_a_restart_and_nobody_is_asked_again(own_home: Path) -> None:
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    arn = topic(cloud)
    confirmed, pending = (subscribed(cloud, own_home, arn, confirmed=each) for each in (True, False))
    daemon.stop(own_home)
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    listed = cloud.sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    states = {each["Endpoint"]: each["SubscriptionArn"] == "PendingConfirmation" for each in listed}
    assert states == {confirmed: False, pending: True}
    cloud.sns.publish(TopicArn=arn, Subject="after", Message="the restart")
    assert mails(own_home, confirmed)[-1].subject == "after"
    assert len(mails(own_home, pending)) == 1


def asked_for(cloud: Cloud, home: Path, pattern: dict[str, Any], status: str) -> str:
    """Have a rule tell of events of a pattern, and of their status. Returns the address that it tells."""
    rule = cloud.name("rule")
    arn, closed = (topic(cloud, "events.amazonaws.com", condition=condition) for condition in (False, True))
    address = subscribed(cloud, home, arn)
    cloud.sns.subscribe(TopicArn=closed, Protocol="email", Endpoint=address)
    opened(links(home, address)[1])
    cloud.events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    template = {"InputPathsMap": {"status": f"$.detail.{status}"}, "InputTemplate": '"It is <status>."'}
    # As on AWS, a rule meets no condition, so that the second topic never hears of anything.
    targets = [{"Id": name, "Arn": to, "InputTransformer": template} for name, to in (("a", arn), ("b", closed))]
    cloud.events.put_targets(Rule=rule, Targets=targets)
    return address


def test_an_endpoint_that_fails_is_told_by_the_rule_that_asks_for_it(cloud: Cloud, home: Path) -> None:
    endpoint = cloud.name("endpoint")
    address = asked_for(
        cloud,
        home,
        {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Endpoint State Change"],
            "detail": {"EndpointName": [endpoint], "EndpointStatus": ["FAILED"]},
        },
        "EndpointStatus",
    )
    broken = cloud.endpoint_config(BROKEN="yes")
    for name in (cloud.name("endpoint"), endpoint):  # the first is none that the rule is about
        cloud.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=broken)
        assert cloud.settled(name)["EndpointStatus"] == "Failed"
    wait_for(lambda: len(mails(home, address)) > 2)
    assert [mail.text for mail in mails(home, address)[2:]] == ['"It is FAILED."']


def test_an_execution_that_fails_is_told_and_none_that_ends_well(cloud: Cloud, home: Path) -> None:
    role = cloud.role("states.amazonaws.com")
    pass_on = {"Type": "Choice", "Choices": [{"Variable": "$.well", "StringEquals": "yes", "Next": "Well"}]}
    states = {"Look": {**pass_on, "Default": "Ill"}, "Well": {"Type": "Succeed"}, "Ill": {"Type": "Fail", "Error": "E"}}
    definition = json.dumps({"StartAt": "Look", "States": states})
    request = {"name": cloud.name("machine"), "definition": definition, "roleArn": role}
    machine = cloud.stepfunctions.create_state_machine(**request)["stateMachineArn"]
    address = asked_for(
        cloud,
        home,
        {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"stateMachineArn": [machine], "status": ["FAILED", "TIMED_OUT"]},
        },
        "status",
    )
    for well in ("yes", "no"):
        cloud.stepfunctions.start_execution(stateMachineArn=machine, input=json.dumps({"well": well}))
    wait_for(lambda: len(mails(home, address)) > 2)
    assert [mail.text for mail in mails(home, address)[2:]] == ['"It is FAILED."']


def test_a_transform_job_that_fails_is_told_by_the_beginning_of_its_name(cloud: Cloud, home: Path) -> None:
    prefix = cloud.name("run")
    address = asked_for(
        cloud,
        home,
        {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Transform Job State Change"],
            "detail": {"TransformJobName": [{"prefix": f"{prefix}-"}], "TransformJobStatus": ["Failed"]},
        },
        "TransformJobStatus",
    )
    cloud.upload(f"{prefix}/in/a", b"raise")  # which the model fails over
    given = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{cloud.bucket}/{prefix}/in/"}}
    for name in (cloud.name("other"), f"{prefix}-1"):
        cloud.sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=cloud.endpoint_config(),
            TransformInput={"DataSource": given},
            TransformOutput={"S3OutputPath": f"s3://{cloud.bucket}/{prefix}/out"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
    wait_for(lambda: len(mails(home, address)) > 2)
    assert [mail.text for mail in mails(home, address)[2:]] == ['"It is Failed."']
