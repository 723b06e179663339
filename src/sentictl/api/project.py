"""The Python API: a project, and everything that the commands do with it.

from sentictl import Project

project = Project("films")
live = project.up()
project.predict("a wonderful film, superbly acted")
project.down()
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

from sentimodel.files import METADATA

from sentictl.api import stack
from sentictl.api.batch import ProjectBatch
from sentictl.api.costs import costs
from sentictl.api.keys import ProjectKeys
from sentictl.api.log_events import ProjectLogs
from sentictl.api.monitoring import ProjectMonitoring
from sentictl.api.notebook import ProjectNotebook
from sentictl.api.observer import Lines, ProjectObserver
from sentictl.api.results import Live, Plan, Prepared, Preview, Removal, Status
from sentictl.api.retraining import ProjectRetraining
from sentictl.api.session import Precondition, Session
from sentictl.api.state import ProjectState
from sentictl.api.users import ProjectUsers
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.settings import Settings
from sentictl.config.state import Record
from sentictl.errors import DataError, MissingStepError, ModelError, UsageError
from sentictl.lifecycle import reconcile
from sentictl.lifecycle.reconcile import Action, Step, apply, destroy, import_, plan_destruction
from sentictl.lifecycle.resource import Context
from sentictl.reviews.read.frame import keep_frame
from sentictl.scaffold import init
from sentictl.scaffold.overrides import use_model_code
from sentictl.services.access.caller import caller_of
from sentictl.services.access.iam import callers_policy
from sentictl.services.batch.model import PART
from sentictl.services.batch.schedule import BatchSchedule, schedule_note
from sentictl.services.chain import CHAIN
from sentictl.services.evaluate import versions
from sentictl.services.evaluate.comparison import Comparison
from sentictl.services.evaluate.evaluation import MISTAKES, Evaluation
from sentictl.services.evaluate.live_comparison import LiveComparison, compare_live
from sentictl.services.evaluate.run import kept_evaluation, measure, measure_against
from sentictl.services.evaluate.runs import Runs, runs
from sentictl.services.evaluate.runs_plot import draw
from sentictl.services.evaluate.versions import Version
from sentictl.services.export.cloudformation import template
from sentictl.services.export.github import THIS_ACCOUNT, github_template, previews_template
from sentictl.services.export.openapi import importable
from sentictl.services.iam.permissions import ANY_ACCOUNT, needed, policies
from sentictl.services.iam.state_access import state_actions
from sentictl.services.kept import KEPT
from sentictl.services.monitoring.dashboard import dashboard_url
from sentictl.services.monitoring.topic import AlertTopic, check_topic, confirmation_note
from sentictl.services.notebook.instance import Notebook, running
from sentictl.services.operations.first_answers import wait_for_answers
from sentictl.services.operations.orphans import find_orphans
from sentictl.services.operations.prune import piled_up, prune
from sentictl.services.operations.rollouts import abort, check_none_under_way, progress
from sentictl.services.operations.unused import KEEP, Survey, survey
from sentictl.services.operations.usage import idle_warning
from sentictl.services.page.preview import serving
from sentictl.services.predict import clients
from sentictl.services.predict.batches import predict_each
from sentictl.services.predict.clients import Client
from sentictl.services.predict.rows import Prediction
from sentictl.services.predict.texts import texts_of
from sentictl.services.pricing.costs import CostComparison
from sentictl.services.pricing.estimate import estimate, preparation_price, tuning_price
from sentictl.services.pricing.traffic import WORDS
from sentictl.services.resources.dataset import Dataset
from sentictl.services.resources.processing import ProcessingJob, skipped_rows, stop_running_preparation
from sentictl.services.resources.processing_code import AWS, source_on_s3
from sentictl.services.resources.sagemaker import has_endpoint
from sentictl.services.resources.training import (
    ACCURACY,
    TrainingJob,
    forget_checkpoints,
    stop_running_job,
    version_of,
)
from sentictl.services.retraining.schedule import TrainSchedule, training_note
from sentictl.services.serving.alarms import RollbackAlarms
from sentictl.services.serving.endpoint import Endpoint, unused_gpu
from sentictl.services.serving.hours import Closing, opening_note
from sentictl.services.serving.image import account_warning
from sentictl.services.serving.model import check_images, check_model_fits
from sentictl.services.serving.schedule import Schedule, ending, renew
from sentictl.services.serving.shadow import SETTING as SHADOW
from sentictl.services.serving.shadow import check_shadow
from sentictl.services.tuning.best import Best, record_best
from sentictl.services.tuning.job import TuningJob, running_tuning_job, stop_tuning_job
from sentictl.services.tuning.search import check_search, trials
from sentictl.services.web.access_log import access_note
from sentictl.services.web.function import Function
from sentictl.services.web.function_archive import FunctionArchive, check_packages
from sentictl.services.web.rest_api import RestApi, invoke_url, method_arn, who_is_shut_out
from sentictl.services.web.usage_plan import UsagePlan, nobody_has_a_key
from sentictl.services.web.user_pool import check_user_pool
from sentictl.services.web.website import Page, page_url, render_page

WAITING = "  Waiting for the first answers: on AWS, permissions take effect some seconds late."
# What `status` warns of, by the kind of resource that it is about.
WARNINGS = (
    (TrainingJob, versions.unserved),
    (Schedule, ending),
    (Closing, opening_note),
    (Dataset, piled_up),
    (Endpoint, idle_warning),
    (Endpoint, unused_gpu),
    (Notebook, running),
    (BatchSchedule, schedule_note),
    (TrainSchedule, training_note),
    (UsagePlan, nobody_has_a_key),
    (AlertTopic, confirmation_note),
)
Changes = Mapping[str, Any] | None  # settings by dotted key, such as {"train.epochs": 2}; None leaves one as it is


class Project:
    """A project in one environment. Each method does what the command of its name does.

    Methods that change something take `settings` by dotted key, such as `{"train.epochs": 2}`, which are written to
    `sentictl.toml`, and `adopt`, which takes over what has the name of a resource and is no other project's. All
    raise `sentictl.errors.SentictlError`, with a message and a hint.

    Args:
        folder: where `sentictl.toml` is; by default the nearest folder at or above the working directory.
        environment: `local`, or one that `sentictl.toml` describes.
        tell: called with a line for each milestone; None for silence.
        observer: told of everything that goes on, in place of `tell`.
        command: what signs its changes where the state is kept on S3 (`history`).

    Raises:
        StateError: there is no `sentictl.toml`, or its own model code cannot be used in this Python process.
    """

    def __init__(
        self,
        folder: Path | str | None = None,
        environment: str = LOCAL,
        *,
        tell: Callable[[str], object] | None = print,
        observer: ProjectObserver | None = None,
        command: str = "python",
    ) -> None:
        self._observer = observer or Lines(tell)
        opened = ProjectFolder.open(None if folder is None else Path(folder))
        use_model_code(opened.root)
        self.session = Session(opened, environment, self._observer, command)

    @classmethod
    def begin(
        cls, folder: Path | str = ".", name: str | None = None, *, tell: Callable[[str], object] | None = print
    ) -> "Project":
        """Begin a project: write a commented `sentictl.toml`.

        Args:
            folder: where; it is made if it is not there.
            name: the project's name; by default one that follows from the folder's.
            tell: called with a line for each milestone.

        Raises:
            SettingsError: there is a project already, or the name cannot be one.
        """
        begun = init.begin(name, Path(folder))
        if tell:
            tell(f"wrote {begun.folder.settings_file}: the project is called {begun.name}")
        return cls(begun.folder.root, tell=tell)

    @property
    def folder(self) -> Path:
        """Where `sentictl.toml` is."""
        return self.session.folder.root

    @property
    def settings(self) -> Settings:
        """All settings in force in this environment."""
        return self.session.load().settings

    def set(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings in `sentictl.toml`. Returns what was written, by the key as the file has it."""
        with self.session.locked() as config:
            written = config.set(settings)
            self.session.tell_without_effect(config, settings)
            return written

    def data(self, settings: Changes = None, *, frame: Any = None, adopt: bool = False) -> Prepared:
        """Prepare the reviews and put them on S3.

        Args:
            settings: to change first.
            frame: a pandas or polars DataFrame of reviews; its rows are kept in a file of the project, which becomes
                the setting `data.source`.
            adopt: take over what is in the way.

        Returns:
            the dataset's record, with its manifest.
        """
        if frame is not None:
            settings = {**(settings or {}), "data.source": keep_frame(frame, self.session.folder.root)}
        # Prepared before the settings are written, so that reviews that cannot be used leave sentictl.toml as it was.
        with self.session.change(settings, self._check_data) as context:
            self._run(context, "data", adopt=adopt)
            self._warn(piled_up(context))
            record = context.recorded(Dataset)
            manifest = Dataset(context).prepared.manifest
            if context.settings.data.on == AWS and manifest.warnings:
                show = context.environment.aws_cli(f"s3 cp {skipped_rows(context)} -")
                self._warn(f"What was not used as it stands, row by row: {show}")
            return Prepared(record.kind, record.name, record.arn, record.attributes, manifest=manifest)

    def stop_preparing(self) -> str:
        """Stop the processing job that prepares the dataset on AWS. Returns its name, or "" where none runs."""
        return stop_running_preparation(self.session.read(announced=True))

    def train(self, settings: Changes = None, *, resume: bool = True, wait: bool = True, adopt: bool = False) -> Record:
        """Train the model as a SageMaker training job. Returns the job's record.

        Args:
            settings: to change first.
            resume: go on from the checkpoints of a job that did not finish.
            wait: follow the job to its end.
            adopt: take over what is in the way.
        """
        with self.session.change(settings) as context:
            if not resume:
                forget_checkpoints(context)
            self._run(context, "train", wait=wait, adopt=adopt)
            return context.recorded(TrainingJob)

    def tune(self, settings: Changes = None, *, anew: bool = False, wait: bool = True, adopt: bool = False) -> Record:
        """Search better hyperparameters as a SageMaker tuning job, between the ranges of `[train.tune]`.

        The best trial becomes a version of the model. Its values are written to the settings, unless the version that
        they made before is at least as good on the validation reviews.

        Args:
            settings: to change first, such as `{"train.tune.max_trials": 20}`.
            anew: search again even where the same search is over.
            wait: follow it to its end.
            adopt: take over what is in the way.

        Returns:
            The record of the best trial's training job; of the tuning job where that is not waited for.
        """
        with self.session.change(settings, check_search) as context:
            stack.check_ready(context, "train")
            self._observer.begin("tune")
            apply(stack.tuning(context, anew=anew), context, self._observer, wait=wait, adopt=adopt)
            job = context.recorded(TuningJob)
            best = record_best(context, job.name) if wait else None
            self._observer.ended("tune")
            if best is None:
                return job
            self._take(context, best)
            return best.record

    def plan_tune(self, settings: Changes = None, *, anew: bool = False, adopt: bool = False) -> Plan:
        """Return what `tune` would do and what that costs at most. Changes nothing, on AWS or here."""
        context = self.session.read(settings, check_search, announced=True, new=True)
        stack.check_ready(context, "train")
        rehearsal = context.rehearsal()
        planned = _plan(context, reconcile.plan(stack.tuning(rehearsal, anew=anew), rehearsal, adopt=adopt))
        machines = TrainingJob(context).machines()
        return replace(planned, tuning=tuning_price(context, machines, trials(context.settings.train)))

    def stop_training(self) -> str:
        """Stop the tuning job or the training job that runs. Returns its name, or "" where none does."""
        context = self.session.read(announced=True)
        tuning_job = running_tuning_job(context)
        if tuning_job:
            stop_tuning_job(context, tuning_job)
        return tuning_job or stop_running_job(context)

    def runs(self, *, plot: Path | str | None = None) -> Runs:
        """Return the trials of all tuning jobs and the versions of the model, oldest first.

        Args:
            plot: an SVG file to draw their validation accuracy to, in order and by each hyperparameter that differs.

        Raises:
            MissingStepError: there is nothing to draw.
            FileError: the file cannot be written.
        """
        found = runs(self.session.read())
        if plot is not None:
            draw(found, Path(plot))
        return found

    def deploy(
        self,
        settings: Changes = None,
        *,
        model: str | None = None,
        shadow: str | None = None,
        force: bool = False,
        wait: bool = True,
        adopt: bool = False,
    ) -> Record:
        """Put the trained model behind a SageMaker endpoint, or pack it for the function, as `deploy.serving` has it.

        Returns the record of the endpoint, or of the function's archive.

        Args:
            settings: to change first.
            model: serve this version: its number or name, `previous`, or `latest`.
            shadow: give this version a copy of the requests, and let it answer nobody; "off" ends that.
            force: serve it even if it is worse than the live one.
            wait: until the endpoint is in service.
            adopt: take over what is in the way.
        """
        chosen: dict[str, Any] = {}
        with self.session.change(settings, self._check_deploy(model, shadow, force, chosen)) as context:
            self.session.write(context.config, chosen)
            if settings and settings.get("deploy.ttl"):
                renew(context)
            self._run(context, "deploy", wait=wait, adopt=adopt)
            versions.follow_served(context)
            self.batch.follow(context)
            self.retraining.follow(context)
            return context.recorded(Endpoint if has_endpoint(context) else FunctionArchive)

    def abort_rollout(self, *, wait: bool = True) -> str:
        """Have AWS go back to what the endpoint served before a rollout that is on its way.

        Args:
            wait: until it has gone back.

        Returns:
            The endpoint config that is served.
        """
        return abort(self.session.read(announced=True), wait=wait)

    def wire_lambda(self, settings: Changes = None, *, adopt: bool = False) -> Record:
        """Put a Lambda function in front of the model, or around it. Returns its record."""
        with self.session.change(settings) as context:
            self._run(context, "wire-lambda", adopt=adopt)
            return context.recorded(Function)

    def wire_api(self, settings: Changes = None, *, adopt: bool = False) -> Record:
        """Put a REST API in front of the function. Returns its record."""
        with self.session.change(settings, check_user_pool) as context:
            self._run(context, "wire-api", adopt=adopt)
            return context.recorded(RestApi)

    def site(self, settings: Changes = None, *, adopt: bool = False) -> Record:
        """Publish the web page. Returns its record."""
        with self.session.change(settings, check_user_pool) as context:
            stack.check_ready(context, "site")
            self._run(context, *_commands_of_site(settings), adopt=adopt)
            return context.recorded(Page)

    def up(self, *, adopt: bool = False) -> Live:
        """Do the whole chain, or what of it is missing or differs from the settings, and wait for its first answers."""
        with self.session.change(check=_check_servable) as context:
            commands = stack.chosen(context)
            self._observer.plan_of(commands)
            for command in commands:
                self._bring_up(context, command, adopt)
            self._warn(confirmation_note(context))
            served = kept_evaluation(context.config) or measure(context.config, lambda: context, None, mistakes=0)
            missing = wait_for_answers(context, lambda _: self._observer.remark(WAITING))
            return Live(
                self.session.environment,
                page_url(context),
                invoke_url(context),
                served,
                estimate(context, CHAIN),
                context.settings.api.auth,
                missing,
            )

    def plan(
        self,
        *commands: str,
        settings: Changes = None,
        model: str | None = None,
        shadow: str | None = None,
        force: bool = False,
        adopt: bool = False,
    ) -> Plan:
        """Return what commands would do, by default all of the chain. Changes nothing, on AWS or here.

        Without any credentials, it is the plan of a new project, for which no account is looked at.

        Args:
            commands: such as "train".
            settings: that would be changed first.
            model: of `deploy`.
            shadow: of `deploy`.
            force: of `deploy`.
            adopt: of any.
        """
        checks: dict[tuple[str, ...], Precondition] = {
            ("data",): lambda _: self._observer.begin("data"),  # the plan itself prepares the reviews
            ("deploy",): self._check_deploy(model, shadow, force, {}),
            (): _check_askable,
            **dict.fromkeys([("wire-api",), ("site",)], check_user_pool),
            ("alerts",): check_topic,
        }
        context = self.session.read(settings, checks.get(commands), announced=True, new=True)
        chosen = _commands_of_site(settings) if commands == ("site",) else commands or stack.chosen(context)
        planned = _plan(context, stack.plan(context, chosen, adopt=adopt))
        if RestApi.command in chosen:
            self._warn(access_note(context))
        return planned

    def costs(
        self,
        requests: str | float,
        *,
        reviews_per_request: int = 1,
        words: int = WORDS,
        seconds: float | None = None,
    ) -> CostComparison:
        """Compare what each way to serve the model costs a month. Needs neither an account nor the twin.

        Args:
            requests: such as "10000/day"; a number, or one without a unit, is of a month.
            reviews_per_request: how many reviews each has.
            words: of a review.
            seconds: that a processor core is busy with a request; by default what follows from the reviews.
        """
        return costs(
            requests,
            reviews_per_request=reviews_per_request,
            words=words,
            seconds=seconds,
            context=self.session.read(anonymous=True),
        )

    def status(self) -> Status:
        """Return what stands, as AWS has it now."""
        context = self.session.read()
        if not len(context.state):
            return Status(self.session.environment)
        findings = stack.inspect(context)
        ours = {finding.record.kind for finding in findings if finding.ours}
        warnings = [warn(context) for kind, warn in WARNINGS if kind.kind in ours]
        rollout = progress(context) if RollbackAlarms.kind in ours else None
        return Status(
            self.session.environment,
            findings,
            page_url(context) if context.state.latest(Page.kind) else None,
            invoke_url(context) if context.state.latest(RestApi.kind) else None,
            estimate(context, CHAIN, ours),
            [warning for warning in warnings if warning],
            rollout,
            dashboard_url(context),
        )

    def down(
        self,
        part: str | None = None,
        *,
        keep_data: bool = False,
        keep_logs: bool = False,
        keep_notebook: bool = False,
    ) -> Removal:
        """Delete what the chain made, last made first, and the notebook. `sentictl.toml` stays.

        Args:
            part: endpoint, lambda, users, api, site, alerts, batch or train (the schedule that trains) alone.
            keep_data: keep the reviews, the trained models, and the users who sign in.
            keep_logs: keep the log groups, which empty themselves after `logs.days`.
            keep_notebook: keep the notebook, such as the one that this runs in.
        """
        with self.session.locked() as config:
            # The twin need not be started to be ended.
            begun = config.twin_home.is_dir() if config.is_state_remote else len(config.state) > 0
            if config.on_twin and not begun and not (part or keep_data or keep_logs or keep_notebook):
                self.session.leave(config)
                return Removal()
            if config.on_twin and not config.twin_home.is_dir():
                return Removal()
        with self.session.change(removing=True) as context:
            self._observer.begin("down")
            kept = keep_notebook and stack.has_notebook(context)
            doomed = stack.doomed(context, part, keep_data=keep_data, keep_logs=keep_logs, keep_notebook=keep_notebook)
            deleted, remaining = destroy(doomed, context, self._observer)
            if part == "endpoint":
                self.batch.follow(context)  # what is answered by a schedule goes on without it
            self._observer.ended("down")
            left = [_entry(record) for record in remaining]
            if not context.state.of_kind(TrainingJob.kind):  # what was of them is no more
                context.config.set({versions.SETTING: "", SHADOW: ""})
                names = [record.name for record in deleted if record.kind == TrainingJob.kind]
                self.session.folder.forget_models(self.session.environment, names)
            if not part and not keep_data and not keep_logs and not kept:
                left += self._clear(context, remaining)
        return Removal(deleted, left)

    def plan_down(self, part: str | None = None, *, keep_data: bool = False, keep_logs: bool = False) -> Plan:
        """Return what `down` would delete."""
        context = self.session.read(announced=True)
        doomed = stack.doomed(context, part, keep_data=keep_data, keep_logs=keep_logs)
        return _plan(context, plan_destruction(doomed, context))

    def prune(self, keep: int = KEEP) -> Survey:
        """Delete datasets, versions of the model and leftovers that nothing serves, on S3 and on this machine.

        Args:
            keep: how many of the newest versions stay, whether they are live or not.

        Returns:
            What was deleted, and what stayed.
        """
        with self.session.change() as context:
            self._observer.begin("prune")
            pruned = prune(context, self._observer, keep)
            self._observer.ended("prune")
            return pruned

    def plan_prune(self, keep: int = KEEP) -> Survey:
        """Return what `prune` would delete."""
        return survey(self.session.read(announced=True), keep)

    def discover(self) -> list[Record]:
        """Record what AWS has for the project and `sentictl.toml` does not know of. Returns what was recorded."""
        with self.session.change(forget_damage=True, only_here=True) as context:
            return import_(stack.resources(context), context)

    def permissions_policies(self) -> dict[str, dict[str, Any]]:
        """Return the IAM policies that whoever runs these commands needs, by name, as a dict for JSON.

        They are as many as IAM takes them in. No credentials are needed.
        """
        return policies(self.session.describe(ANY_ACCOUNT), KEPT)

    def callers_policy(self) -> dict[str, Any]:
        """Return the IAM policy that whoever asks an API of `api.auth = "iam"` needs, as a dict for JSON.

        Raises:
            MissingStepError: there is no API yet.
        """
        context = self.session.describe(ANY_ACCOUNT)
        return callers_policy(method_arn(context))

    def github_template(self, repository: str, *, previews: bool = False) -> dict[str, Any]:
        """Return a CloudFormation template of the roles that GitHub Actions needs, as a dict for JSON.

        No credentials are needed.

        Args:
            repository: whose workflows may take the roles, as OWNER/REPO.
            previews: whether it is of the role that makes previews of pull requests, instead of this environment's two.

        Raises:
            UsageError: the environment is not on AWS, or the repository is not of that form.
        """
        write = previews_template if previews else github_template
        return write(self.session.describe(THIS_ACCOUNT), repository)

    def cloudformation(self) -> dict[str, Any]:
        """Return the chain as a CloudFormation template, as a dict for JSON.

        Raises:
            MissingStepError: no model has been trained yet.
        """
        return template(self.session.read(), CHAIN)

    def openapi(self) -> dict[str, Any]:
        """Return the API as an OpenAPI 3.0 document that API Gateway can import, as a dict for JSON."""
        return importable(self.session.read())

    @contextlib.contextmanager
    def preview(self, port: int = 0) -> Iterator[Preview]:
        """Serve the web page on this machine until the block ends; it is rendered anew for each request.

        Args:
            port: on 127.0.0.1; 0 for a free one.

        Yields:
            Where the page is, and the API that it asks.

        Raises:
            UsageError: the port is taken.
            MissingStepError: there is no API yet.
        """
        context = self.session.read(anonymous=True)
        render_page(context)  # what is wrong with it is an error of the call
        with serving(lambda: render_page(context), port) as url:
            yield Preview(url, invoke_url(context))

    @property
    def page_file(self) -> Path:
        """The copy on this machine of the page that was published last."""
        return self.session.folder.page

    @property
    def notebook(self) -> ProjectNotebook:
        """The notebook beside the chain: its `create`, `open`, `stop` and `delete`."""
        return ProjectNotebook(self.session)

    @property
    def state(self) -> ProjectState:
        """The recorded state of the environment: its `history`, `pull`, `push`, `unlock` and `move`."""
        return ProjectState(self.session)

    @property
    def batch(self) -> ProjectBatch:
        """Files of reviews that a transform job answers: `answer`, and `plan`."""
        return ProjectBatch(self.session)

    @property
    def retraining(self) -> ProjectRetraining:
        """Training again and again: its `schedule`, and `plan`."""
        return ProjectRetraining(self.session)

    @property
    def keys(self) -> ProjectKeys:
        """The keys of an API that takes one: their `create`, `list` and `revoke`."""
        return ProjectKeys(self.session)

    @property
    def users(self) -> ProjectUsers:
        """Who may sign in to ask: `add`, `list` and `remove` them."""
        return ProjectUsers(self.session)

    @property
    def monitoring(self) -> ProjectMonitoring:
        """How it goes: `alerts`, and `metrics` of the last hours."""
        return ProjectMonitoring(self.session)

    @property
    def api_url(self) -> str:
        """Where reviews are posted."""
        return invoke_url(self.session.read(anonymous=True))

    @property
    def page_url(self) -> str:
        """Where the web page is."""
        return page_url(self.session.read(anonymous=True))

    @overload
    def predict(self, reviews: str, *, via: str = ..., explain: bool = ...) -> Prediction: ...

    @overload
    def predict(self, reviews: Iterable[Any], *, via: str = ..., explain: bool = ...) -> list[Prediction]: ...

    def predict(
        self, reviews: str | Iterable[Any], *, via: str = "local", explain: bool = False
    ) -> Prediction | list[Prediction]:
        """Whether reviews are positive or negative.

        Args:
            reviews: one review, or several, such as a list or a column of pandas or polars.
            via: "local" asks the model on this machine, "api" and "endpoint" what is deployed; "batch" lets a transform
                job over the deployed model answer, which takes minutes to start on AWS.
            explain: tell the words and phrases that decided, too.

        Returns:
            `{"label", "sentiment", "probability", "model", "undecided"}`, where the probability is that of positive; a
            list of them for several reviews. Where the model knows no word, the label is "undecided" and the sentiment
            None.

        Raises:
            DataError: a review is not text, is empty, or is refused; the message says which one.
        """
        texts = texts_of(reviews)
        if via == PART:
            if explain:
                raise UsageError(
                    "A transform job explains nothing.", "Ask otherwise, such as predict(reviews, explain=True)."
                )
            answers = self.batch.predict(texts)
        else:
            asker = self.asker(via, explain=explain)
            answers = [answer for _, answer in predict_each(asker, [list(texts.items())], lambda item: item[1])]
        for where, answer in zip(texts, answers, strict=True):
            if "error" in answer:
                raise DataError(f"{where}: {answer['error']['message']}", "Correct the review, or leave it out.")
        return answers[0] if isinstance(reviews, str) else answers

    def asker(self, via: str, *, explain: bool = False) -> Client:
        """Who is asked in `predict`."""
        if via == "local":
            return clients.from_artifact(self.session.folder.model_of(self.session.environment), explain=explain)
        context = self.session.read(anonymous=via == "api")
        if via == "api":
            url = invoke_url(context)
            caller = caller_of(context, url)
            trusted, most = context.environment.endpoints.ca_bundle, context.settings.api.max_reviews
            return clients.from_api(url, most, explain=explain, caller=caller, ca_bundle=trusted)
        if not has_endpoint(context) and not context.state.of_kind(Endpoint.kind):
            where = env_option(self.session.environment, default=LOCAL)
            raise MissingStepError(
                'There is no endpoint, as deploy.serving is "lambda": the model answers inside of the function.',
                f"Ask it through the API: sentictl predict --via api{where}",
            )
        name = context.recorded(Endpoint).name
        return clients.from_endpoint(context.environment.client("sagemaker-runtime"), name, explain=explain)

    def evaluate(
        self, data: Path | str | None = None, *, mistakes: int = MISTAKES, reading: Mapping[str, str] | None = None
    ) -> Evaluation:
        """Measure the environment's model on this machine.

        Args:
            data: labelled reviews of any form that `data.source` takes; by default the dataset's test split.
            mistakes: how many of the surest mistakes to keep.
            reading: settings of `data` that hold for these reviews alone, such as {"label_column": "stars"}.
        """
        return measure(self.session.load(), self.session.read, data, mistakes, reading)

    def compare(
        self,
        against: str,
        data: Path | str | None = None,
        *,
        mistakes: int = MISTAKES,
        reading: Mapping[str, str] | None = None,
    ) -> tuple[Evaluation, Comparison]:
        """Measure the environment's model on this machine, and compare it with another on the same reviews.

        Args:
            against: the other model: a version's number or name, `previous` for the one before the live one,
                `latest`, an artifact's folder, or a model.tar.gz.
            data: as in `evaluate`.
            mistakes: as in `evaluate`.
            reading: as in `evaluate`.
        """
        other = versions.named(self.session.read, against)
        return measure_against(other, self.session.load(), self.session.read, data, mistakes, reading)

    def metrics(self, model: str | None = None) -> dict[str, Any]:
        """Return what training measured of a model on this machine; "epochs" has its curve.

        Args:
            model: a version's number, or a model's name; by default the environment's current one.

        Raises:
            ModelError: the model is not on this machine.
        """
        config = self.session.load()
        version = version_of(config.state, model or "")
        name = version.name if version else model
        folder = self.session.folder.models / name if name else config.folder.model_of(config.environment)
        try:
            metrics: dict[str, Any] = json.loads((folder / METADATA).read_bytes())["metrics"]
        except FileNotFoundError:
            raise ModelError(f"There is no model in {folder}.", "Train one: sentictl train") from None
        return metrics

    def models(self) -> list[Version]:
        """Return the versions of the model, oldest first."""
        return versions.versions(self.session.read())

    def compare_live(self) -> LiveComparison:
        """Compare the answers of the shadow with those of the model that is served, on what visitors asked."""
        return compare_live(self.session.read())

    def logs(self, part: str) -> Iterable[str]:
        """The lines that a part wrote: "api", "lambda", "endpoint", or the latest job of "data", "train" or "batch"."""
        return (event.message for event in self.log_events.read(part))

    @property
    def log_events(self) -> ProjectLogs:
        """What the parts wrote, with times: its `read`, `follow` and `of_request`."""
        return ProjectLogs(self.session)

    def _run(self, context: Context, *commands: str, wait: bool = True, adopt: bool = False) -> None:
        """Bring the resources of commands to what the settings ask for."""
        for command in commands:
            stack.check_ready(context, command)
            self._observer.begin(command)
            if command == "deploy":
                self._warn(unused_gpu(context))
                self._warn(account_warning(context))
            resources = stack.walk(context, command) if wait else stack.resources(context, command)
            steps = apply(resources, context, self._observer, wait=wait, adopt=adopt)
            self._observer.ended(command)
            if command == "wire-api":
                self._warn(who_is_shut_out(context, steps))
                self._warn(nobody_has_a_key(context))

    def _take(self, context: Context, best: Best) -> None:
        """Make the best trial's values the settings, or say why not."""
        before, trial = best.better_before, best.record.attributes.get(ACCURACY, "0")
        if before is None:
            self.session.write(context.config, context.config.change(best.settings))
            return
        self._warn(
            f"The settings stay: {before.name} got {float(before.attributes[ACCURACY]):.1%} of the validation reviews "
            f"right, and the best trial {float(trial):.1%}. Serve that all the same: sentictl deploy --model "
            f"{best.record.name}{env_option(self.session.environment, default=LOCAL)}"
        )

    def _bring_up(self, context: Context, command: str, adopt: bool) -> None:
        if command == "deploy":
            self._observer.begin(command)
            check_shadow(context)
            check_none_under_way(context)
            check_model_fits(context)
            self._warn(versions.check_not_worse(context))
        self._run(context, command, adopt=adopt)
        if command == "deploy":
            versions.follow_served(context)
            self.batch.follow(context)
            self.retraining.follow(context)

    def _warn(self, warning: str) -> None:
        if warning:
            self._observer.remark(f"  {warning}")

    def _check_data(self, context: Context) -> None:
        self._observer.begin("data")
        if context.settings.data.on == AWS:
            source_on_s3(context)
        else:
            Dataset(context).prepared  # noqa: B018  (made when first asked for, and kept in the cache)

    def _check_deploy(self, model: str | None, shadow: str | None, force: bool, chosen: dict[str, Any]) -> Precondition:
        """Puts the chosen versions into force, looks whether they may be served, and tells what is to be written."""

        def check(context: Context) -> None:
            self._observer.begin("deploy")
            check_images(context)
            versions_chosen = {}
            if model is not None:
                versions_chosen[versions.SETTING] = versions.choose(context, model)
            if shadow is not None:
                versions_chosen[SHADOW] = versions.choose_shadow(context, shadow)
            chosen.update(context.config.change(versions_chosen))
            check_shadow(context)
            check_none_under_way(context)
            check_model_fits(context)
            if not force:
                self._warn(versions.check_not_worse(context))

        return check

    def _clear(self, context: Context, remaining: Sequence[Record]) -> list[dict[str, str]]:
        """After everything is deleted: what else is left; and where nothing is, the end of the twin and the cache."""
        # A kind that is recorded and that no command keeps was written by hand, or by another version.
        left = [_entry(record) for record in context.state]
        left += find_orphans(context, stack.resources(context))
        if not left and not remaining:
            self.session.leave(context.config)
        return left


def _check_servable(context: Context) -> None:
    """Look whether what is to be trained can be served, and asked, before it is."""
    check_images(context)
    check_packages(context)
    _check_askable(context)


def _check_askable(context: Context) -> None:
    """Look whether who signs in, and who is alerted, can be, before anything is made."""
    check_user_pool(context)
    check_topic(context)


def _commands_of_site(settings: Changes) -> tuple[str, ...]:
    # Whether the API serves the page is part of the API.
    return ("wire-api", "site") if settings and settings.get("site.publish") else ("site",)


def _plan(context: Context, steps: Sequence[Step]) -> Plan:
    costs = estimate(context, CHAIN, stack.standing(context, steps))
    seen = not context.environment.unseen
    permissions = sorted({*needed(KEPT, steps), *state_actions(context)})
    begins = any(step.kind == ProcessingJob.kind and step.action is Action.CREATE for step in steps)
    price = preparation_price(context) if begins else None
    return Plan(context.environment.name, steps, costs, permissions, account_seen=seen, preparation=price)


def _entry(record: Record) -> dict[str, str]:
    return {"kind": record.kind, "name": record.name, "arn": record.arn}
