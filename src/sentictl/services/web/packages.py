"""The packages in a function that holds the model: wheels for Lambda's Python and processor, whatever this machine has.

pip finds them where it finds all else, by its own configuration; each has to be the one whose digest is written down.
"""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sentictl.assets.archives import ArchiveError
from sentictl.assets.installed import pip
from sentictl.assets.zip_members import Member, members_of
from sentictl.aws.names import digest_of
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.errors import PackagingError
from sentictl.lifecycle.resource import Context

PYTHON = "3.13"
ARCHITECTURE = "arm64"  # as Lambda calls it: a fifth cheaper than x86_64 (https://aws.amazon.com/lambda/pricing/)
MACHINE = "aarch64"  # as the tags of wheels call it
# Amazon Linux 2023 has glibc 2.34 (https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html), and takes what
# is built for any from 2.17 on, the oldest with this processor (PEP 599, PEP 600).
GLIBC = range(34, 16, -1)
PLATFORMS = (*(f"manylinux_2_{minor}_{MACHINE}" for minor in GLIBC), f"manylinux2014_{MACHINE}")
# What predictions do without: tests, type stubs, what C is compiled with, and tools for making and changing models.
LEFT_OUT = re.compile(
    r"(^|/)tests/|\.(pyi|pxd|pyx|h|a)$|^numpy/f2py/|^onnxruntime/(datasets|quantization|tools|transformers)/"
)
INSTALLED = re.compile(r"^[^/]+\.data/(purelib|platlib)/")  # what a wheel keeps apart, and installs beside the rest
KEPT_APART = re.compile(r"^[^/]+\.data/")
TOLD_LINES = 2  # of what pip says


def wheels(context: Context, requirements: Path) -> list[Path]:
    """Return the wheels that requirements name; they are downloaded once, and kept in the project's cache.

    Args:
        context: the project, whose cache it is.
        requirements: a file as pip takes it, with a digest for each.

    Raises:
        PackagingError: there is no pip, or it does not find them all.
    """
    kept_ones = context.config.folder.wheels
    kept = kept_ones / digest_of(requirements.read_text(encoding="utf-8"), PLATFORMS, PYTHON)
    if not kept.is_dir():
        context.report("fetching the function's packages")
        kept_ones.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept_ones, prefix=".fetching-") as scratch:
            _download(context, requirements, Path(scratch) / "wheels")
            for other in kept_ones.iterdir():  # of requirements that were changed since
                if other != Path(scratch):
                    shutil.rmtree(other, ignore_errors=True)
            (Path(scratch) / "wheels").rename(kept)
    return sorted(kept.glob("*.whl"))


def installed_files(wheel: Path) -> Iterator[Member]:
    """Yield what a wheel has for predictions, each file by its path beside the function's code.

    Raises:
        PackagingError: it cannot be unpacked.
    """
    try:
        for member in members_of(wheel):
            name = INSTALLED.sub("", member.name)
            if not KEPT_APART.match(name) and not LEFT_OUT.search(name):
                yield Member(name, member.method, member.checksum, member.size, member.packed)
    except ArchiveError as problem:
        again = f"Delete it, and it is fetched again: rm -r {shlex.quote(str(wheel.parent))}"
        raise PackagingError(f"The package {wheel.name} cannot be unpacked: {problem}.", again) from None


def _download(context: Context, requirements: Path, target: Path) -> None:
    target.mkdir()
    if importlib.util.find_spec("pip") is None:
        raise PackagingError(
            "The packages of the function are fetched by pip, and this Python has none.", f"Install it: {pip('pip')}"
        )
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    runtime = ["--implementation", "cp", "--python-version", PYTHON, *platforms]
    exactly = ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--dest", str(target)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, *exactly, *runtime, "--requirement", str(requirements)],
        cwd=target,  # `-m` looks there first
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        python = shlex.quote(sys.executable)
        where = env_option(context.environment.name, default=LOCAL)
        told = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        raise PackagingError(
            f"pip does not fetch the packages of the function (Python {PYTHON}, {MACHINE}, {requirements}): "
            f"{' '.join(told[:TOLD_LINES]) or done.stderr.strip()[-500:]}",
            f"Have pip reach an index that has them, see: {python} -m pip config list. Or have the model answer at an "
            f"endpoint: sentictl config set deploy.serving serverless{where}",
        )
