"""Train the sentiment model: SageMaker's script-mode entry point, and a program to run by hand.

    python train.py --train DIR --validation DIR --vocabulary DIR --model-dir DIR [--unlabelled DIR] [--epochs 5 …]

Reads encoded reviews (`reviews-00000.npz` …) and the vocabulary, trains with early stopping, and writes a complete
artifact. On SageMaker the folders come from the environment; hyperparameters have the names that it passes them under.
"""

import os

# Threads that wait for each other by spinning are many times slower where other processes want the processor as well.
# OpenMP reads this once, when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# oneDNN keeps what it has prepared for each shape of a batch. Few shapes come twice, least of all where processes share
# batches: the 1,024 that it keeps else take hundreds of megabytes, and win no time.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")

import argparse
import hashlib
import io
import json
import platform
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from sentimodel import artifact, gate
from sentimodel.artifact import PARTS
from sentimodel.checkpoint import CheckpointFolder
from sentimodel.dataset import DatasetError
from sentimodel.distributed import joined, own_device, run_all, workers_here
from sentimodel.files import NGRAMS, ONNX, VOCABULARY, WEIGHTS
from sentimodel.onnx_export import to_onnx
from sentimodel.process_group import ProcessGroup, ProcessGroupError, Worker
from sentimodel.stages import Trainer
from sentimodel.training import DivergenceError, Say
from sentimodel.training_inputs import CHANNELS, UNLABELLED, Data, Hyperparameters, InputError, load
from sentimodel.vocabulary import VocabularyError

CHECKPOINTS = Path("/opt/ml/checkpoints")  # what SageMaker keeps on S3, if the job says so: it is there then
INTERRUPTED = 128 + signal.SIGTERM


class TerminatedError(BaseException):
    """The platform wants this process to end soon."""


