"""`api.auth = "iam"`: who signs with AWS credentials that IAM allows it may ask (Signature Version 4)."""

from typing import Any

from sentictl.services.access.way import Way

SERVICE = "execute-api"  # the name that requests to an API of API Gateway are signed for
# API Gateway's way of saying it in OpenAPI:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authtype.html
SCHEME = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
SIGNED = Way(
    who="whoever signs as IAM allows it",
    authorization="AWS_IAM",
    headers=("Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"),
    schemes={"sigv4": SCHEME},
    denials={403: ("ACCESS_DENIED", "EXPIRED_TOKEN", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN")},
    about="Each request to ask is signed with AWS credentials (Signature Version 4, service execute-api).",
)


def callers_policy(arn: str) -> dict[str, Any]:
    """Return the identity policy of whoever may ask.

    Args:
        arn: that of the method, or of several with a `*`.
    """
    statement = {"Sid": "AskTheApi", "Effect": "Allow", "Action": f"{SERVICE}:Invoke", "Resource": arn}
    return {"Version": "2012-10-17", "Statement": [statement]}
