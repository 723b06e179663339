"""The local twin's process: `python -m sentictl.twin.server --home DIR --port N`."""

import argparse
import errno
import gc
import logging
import os
import re
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

# moto reads this while it is imported. Its own CORS headers would hide CORS mistakes in an API.
os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "1"
if __name__ == "__main__":
    gc.disable()  # until the twin serves: all that its start makes stays

from botocore.loaders import Loader

from sentictl import __version__
from sentictl.errors import TwinError
from sentictl.twin.apigateway.admission import Admission
from sentictl.twin.apigateway.cognito_authorizer import CognitoAuthorizer
from sentictl.twin.apigateway.gateway import EXECUTION, Gateway
from sentictl.twin.apigateway.gateway import MAX_BODY as GATEWAY_BODY
from sentictl.twin.apigateway.usage_plans import UsagePlans
from sentictl.twin.autoscaling.autoscaler import Autoscaler
from sentictl.twin.autoscaling.targets import ScalableTargets
from sentictl.twin.budgets.budgets import Budgets
from sentictl.twin.cloudwatch.alarms import Alarms
from sentictl.twin.cloudwatch.dashboards import Dashboards
from sentictl.twin.cloudwatch.logs import LogStreams
from sentictl.twin.cloudwatch.metrics import Metrics
from sentictl.twin.cognito.hosted_pages import HOSTED, KEYS, HostedPages
from sentictl.twin.cognito.pools import UserPools
from sentictl.twin.cognito.tokens import TokenSigner
from sentictl.twin.control_plane import moto_start
from sentictl.twin.control_plane.control_plane import ControlPlane, signer
from sentictl.twin.control_plane.journal import Journal
from sentictl.twin.control_plane.moto_patches import MotoPatches
from sentictl.twin.control_plane.quotas import Quotas
from sentictl.twin.control_plane.weather import Weather
from sentictl.twin.core import web_server
from sentictl.twin.core.credentials import KEY_VARIABLE, new_key
from sentictl.twin.core.environment import Access
from sentictl.twin.core.home import TwinHome
from sentictl.twin.core.messages import Request, Response, error_for, json_response, rest_error
from sentictl.twin.events.rules import Rules
from sentictl.twin.iam.callers import Callers, refuse_host
from sentictl.twin.iam.documents import PolicyDocuments
from sentictl.twin.iam.identities import Identities
from sentictl.twin.iam.simulate_policy import Simulation
from sentictl.twin.lambda_.functions import INVOCATION as LAMBDA_INVOCATION
from sentictl.twin.lambda_.functions import Functions
from sentictl.twin.lambda_.runtime import client
from sentictl.twin.s3.buckets import Buckets
from sentictl.twin.s3.conditional_writes import ConditionalWrites
from sentictl.twin.s3.objects import Objects
from sentictl.twin.s3.websites import WEBSITE, Websites
from sentictl.twin.sagemaker.endpoints import INVOCATION as ENDPOINT_INVOCATION
from sentictl.twin.sagemaker.endpoints import Endpoints
from sentictl.twin.sagemaker.notebooks import Notebooks
from sentictl.twin.sagemaker.processing.jobs import ProcessingJobs
from sentictl.twin.sagemaker.scaling import ScalableVariants
from sentictl.twin.sagemaker.training.jobs import TrainingJobs
from sentictl.twin.sagemaker.transform.jobs import TransformJobs
from sentictl.twin.sagemaker.tuning.jobs import TuningJobs
from sentictl.twin.scheduler.schedules import Schedules
from sentictl.twin.sns.mailbox import Mailbox
from sentictl.twin.sns.topics import CONFIRMATION, Topics
from sentictl.twin.stepfunctions.executions import Executions
from sentictl.twin.waf.web_acls import WebAcls

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger("sentictl.twin")

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PUBLIC_BODY = 2 * GATEWAY_BODY  # what is a little too large still hears so from the API
ANSWER_SECONDS = 0.5  # for the answer to be sent before the twin ends
HOME_SECONDS = 1.0  # between two looks at whether the home is still there