class Parser(argparse.ArgumentParser):
    """An argument parser that tells SageMaker, too, what is wrong: the training toolkit keeps stderr to itself."""

    def error(self, message: str) -> NoReturn:
        report_failure(message)
        super().error(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say, in one process for each GPU.

    Returns:
        The exit code: 0, or 1 after one line on stderr that says what is wrong, or 143 if SIGTERM ended it.
    """
    options = parse(arguments)
    try:
        with termination_raises():
            workers = workers_here(os.environ, int(os.environ.get("SM_NUM_GPUS") or torch.cuda.device_count()))
            if len(workers) > 1:
                return run_all([sys.executable, __file__, *(sys.argv[1:] if arguments is None else arguments)], workers)
            train(options, workers[0])
    except TerminatedError:
        print("training interrupted: the same again goes on from the last checkpoint", file=sys.stderr, flush=True)
        return INTERRUPTED
    except (InputError, DivergenceError, DatasetError, VocabularyError, ProcessGroupError, OSError) as error:
        report_failure(str(error))
        return 1
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options: one for each hyperparameter, the folders, and what goes into the artifact's metadata."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    for field in fields(Hyperparameters):
        kind = boolean if isinstance(field.default, bool) else type(field.default)
        choices = tuple(PARTS) if field.name == "architecture" else None
        parser.add_argument(f"--{field.name}", type=kind, default=field.default, choices=choices)
    for channel in (*CHANNELS, UNLABELLED):
        default = os.environ.get(f"SM_CHANNEL_{channel.upper()}")
        parser.add_argument(f"--{channel}", metavar="DIR", default=default)
    parser.add_argument(
        "--served",
        metavar="DIR",
        type=Path,
        default=os.environ.get("SM_CHANNEL_SERVED"),
        help=f"where the {gate.ARCHIVE} is of the model that is served: say whether the new one is worse",
    )
    parser.add_argument("--tolerance", metavar="POINTS", type=float, default=0.0, help="of accuracy that it may lose")
    parser.add_argument("--model-dir", metavar="DIR", default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--model-name", metavar="NAME", default=job_name(), help="default: the training job's name")
    parser.add_argument("--dataset", metavar="DIGEST", default="", help="recorded in the artifact")
    parser.add_argument(
        "--checkpoint-dir",
        metavar="DIR",
        type=Path,
        default=checkpoint_folder(),
        help="keep the state after each epoch there, and go on from it; default: SageMaker's folder, if there is one",
    )
    return parser.parse_args(arguments)


def boolean(text: str) -> bool:
    """Read true or false, as JSON or Python writes it."""
    values = {"true": True, "false": False}
    if text.lower() not in values:
        raise argparse.ArgumentTypeError(f"must be true or false, not {text!r}")
    return values[text.lower()]


def checkpoint_folder() -> Path | None:
    """Return where SageMaker keeps checkpoints, if it does: its own folder, or the one that stands for it."""
    folder = Path(os.environ.get("SM_CHECKPOINT_DIR") or CHECKPOINTS)
    return folder if folder.is_dir() else None


def job_name() -> str:
    """Return the training job's name, if this is one."""
    environment = json.loads(os.environ.get("SM_TRAINING_ENV", "{}"))
    return os.environ.get("TRAINING_JOB_NAME") or environment.get("job_name") or "unnamed"


@contextmanager
def termination_raises() -> Iterator[None]:
    """Let SIGTERM raise TerminatedError meanwhile: SageMaker sends it two minutes before it takes the machine."""

    def raise_it(*_: object) -> None:
        raise TerminatedError

    before = signal.signal(signal.SIGTERM, raise_it)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def train(options: argparse.Namespace, worker: Worker) -> None:
    """Load the data, fit the network to it, calibrate it, and write the artifact."""
    hyperparameters = Hyperparameters(**{field.name: getattr(options, field.name) for field in fields(Hyperparameters)})
    hyperparameters.check()
    if options.model_dir is None:
        raise InputError("the model folder is missing: give --model-dir DIR, or set SM_MODEL_DIR")
    make_deterministic(hyperparameters.seed)
    device = own_device(worker)
    with joined(worker, device) as group:
        data = load({channel: getattr(options, channel) for channel in (*CHANNELS, UNLABELLED)}, group)
        say = voice(group)
        reviews = len(data.lengths)
        say(f"reviews={reviews} vocabulary={data.vocabulary_size} device={device.type} processes={group.size}")
        trainer = Trainer(data, hyperparameters, group, say, checkpoints(options, hyperparameters, group, say))
        metrics = trainer.run()
        if group.is_first:
            save(trainer, data, hyperparameters, metrics, options)
            if options.served is not None:
                say(str(gate.compare(Path(options.model_dir), options.served, data.validation, options.tolerance)))


def voice(group: ProcessGroup) -> Say:
    """Return a function that prints a line at once, in the first process alone."""

    def say(line: str) -> None:
        if group.is_first:
            print(line, flush=True)

    return say


def make_deterministic(seed: int) -> None:
    """Let the same seed, data and machine give the same weights."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs for it
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)


def checkpoints(
    options: argparse.Namespace, hyperparameters: Hyperparameters, group: ProcessGroup, say: Say
) -> CheckpointFolder | None:
    """Say where to keep the state after each epoch, if anywhere. It fits the same data and hyperparameters only."""
    if options.checkpoint_dir is None:
        return None
    inputs = {"hyperparameters": asdict(hyperparameters), "data": data_digest(options, group), "processes": group.size}
    return CheckpointFolder(options.checkpoint_dir, inputs, say)


def data_digest(options: argparse.Namespace, group: ProcessGroup) -> str:
    """Return a digest of all files in the channels of all processes, the same whichever of them has which."""
    digests = {}
    for channel in (*CHANNELS, UNLABELLED):
        folder = getattr(options, channel)
        for path in (path for path in Path(folder).rglob("*") if path.is_file()) if folder else ():
            with path.open("rb") as file:
                digests[f"{channel}/{path.name}"] = hashlib.file_digest(file, "sha256").hexdigest()
    every = [item for told in group.gather(json.dumps(digests).encode()) for item in json.loads(told).items()]
    return hashlib.sha256(json.dumps(sorted(set(every))).encode()).hexdigest()


def save(
    trainer: Trainer,
    data: Data,
    hyperparameters: Hyperparameters,
    metrics: dict[str, Any],
    options: argparse.Namespace,
) -> None:
    """Write the artifact into the model folder."""
    network = trainer.network.cpu()
    weights = io.BytesIO()
    torch.save(network.state_dict(), weights)
    files = {
        WEIGHTS: weights.getvalue(),
        ONNX: to_onnx(network),
        NGRAMS: trainer.ngrams.to_bytes(),
        VOCABULARY: data.vocabulary,
    }
    metadata = artifact.Metadata(
        model=options.model_name,
        architecture=hyperparameters.architecture,
        hyperparameters=asdict(hyperparameters) | asdict(network.config) | {"vocabulary_size": data.vocabulary_size},
        text=data.text.to_dict(),
        dataset=options.dataset,
        metrics=metrics,
        files={},
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    )
    artifact.write(Path(options.model_dir), files, Path(__file__).parent, metadata)
    print(f"artifact={options.model_dir} best_epoch={metrics['best_epoch']}", flush=True)


def report_failure(message: str) -> None:
    """Say on stderr why training failed, and in the file that SageMaker takes the job's FailureReason from."""
    print(f"training failed: {message}", file=sys.stderr, flush=True)
    output = os.environ.get("SM_OUTPUT_DATA_DIR")
    if output:
        folder = Path(output).parent
        with suppress(OSError):  # the disk may be what is full: stderr has been told
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "failure").write_text(message, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
