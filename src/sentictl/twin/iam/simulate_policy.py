"""IAM's SimulatePrincipalPolicy, which moto lacks: what the policies of a role would decide."""

from html import escape
from urllib.parse import parse_qsl

from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Response
from sentictl.twin.iam import policies
from sentictl.twin.iam.roles import AssumedRole

XML = {"Content-Type": "text/xml"}
# Whoever uses this machine is no role, and may do everything on the twin.
OWNER = [{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}]


class Simulation:
    """Answers SimulatePrincipalPolicy."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        control.instead["iam", "SimulatePrincipalPolicy"] = self._simulate

    def _simulate(self, call: Call) -> Response:
        parameters = dict(parse_qsl(call.request.get_data(as_text=True)))
        source = parameters["PolicySourceArn"]
        role = AssumedRole(self._control, source)
        is_role = ":role/" in source
        if is_role and not role.exists():
            return _no_such_entity(source)
        documents = role.policies() if is_role else OWNER
        context = _context(parameters)
        results = [
            _result(action, resource, policies.decide(documents, action, resource, context))
            for action in _members(parameters, "ActionNames")
            for resource in _members(parameters, "ResourceArns") or ["*"]
        ]
        return _answer("".join(results))


def _members(parameters: dict[str, str], name: str) -> list[str]:
    """A list as the query protocol has it: `Name.member.1` and so on."""
    found = {key: value for key, value in parameters.items() if key.startswith(f"{name}.member.")}
    return [found[key] for key in sorted(found, key=lambda key: int(key.rpartition(".")[2]))]


def _context(parameters: dict[str, str]) -> dict[str, str]:
    """Condition keys, each with the first of its values."""
    ending = ".ContextKeyName"
    entries = [key.removesuffix(ending) for key in parameters if key.endswith(ending)]
    return {parameters[e + ending]: parameters.get(f"{e}.ContextKeyValues.member.1", "") for e in entries}


def _result(action: str, resource: str, decision: str) -> str:
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName>"
        f"<EvalResourceName>{escape(resource)}</EvalResourceName><EvalDecision>{decision}</EvalDecision>"
        "<MatchedStatements/><MissingContextValues/></member>"
    )


def _answer(results: str) -> Response:
    name = "SimulatePrincipalPolicy"
    body = (
        f'<{name}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{name}Result>'
        f"<IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults></{name}Result>"
        f"<ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></{name}Response>"
    )
    return Response(body, headers=XML)


def _no_such_entity(arn: str) -> Response:
    body = (
        "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code>"
        f"<Message>Role {escape(arn.rpartition('/')[2])} not found</Message></Error>"
        "<RequestId>local</RequestId></ErrorResponse>"
    )
    return Response(body, 404, XML)
