"""Lambda functions, run by AWS's own runtime client, and by the twin's where that one is not to be had."""

import base64
import io
import json
import os
import re
import socket
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from sentictl.twin import daemon
from sentictl.twin.core.messages import authorization
from sentictl.twin.lambda_.functions import MAX_CALLERS, MAX_ENVIRONMENTS
from tests.twin.conftest import Cloud, wait_for, zipped

ECHO = """
import os, boto3
calls = 0
def handle(event, context):
    global calls
    calls += 1
    print("got", event)
    if event.get("do") == "raise":
        raise ValueError("cannot")
    if event.get("do") == "sleep":
        import time; time.sleep(60)
    if event.get("do") == "exit":
        os._exit(7)
    if event.get("do") == "identity":
        return boto3.client("sts").get_caller_identity()["Account"]
    return {"event": event, "calls": calls, "word": os.environ.get("WORD"), "pid": os.getpid(),
            "environment": dict(os.environ), "left": context.get_remaining_time_in_millis(),
            "arn": context.invoked_function_arn}
"""


def invoke(cloud: Cloud, function: str, event: Any = None, **keywords: Any) -> tuple[Any, dict[str, Any]]:
    answer = getattr(cloud, "lambda").invoke(FunctionName=function, Payload=json.dumps(event or {}), **keywords)
    return json.loads(answer["Payload"].read()), answer


