"""`api.auth = "cognito"`: who signs in as a user of a Cognito user pool may ask."""

from sentictl.services.access.way import Way

# The scope of access tokens that people get by signing in, which tokens for programs alone do not have.
SCOPE = "openid"
# API Gateway's way of saying it in OpenAPI: https://docs.aws.amazon.com/apigateway/latest/developerguide/
# apigateway-enable-cognito-user-pool.html, "Integrate a REST API with a user pool using OpenAPI definitions"
SCHEME = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "x-amazon-apigateway-authtype": "cognito_user_pools",
}
SIGNED_IN = Way(
    who="whoever signs in",
    authorization="COGNITO_USER_POOLS",
    scopes=(SCOPE,),
    headers=("Authorization",),
    denials={401: ("UNAUTHORIZED",)},
    refusal="401",
    schemes={"cognito": SCHEME},
    about="Each request to ask needs the access token of somebody who signed in, in the header Authorization.",
)
