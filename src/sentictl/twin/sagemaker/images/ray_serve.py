"""The stand-in for AWS's Ray Serve image: answers by the deployment that the artifact's `config.yaml` names.

Ray itself is not needed. What stands in for it is one deployment of a class that is called with the request: it is made
once, in this process, and called as often at once as there are cores. Deployments that call others, and ingresses, are
refused. As with AWS's adapter, every body arrives as bytes; a request without a content type, or without what it
accepts, arrives as one of JSON; and the deployment's status is the answer's.
"""

import asyncio
import importlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import yaml

from sentictl.twin.sagemaker.images.serving import CUSTOM_ATTRIBUTES, Answer, run

JSON = "application/json"
CONFIG = "config.yaml"


class DeploymentError(Exception):
    """The artifact names no deployment, or one that nothing here stands in for; the message is for people."""


@dataclass(frozen=True)
class Application:
    """What `bind` returns: a class, and what it is made with."""

    made_of: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: dict[str, Any]

    def make(self) -> Any:
        if any(isinstance(each, Application) for each in (*self.arguments, *self.named.values())):
            raise DeploymentError("the twin stands in for one deployment alone, not for one that calls others")
        return self.made_of(*self.arguments, **self.named)


@dataclass(frozen=True)
class ServeDeployment:
    """What `serve.deployment` makes of a class. Its options are about machines that are not here."""

    made_of: Callable[..., Any]

    def bind(self, *arguments: Any, **named: Any) -> Application:
        return Application(self.made_of, arguments, named)

    def options(self, **_: Any) -> "ServeDeployment":
        return self


class ServeRequest:
    """What a deployment reads of starlette's requests."""

    method = "POST"

    def __init__(self, body: bytes, content_type: str, accept: str, attributes: str) -> None:
        self._body = body
        self.headers = Message()  # whose names are found in small letters and capitals
        self.headers["content-type"] = content_type or JSON
        self.headers["accept"] = accept or JSON
        if attributes:
            self.headers[CUSTOM_ATTRIBUTES] = attributes

    async def body(self) -> bytes:
        return self._body

    async def json(self) -> Any:
        return json.loads(self._body)


class ServeResponse:
    """What a deployment makes of starlette's responses."""

    def __init__(self, content: str | bytes = b"", status_code: int = 200, media_type: str = "") -> None:
        self.body = content if isinstance(content, bytes) else content.encode()
        self.status_code = status_code
        self.headers = {"content-type": media_type}


def load(model_dir: Path) -> Answer:
    """Make the deployment. Returns what answers."""
    _stand_in()
    sys.path[:0] = [str(model_dir), str(model_dir / "code")]
    module, _, variable = _import_path(model_dir).partition(":")
    application = getattr(importlib.import_module(module), variable)
    if not isinstance(application, Application):
        raise DeploymentError(f"{variable} in {module}.py is no bound deployment: write {variable} = YourClass.bind()")
    deployment = application.make()

    def answer(body: bytes, content_type: str, accept: str, attributes: str) -> tuple[int, str, bytes]:
        given = deployment(ServeRequest(body, content_type, accept, attributes))
        return _as_http(asyncio.run(given) if inspect.iscoroutine(given) else given)

    return answer


def _import_path(model_dir: Path) -> str:
    """Return where the application is, as AWS's image finds out: such as "deployment:app"."""
    config = model_dir / CONFIG
    if config.is_file():
        applications = (yaml.safe_load(config.read_text(encoding="utf-8")) or {}).get("applications") or []
        if len(applications) != 1 or applications[0].get("route_prefix", "/") != "/":
            raise DeploymentError(f"{CONFIG} has to have one application, with the route_prefix /")
        return str(applications[0]["import_path"])
    if named := os.environ.get("SM_RAYSERVE_APP"):
        return named
    raise DeploymentError(
        f"No Ray Serve application found: the artifact has no {CONFIG}, and there is no SM_RAYSERVE_APP"
    )


def _as_http(given: Any) -> tuple[int, str, bytes]:
    """Return a deployment's answer as Ray does over HTTP: a response as it is, text and bytes, all else as JSON."""
    if hasattr(given, "status_code"):
        return given.status_code, given.headers["content-type"], given.body
    if given is None or isinstance(given, bytes):
        return 200, "text/plain", given or b""
    if isinstance(given, str):
        return 200, "text/plain; charset=utf-8", given.encode()
    return 200, JSON, json.dumps(given, separators=(",", ":")).encode()


def _stand_in() -> None:
    """Let what a deployment imports of ray be what is here, and of starlette, too, where that is not installed."""

    def deployment(made_of: Callable[..., Any] | None = None, **_: Any) -> Any:
        return ServeDeployment(made_of) if made_of else ServeDeployment

    def refuse(name: str) -> NoReturn:
        raise AttributeError(f"the twin stands in for ray.serve.deployment alone, not for ray.serve.{name}")

    serve = _module("ray.serve", deployment=deployment, Application=Application, __getattr__=refuse)
    _module("ray", serve=serve)
    if importlib.util.find_spec("starlette") is None:
        requests = _module("starlette.requests", Request=ServeRequest)
        responses = _module("starlette.responses", Response=ServeResponse)
        _module("starlette", requests=requests, responses=responses)


def _module(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module
    return module


if __name__ == "__main__":
    run(load)