class Twin:
    """The WSGI application: the data plane's own addresses, and the control plane for everything else."""

    def __init__(self, home: TwinHome, port: int, key: str) -> None:
        access = Access(f"http://127.0.0.1:{port}", key)
        self._home = home
        self._port = port
        self._started = time.time()
        shutil.rmtree(home.run, ignore_errors=True)
        self._journal = Journal(home.journal)
        self._control = ControlPlane(self._journal, Weather(home.weather))
        self._callers = Callers(self._control, key)
        moto_start.lighten()
        MotoPatches(self._control)
        Buckets(self._control)
        ConditionalWrites(self._control)
        Quotas(self._control)
        Simulation(self._control)
        PolicyDocuments(self._control)
        self._schedules = Schedules(self._control)
        objects, metrics = Objects(self._control), Metrics(self._control)
        logs = LogStreams(self._control, metrics)
        topics = Topics(self._control, Mailbox(home.mail), access.url)
        self._alarms = Alarms(self._control, metrics, logs, topics)
        rules = Rules(self._control, topics)
        self._executions = Executions(self._control, rules.tell)
        Dashboards(self._control)
        Budgets(self._control)
        self._training = TrainingJobs(self._control, objects, logs, home.run / "training", access)
        self._tuning = TuningJobs(self._control, self._training)
        self._transform = TransformJobs(self._control, objects, logs, rules, home.run / "transform", access)
        self._processing = ProcessingJobs(self._control, objects, logs, home.run / "processing", access)
        scaling = ScalableTargets(self._control)
        folder = home.run / "endpoints"
        self._endpoints = Endpoints(self._control, scaling, objects, logs, metrics, self._alarms, rules, folder, access)
        self._autoscaler = Autoscaler(scaling, ScalableVariants(self._control, self._endpoints.fleet, metrics))
        self._functions = Functions(self._control, logs, metrics, home.run / "functions", access)
        self._notebooks = Notebooks(self._control, logs, home, access)
        pools, tokens = UserPools(self._control), TokenSigner(home.signing_key)
        self._hosted = HostedPages(pools, tokens)
        self._plans = UsagePlans(self._control)
        authorizer = CognitoAuthorizer(self._control, pools, tokens)
        admission = Admission(Identities(self._control, key), self._plans, authorizer)
        self._gateway = Gateway(self._control, self._functions, admission, WebAcls(self._control), logs, metrics)
        self._websites = Websites(self._control)
        # Open to browsers and pages from anywhere, as their counterparts on AWS are.
        self._public: list[tuple[re.Pattern[str], Callable[[Request], Response]]] = [
            (EXECUTION, self._gateway.answer),
            (WEBSITE, self._websites.answer),
            (HOSTED, self._hosted.answer),
            (KEYS, self._hosted.keys),
            (CONFIRMATION, topics.confirm),
        ]
        self._private: list[tuple[re.Pattern[str], Callable[[Request], Response]]] = [
            (re.compile("/_twin/status"), self._status),
            (ENDPOINT_INVOCATION, self._endpoints.invoke),
            (LAMBDA_INVOCATION, self._functions.answer),
            # moto's own control page can empty it behind the journal's back.
            (re.compile("/moto-api.*"), _not_found),
            (re.compile(".*", re.DOTALL), self._control.handle),
        ]

    def resume(self) -> None:
        """Bring back what was there before the last stop."""
        self._journal.compact()
        self._control.replay()
        self._training.fail_interrupted()
        self._transform.fail_interrupted()
        self._processing.fail_interrupted()
        self._executions.fail_interrupted()
        self._tuning.bring_back()
        self._endpoints.bring_back()
        self._notebooks.bring_back()
        self._schedules.start()
        self._autoscaler.start()
        self._alarms.start()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self._answer(Request(environ, populate_request=False))(environ, start_response)

    def body_limit(self, path: str) -> int:
        """Return how many bytes a body may have that is sent to a path: fewer where everybody may send."""
        return PUBLIC_BODY if self._is_public(path) else web_server.MAX_BODY

    def close(self) -> None:
        """End every child process."""
        self._plans.close()
        self._executions.close()
        self._tuning.close()
        self._training.close()
        self._transform.close()
        self._processing.close()
        self._endpoints.close()
        self._functions.close()
        self._notebooks.close()
        shutil.rmtree(self._home.run, ignore_errors=True)

    def _answer(self, request: Request) -> Response:
        try:
            if refusal := refuse_host(request):
                return refusal
            for pattern, answer in self._public:
                if pattern.fullmatch(request.path):
                    return answer(request)
            if refusal := self._callers.refuse(request):
                return refusal
            return next(answer for pattern, answer in self._private if pattern.fullmatch(request.path))(request)
        except NotImplementedError as error:  # moto's, of an operation that it does not have
            return self._failure(
                request, "NotImplemented", f"The local twin does not have this operation. {error}", 501
            )
        except Exception as problem:
            logger.exception("%s %s", request.method, request.target)
            if isinstance(problem, OSError) and problem.errno in FULL:
                message = (
                    f"The local twin cannot write: {problem.strerror}. Make room, then run the same command again."
                )
                return self._failure(request, "InsufficientStorage", message, HTTPStatus.INSUFFICIENT_STORAGE)
            return self._failure(request, "InternalFailure", "The local twin failed; see its log.", 500)

    def _is_public(self, path: str) -> bool:
        return any(pattern.fullmatch(path) for pattern, _ in self._public)

    def _failure(self, request: Request, code: str, message: str, status: int) -> Response:
        """Return an error of the twin's own, in the shape of the service that was asked."""
        if self._is_public(request.path):
            return rest_error(code, message, status)
        return error_for(request, signer(request)[2], code, message, status)

    def _status(self, _request: Request) -> Response:
        status = {
            "pid": os.getpid(),
            "port": self._port,
            "home": str(self._home.folder),
            "version": __version__,
            "left_out": len(self._control.left_out),
            "uptime": round(time.time() - self._started, 1),
            "training_jobs": self._training.running(),
            "transform_jobs": self._transform.running(),
            "processing_jobs": self._processing.running(),
            "endpoints": self._endpoints.running(),
            "notebooks": self._notebooks.running(),
            "execution_environments": self._functions.running(),
            "runtime_client": client().name,
        }
        return json_response(200, status)


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m sentictl.twin.server")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--listener", type=int, help="file descriptor of a socket that listens on that port")
    parser.add_argument("--lock", type=int, help="file descriptor that holds the home's lock")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    Loader.CUSTOMER_DATA_PATH = os.devnull  # moto answers by botocore's models, and not by those of ~/.aws/models
    home = TwinHome(arguments.home.resolve())
    lock = home.hold() if arguments.lock is None else os.fdopen(arguments.lock, "ab")
    if lock is None:
        sys.exit(f"A twin already runs in {home.folder}.")
    os.umask(0o077)  # nothing that is unpacked or written here is for other users of this machine
    key = os.environ.pop(KEY_VARIABLE, "") or new_key()
    with lock:
        try:
            home.write_record(os.getpid(), arguments.port, key)
            _serve(home, _listener(arguments.port, arguments.listener), key)
        except TwinError as refusal:
            sys.exit(f"{refusal.message} {refusal.hint}")
        except OSError as problem:
            sys.exit(f"The local twin cannot use {problem.filename or home.folder}: {problem.strerror or problem}.")


def _listener(port: int, descriptor: int | None) -> socket.socket:
    return socket.create_server(("127.0.0.1", port)) if descriptor is None else socket.socket(fileno=descriptor)


def _serve(home: TwinHome, listener: socket.socket, key: str) -> None:
    port = listener.getsockname()[1]
    twin = Twin(home, port, key)
    server = web_server.Server(twin, listener, twin.body_limit)
    signal.signal(signal.SIGTERM, _exit)
    threading.Thread(target=_end_without, args=(home.folder,), daemon=True).start()
    try:
        twin.resume()
        gc.freeze()
        gc.enable()
        logger.warning("serving %s on http://127.0.0.1:%d", home.folder, port)
        server.run()
    finally:
        twin.close()


def _end_without(home: Path) -> None:
    """End the twin once its home is gone: whoever deleted the project's folder would never find its process again."""
    while home.exists():
        time.sleep(HOME_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _exit(_signal: int, _frame: Any) -> NoReturn:
    raise SystemExit(0)


def _not_found(_request: Request) -> Response:
    return json_response(404, {"message": "Not Found"})


if __name__ == "__main__":
    main()
