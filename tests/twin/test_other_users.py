"""What another user of this machine gets of a twin: nothing but what AWS serves to the world."""

import http.client
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sentictl.errors import TwinError
from sentictl.twin import daemon
from tests.other_user import as_another_user, needs_root
from tests.twin.apigateway.test_gateway import ECHO as PROXY
from tests.twin.apigateway.test_gateway import Api
from tests.twin.conftest import Cloud, wait_for, zipped
from tests.twin.lambda_.test_functions import ECHO, invoke
from tests.twin.sagemaker.training.test_jobs import FOREVER, GROUP
from tests.twin.test_daemon import children

pytestmark = needs_root

CREATE = {"FunctionName": "mine", "Runtime": "python3.13", "Handler": "handler.handle"}
LISTENING = "0A"  # the state of a socket in /proc/net/tcp
Answer = tuple[int, str]


@dataclass(frozen=True)
class Busy:
    """A twin with a function, an endpoint, a training job and an API, all of them processes of their own."""

    home: Path
    pid: int
    cloud: Cloud
    function: str
    endpoint: str
    url: str

    @property
    def key(self) -> str:
        return self.cloud.key

    def ask(self, method: str, path: str, *, key: str = "local", service: str = "lambda", body: str = "") -> Answer:
        """Ask as another user, with an access key of one's own. Returns the status and the body."""
        scope = f"{key}/20260101/us-east-1/{service}/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"}
        port = int(self.cloud.url.rpartition(":")[2])
        status, text = as_another_user(lambda: request(port, method, path, body, headers))
        return status, text


def request(port: int, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def hung_up(port: int) -> bool:
    """Whether there is somebody at a port who does not answer."""
    try:
        request(port, "GET", "/2018-06-01/runtime/invocation/next")
    except (http.client.HTTPException, ConnectionResetError):
        return True
    return False


def ports(pid: int) -> list[int]:
    """The ports at which a process listens."""
    links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
    sockets = {link.removeprefix("socket:[").rstrip("]") for link in links if link.startswith("socket:")}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(line[1].partition(":")[2], 16) for line in lines if line[3] == LISTENING and line[9] in sockets]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    folder = tmp_path_factory.mktemp("shared")
    for path in (folder, *folder.parents[:3]):
        path.chmod(0o755)  # nothing above the twin's own folder keeps others out
    home = folder / "local"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(daemon, "subprocess", subprocess)  # no forks of the prepared process: children of its own
        status = daemon.start(home)
    cloud = Cloud(daemon.access(home))
    function = cloud.function(ECHO)
    invoke(cloud, function)
    endpoint = cloud.endpoint(cloud.endpoint_config())
    cloud.settled(endpoint)
    job = cloud.train(FOREVER)
    wait_for(lambda: cloud.lines(GROUP, job))
    api = Api.make(cloud)
    api.function(cloud.function(PROXY))
    yield Busy(home, status.pid or 0, cloud, function.rpartition(":")[2], endpoint, api.deploy())
    daemon.destroy(home)


def test_the_twins_folder_is_closed(busy: Busy) -> None:
    def look() -> list[str]:
        opened = []
        for name in ("", "twin.json", "twin.log", "journal", "run"):
            try:
                os.close(os.open(busy.home / name, os.O_RDONLY))
                opened.append(name)
            except PermissionError:
                continue
        return opened

    assert as_another_user(look) == []


def test_what_code_in_the_twin_writes_is_its_users_alone(busy: Busy, tmp_path: Path) -> None:
    code = "def handle(event, context):\n    open(event, 'w').close()"
    path = tmp_path / "written"
    invoke(busy.cloud, busy.cloud.function(code), str(path))
    assert path.stat().st_mode & 0o077 == 0


def test_an_older_twins_folder_is_closed_at_the_next_start(own_home: Path) -> None:
    own_home.mkdir(mode=0o755)
    daemon.start(own_home)
    assert own_home.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("ask", [daemon.status, daemon.start, daemon.stop, daemon.destroy])
def test_another_user_is_told_whose_twin_it_is(busy: Busy, ask: Callable[[Path], object]) -> None:
    def look() -> str:
        try:
            ask(busy.home)
        except TwinError as refusal:
            return refusal.message
        return ""

    assert as_another_user(look).endswith("is another user's, and open to nobody else.")


@pytest.mark.parametrize("key", ["local", "LOCALROLE-00-admin", "LOCAL0123456789ABCDEF0123456789ABCDEF"])
def test_no_code_of_a_strangers_runs(busy: Busy, key: str) -> None:
    code = zipped({"handler.py": "def handle(event, context): return 'mine'"}).decode("latin-1")
    made = busy.ask("POST", "/2015-03-31/functions", key=key, body=json.dumps(CREATE | {"Code": {"ZipFile": code}}))
    assert made[0] == 403
    assert "mine" not in [f["FunctionName"] for f in getattr(busy.cloud, "lambda").list_functions()["Functions"]]
    before = invoke(busy.cloud, busy.function)[0]["calls"]
    assert busy.ask("POST", f"/2015-03-31/functions/{busy.function}/invocations", key=key)[0] == 403
    assert invoke(busy.cloud, busy.function)[0]["calls"] == before + 1
    asked = busy.ask("POST", f"/endpoints/{busy.endpoint}/invocations", key=key, service="sagemaker", body="good")
    assert asked[0] == 403
    assert busy.ask("GET", "/_twin/status", key=key)[0] == 403


def test_the_api_is_open_as_on_aws(busy: Busy) -> None:
    path = busy.url.removeprefix(busy.cloud.url)
    assert busy.ask("POST", path)[0] == 201


def test_functions_hang_up_and_models_listen_to_nobody(busy: Busy) -> None:
    assert not [port for child in children(busy.pid) for port in ports(child)]
    runtime_apis = [port for port in ports(busy.pid) if not busy.cloud.url.endswith(f":{port}")]
    assert runtime_apis
    for port in runtime_apis:
        assert as_another_user(partial(hung_up, port))
        assert hung_up(port)  # as is whatever else its own user runs
    assert busy.cloud.ask(busy.endpoint)["model"] == "one"  # whose clients are not disturbed
    assert invoke(busy.cloud, busy.function)[0]["event"] == {}


def test_no_command_line_shows_the_key(busy: Busy) -> None:
    def seen() -> str:
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except (OSError, ProcessLookupError):
                continue
        return "\n".join(lines)

    shown: Any = as_another_user(seen)
    assert str(busy.home) in shown
    assert busy.key not in shown


def test_no_environment_is_shown(busy: Busy) -> None:
    pids = busy.pid, *children(busy.pid)

    def look() -> list[int]:
        opened = []
        for pid in pids:
            try:
                Path(f"/proc/{pid}/environ").read_bytes()
                opened.append(pid)
            except PermissionError:
                continue
        return opened

    assert as_another_user(look) == []