@pytest.fixture(scope="module", params=["AWS's client", "the twin's client"])
def runtime(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A twin that runs functions with one client or the other: the native part of AWS's is hidden from the latter."""
    if request.param == "AWS's client":
        yield request.getfixturevalue("cloud")
        return
    folder = tmp_path_factory.mktemp("own")
    (folder / "runtime_client.py").write_text("raise ImportError")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        patch.setattr(daemon, "subprocess", subprocess)  # no fork of the prepared process, which has imported it
        details = daemon.start(folder / "local").details
    assert details
    assert details["runtime_client"] == "sentictl's own runtime client"
    yield Cloud(daemon.access(folder / "local"))
    daemon.destroy(folder / "local")


@pytest.fixture(scope="module")
def echo(runtime: Cloud) -> str:
    return runtime.function(ECHO)


def test_a_function_answers_in_lambdas_environment(runtime: Cloud, echo: str) -> None:
    answer, whole = invoke(runtime, echo, {"review": "schön"})
    assert (whole["StatusCode"], whole["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in whole
    assert answer["event"] == {"review": "schön"}
    assert answer["arn"] == echo
    assert 0 < answer["left"] <= 10_000
    environment = answer["environment"]
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == echo.rpartition(":")[2]
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert environment["no_proxy"].endswith("127.0.0.1,localhost")


def test_environments_are_reused(runtime: Cloud, echo: str) -> None:
    first, _ = invoke(runtime, echo)
    second, _ = invoke(runtime, echo.rpartition(":")[2])
    assert second["pid"] == first["pid"]
    assert second["calls"] == first["calls"] + 1


def test_callers_at_once_get_environments_of_their_own(cloud: Cloud) -> None:
    function = cloud.function(
        "import os, time\ndef handle(event, context):\n    time.sleep(0.3)\n    return os.getpid()"
    )
    with ThreadPoolExecutor(3) as pool:
        pids = list(pool.map(lambda _: invoke(cloud, function)[0], range(3)))
    assert len(set(pids)) == 3


def test_a_caller_that_has_hung_up_before_its_turn_is_not_served(cloud: Cloud) -> None:
    function = cloud.function(
        "import json, time\ndef handle(event, context):\n    print('begun', event)\n    time.sleep(event['seconds'])"
    )
    name = function.rpartition(":")[2]
    with ThreadPoolExecutor(MAX_ENVIRONMENTS) as pool:
        busy = [pool.submit(invoke, cloud, function, {"seconds": 3}) for _ in range(MAX_ENVIRONMENTS)]
        wait_for(lambda: sum("begun" in line for line in cloud.lines(f"/aws/lambda/{name}")) == MAX_ENVIRONMENTS)
        parts = urlsplit(cloud.url)
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            body = b'{"seconds": 0.125}'
            head = f"POST /2015-03-31/functions/{name}/invocations HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            signed = f"Authorization: {authorization('lambda', 'us-east-1', cloud.key)}\r\n"
            connection.sendall(f"{head}{signed}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert [call.result()[0] for call in busy] == [None] * MAX_ENVIRONMENTS
    invoke(cloud, function, {"seconds": 0})
    assert not any("0.125" in line for line in cloud.lines(f"/aws/lambda/{name}"))


def test_more_callers_than_lambda_takes_are_told_when_to_come_again(cloud: Cloud) -> None:
    function = cloud.function("import time\ndef handle(event, context):\n    time.sleep(event['seconds'])")
    refusals = []

    def call(_: int) -> None:
        try:
            invoke(cloud, function, {"seconds": 0.3})
        except ClientError as refusal:
            refusals.append(refusal.response)

    with ThreadPoolExecutor(2 * MAX_CALLERS) as pool:
        list(pool.map(call, range(2 * MAX_CALLERS)))
    assert refusals
    for refusal in refusals:
        assert refusal["Error"]["Code"] == "TooManyRequestsException"
        assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert int(refusal["ResponseMetadata"]["HTTPHeaders"]["retry-after"]) > 0


def test_boto3_inside_reaches_the_twin(runtime: Cloud, echo: str) -> None:
    assert invoke(runtime, echo, {"do": "identity"})[0] == "123456789012"


@pytest.mark.parametrize("allowed", [True, False])
def test_a_function_may_do_what_its_role_allows(cloud: Cloud, allowed: bool) -> None:
    endpoint = cloud.endpoint(cloud.endpoint_config())
    cloud.settled(endpoint)
    name = endpoint if allowed else "another"
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}"
    policy = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": arn}
    code = (
        "import boto3\n"
        "def handle(event, context):\n"
        f"    answer = boto3.client('sagemaker-runtime').invoke_endpoint(EndpointName='{endpoint}', Body=b'x')\n"
        "    return answer['Body'].read().decode()"
    )
    function = cloud.function(code, Role=cloud.role("lambda.amazonaws.com", policy=policy))
    answer, whole = invoke(cloud, function)
    assert ("FunctionError" in whole) is not allowed
    assert allowed or "AccessDeniedException" in answer["errorMessage"]


def test_an_exception_is_a_function_error(runtime: Cloud, echo: str) -> None:
    answer, whole = invoke(runtime, echo, {"do": "raise"})
    assert whole["FunctionError"] == "Unhandled"
    assert (answer["errorType"], answer["errorMessage"]) == ("ValueError", "cannot")
    assert answer["stackTrace"]


def test_a_timeout(runtime: Cloud) -> None:
    function = runtime.function(ECHO, Timeout=1)
    answer, whole = invoke(runtime, function, {"do": "sleep"})
    assert whole["FunctionError"] == "Unhandled"
    assert "Task timed out after 1.00 seconds" in answer["errorMessage"]
    assert invoke(runtime, function)[0]["calls"] == 1


def test_a_function_that_ends_its_process(runtime: Cloud, echo: str) -> None:
    answer, whole = invoke(runtime, echo, {"do": "exit"})
    assert whole["FunctionError"] == "Unhandled"
    assert answer["errorType"] == "Runtime.ExitError"
    assert "exit status 7" in answer["errorMessage"]
    assert "FunctionError" not in invoke(runtime, echo)[1]


def test_a_module_that_does_not_load(runtime: Cloud) -> None:
    answer, whole = invoke(runtime, runtime.function("import nowhere_to_be_found"))
    assert whole["FunctionError"] == "Unhandled"
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "nowhere_to_be_found" in answer["errorMessage"]


@pytest.mark.parametrize(
    ("code", "handler", "kind", "message"),
    [
        ("def handle(:", "handler.handle", "Runtime.UserCodeSyntaxError", "Syntax error in module 'handler'"),
        ("", "handler.handle", "Runtime.HandlerNotFound", "Handler 'handle' missing on module 'handler'"),
        ("", "sys.exit", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
        ("", "handle", "Runtime.MalformedHandlerName", "Bad handler 'handle'"),
        ("int('x')", "handler.handle", "ValueError", "invalid literal for int()"),
    ],
)
def test_what_does_not_load_is_told_by_awss_names(
    runtime: Cloud, code: str, handler: str, kind: str, message: str
) -> None:
    answer, whole = invoke(runtime, runtime.function(code, Handler=handler))
    assert whole["FunctionError"] == "Unhandled"
    assert answer["errorType"] == kind
    assert answer["errorMessage"].startswith(message)


def test_a_function_in_a_folder(runtime: Cloud) -> None:
    code = zipped({"inside/module.py": "def handle(event, context):\n    return __name__"})
    function = runtime.function("", Code={"ZipFile": code}, Handler="inside/module.handle")
    assert invoke(runtime, function)[0] == "inside.module"


ANSWERS = """
import logging
from decimal import Decimal
def handle(event, context):
    logging.getLogger().warning("asked for %s", event)
    context.log("as it stands\\n")
    return {"bytes": b'{"bytes": 1}', "text": "sch\u00f6n", "decimal": [Decimal("2"), Decimal("0.5")], "set": {1},
            "names": [context.function_name, context.memory_limit_in_mb, context.function_version]}[event]
"""


def test_what_a_function_answers(runtime: Cloud) -> None:
    function = runtime.function(ANSWERS, MemorySize=256)
    assert invoke(runtime, function, "bytes")[0] == {"bytes": 1}
    assert invoke(runtime, function, "text")[0] == "schön"
    assert invoke(runtime, function, "decimal")[0] == [2, 0.5]
    assert invoke(runtime, function, "names")[0] == [function.rpartition(":")[2], "256", "$LATEST"]
    refused, whole = invoke(runtime, function, "set")
    assert whole["FunctionError"] == "Unhandled"
    assert refused["errorType"] == "Runtime.MarshalError"
    assert refused["errorMessage"].startswith("Unable to marshal response: Object of type set")


def test_what_a_function_logs(runtime: Cloud) -> None:
    function = runtime.function(ANSWERS)
    invoke(runtime, function, "set")
    group = f"/aws/lambda/{function.rpartition(':')[2]}"
    wait_for(lambda: any(line.startswith("[ERROR] Runtime.MarshalError: Unable to") for line in runtime.lines(group)))
    lines = runtime.lines(group)
    (asked,) = (line for line in lines if line.endswith("\tasked for set"))
    assert re.fullmatch(r"\[WARNING\]\t\d{4}-\d\d-\d\dT[\d:.]+Z\t[-0-9a-f]{36}\tasked for set", asked)
    request_id = asked.split("\t")[2]
    assert any(line.startswith(f"START RequestId: {request_id} ") for line in lines)
    assert "as it stands" in lines


def test_updates_take_effect_at_once(cloud: Cloud) -> None:
    function = cloud.function(ECHO, Environment={"Variables": {"WORD": "one"}})
    assert invoke(cloud, function)[0]["word"] == "one"
    client = getattr(cloud, "lambda")
    client.update_function_configuration(FunctionName=function, Environment={"Variables": {"WORD": "two"}})
    client.get_waiter("function_updated_v2").wait(FunctionName=function)
    assert invoke(cloud, function)[0]["word"] == "two"
    client.update_function_code(
        FunctionName=function, ZipFile=zipped({"handler.py": "def handle(e, c):\n    return 'new'"})
    )
    assert invoke(cloud, function)[0] == "new"


def test_logs(runtime: Cloud) -> None:
    function = runtime.function(ECHO)
    _, whole = invoke(runtime, function, {"word": "hello"}, LogType="Tail")
    tail = base64.b64decode(whole["LogResult"]).decode()
    assert "got {'word': 'hello'}" in tail
    lines = wait_for(lambda: runtime.lines(f"/aws/lambda/{function.rpartition(':')[2]}"))
    begun = next(index for index, line in enumerate(lines) if line.startswith("START RequestId: "))
    assert lines[begun + 1] == "got {'word': 'hello'}"
    assert lines[begun + 2].startswith("END RequestId: ")
    assert "Max Memory Used" in lines[begun + 3]
    assert "Init Duration" in lines[begun + 3]


def test_unknown_function(cloud: Cloud) -> None:
    client = getattr(cloud, "lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="Function not found"):
        invoke(cloud, "unknown")


def test_a_deleted_function_is_gone(cloud: Cloud) -> None:
    client = getattr(cloud, "lambda")
    function = cloud.function(ECHO)
    invoke(cloud, function)
    client.delete_function(FunctionName=function)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        invoke(cloud, function)


def climbing() -> bytes:
    return zipped({"../handler.py": "x"})


def too_large() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(262_144_001))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: b"no archive", "File is not a zip file"),
        (climbing, r"'../handler\.py' leads out of its folder"),
        (too_large, "unpacked it is larger than 250 MiB"),
    ],
    ids=["no archive", "climbing", "too large"],
)
def test_code_beyond_its_limits_is_refused(cloud: Cloud, make: Callable[[], bytes], words: str) -> None:
    content = make()
    standing = cloud.function(ECHO)
    client, name = getattr(cloud, "lambda"), standing.rpartition(":")[2]
    cloud.upload("code.zip", content)
    stored = {"S3Bucket": cloud.bucket, "S3Key": "code.zip"}
    for call in (
        lambda: cloud.function("", Code={"ZipFile": content}),
        lambda: cloud.function("", Code=stored),
        lambda: client.update_function_code(FunctionName=name, ZipFile=content),
        lambda: client.update_function_code(FunctionName=name, **stored),
    ):
        with pytest.raises(ClientError, match=f"InvalidParameterValueException.*{words}"):
            call()
    assert "FunctionError" not in invoke(cloud, standing)[1]


def encrypted(archive: bytes) -> bytes:
    """The same archive, whose entries say that they are encrypted."""
    return archive.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01").replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
    )


WHOLE = zipped({"handler.py": "def handle(event, context):\n    return 'answer'"})


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"text",
        WHOLE[:-30],
        WHOLE.replace(b"'answer'", b"'damage'"),
        encrypted(WHOLE),
        zipped({"handler.py": "", "handler.py/inside.py": ""}),
    ],
    ids=["nothing", "text", "cut", "damaged", "encrypted", "a file in a file"],
)
def test_code_that_cannot_be_unpacked_is_refused(cloud: Cloud, archive: bytes) -> None:
    functions = getattr(cloud, "lambda")
    with pytest.raises(ClientError, match="Could not unzip uploaded file") as refused:
        cloud.function("", Code={"ZipFile": archive})
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    standing = cloud.function("", Code={"ZipFile": WHOLE})
    with pytest.raises(ClientError, match="Could not unzip uploaded file"):
        functions.update_function_code(FunctionName=standing, ZipFile=archive)
    cloud.upload("code.zip", archive)
    with pytest.raises(ClientError, match="Could not unzip uploaded file"):
        functions.update_function_code(FunctionName=standing, S3Bucket=cloud.bucket, S3Key="code.zip")
    assert invoke(cloud, standing)[0] == "answer"


def test_a_package_for_another_processor_gives_way_to_this_machines(cloud: Cloud) -> None:
    """As numpy does in a function for arm64; here it is a package that every Python has."""
    code = {
        "handler.py": "import colorsys\ndef handle(event, context):\n    return colorsys.rgb_to_hsv(0, 0, 1)",
        "colorsys/__init__.py": "raise ImportError('for another machine')",
        "colorsys/core.so": "\x7fELF" + "\0" * 14 + "\x28\0",  # a 32-bit ARM processor
    }
    function = cloud.function("", Code={"ZipFile": zipped(code)})
    for _ in range(2):
        assert invoke(cloud, function)[0][2] == 1
    lines = cloud.lines(f"/aws/lambda/{function.rpartition(':')[2]}")
    assert sum("not built for it: colorsys" in line for line in lines) == 1


def test_code_can_be_for_another_processor_than_before(cloud: Cloud) -> None:
    functions, name = getattr(cloud, "lambda"), cloud.function(ECHO)
    assert functions.get_function_configuration(FunctionName=name)["Architectures"] == ["x86_64"]
    content = zipped({"handler.py": ECHO})
    for given, told in (({"Architectures": ["arm64"]}, "arm64"), ({}, "arm64")):
        functions.update_function_code(FunctionName=name, ZipFile=content, **given)
        assert functions.get_function_configuration(FunctionName=name)["Architectures"] == [told]


def test_a_payload_that_is_not_json_is_refused(cloud: Cloud) -> None:
    function = cloud.function(ECHO)
    for payload in (b"{not json", b"\xff", b"[" * 100_000):
        with pytest.raises(ClientError, match="InvalidRequestContentException"):
            getattr(cloud, "lambda").invoke(FunctionName=function, Payload=payload)
