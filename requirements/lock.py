"""Write the lock files beside this file anew: every package that `make` installs, its version, its files' hashes.

It is one resolution of pyproject.toml for all systems and Pythons, parted into layers: a layer has what its extras need
beyond the layers before it. torch is apart: with its CUDA libraries, and as PyTorch's own index has it for processors.
What is locked stays as it is where pyproject.toml allows it: `--upgrade NAME` takes a package's newest version,
`--upgrade all` that of all. It needs uv and a package index, and PyTorch's own where torch's version changes.
"""

import argparse
import re
import subprocess
import tempfile
import tomllib
import urllib.request
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent / "pyproject.toml"
CPU_INDEX = "https://download.pytorch.org/whl/cpu/torch/"
CPU_WHEEL = r">torch-{version}(?:\+|%2B)cpu-cp3(?:1[1-4])-cp3(?:1[1-4])-manylinux[^<]*_(?:x86_64|aarch64)\.whl<"
LAYERS = {  # by file, in the order in which they are installed: the extras
    "run": ("local", "train"),
    "release": ("release",),
    "dev": ("notebook", "dev", "parquet", "zstd"),
    "peers": ("ray", "spark"),
    "bench": ("bench",),
}
ABOUT = {
    "run": "What `make up` installs but for torch, and what builds sentictl.",
    "release": "What builds, checks and locks a release besides.",
    "dev": "What `make test` installs besides.",
    "peers": "What `make test-peers` installs besides.",
    "bench": "What `make bench` installs besides.",
    "torch": "torch as your own index has it, and its CUDA libraries.",
    "torch-cpu": "torch without CUDA, as PyTorch's index has it: for Linux on x86_64 and arm64, CPython 3.11 to 3.14.",
}
CUDA = re.compile(r"(nvidia|cuda)-.+|triton")
HASHES = re.compile(r" \\\n    --hash=sha256:[0-9a-f]{64}")


def main() -> None:
    """Resolve, part and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", metavar="NAME", action="append", default=[], help="a package, or all")
    entries = resolved(parser.parse_args().upgrade)
    torch = entries.pop("torch")
    hashes = cpu_hashes(torch[: torch.index(" ")])
    cuda = {name for name in entries if CUDA.fullmatch(name)}
    write("torch-cpu", [torch[: torch.index("\\") + 2] + hashes])
    write("torch", [f"{torch.rstrip()} \\\n{hashes}", *(entries[name] for name in entries if name in cuda)])
    left = {name: lines for name, lines in entries.items() if name not in cuda}
    for layer, extras in LAYERS.items():
        needed = {name for name in by_name(compiled(extras, "".join(entries.values()) + torch)) if name in left}
        write(layer, [left.pop(name) for name in sorted(needed)])


def resolved(upgrade: Iterable[str]) -> dict[str, str]:
    """Every package that any extra needs: its lines of a requirements file by its name."""
    extras = [extra for layer in LAYERS.values() for extra in layer]
    files = [path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt") if path.stem != "torch-cpu"]
    locked = HASHES.sub("", "".join(files))
    chosen = ["--upgrade" if name == "all" else f"--upgrade-package={name}" for name in upgrade]
    return by_name(compiled(extras, locked, "--generate-hashes", *chosen))


def compiled(extras: Iterable[str], locked: str, *options: str) -> str:
    """What these extras, and building sentictl, need on any system and Python: what is locked, where it still fits."""
    build = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["build-system"]["requires"]
    with tempfile.TemporaryDirectory() as folder:
        to_build, found = Path(folder) / "build.in", Path(folder) / "found.txt"
        to_build.write_text("\n".join(build), encoding="utf-8")
        found.write_text(locked, encoding="utf-8")
        command = ["uv", "pip", "compile", "--quiet", "--no-config", "--universal", "--python-version=3.11"]
        command += ["--no-header", "--no-annotate", *(f"--extra={extra}" for extra in extras), *options]
        subprocess.run([*command, f"--output-file={found}", PROJECT, to_build], check=True, capture_output=True)
        return found.read_text(encoding="utf-8")


def by_name(requirements: str) -> dict[str, str]:
    """The lines of a requirements file by package; one that differs by system or Python has several entries."""
    found: dict[str, str] = {}
    for lines in re.split(r"^(?=\w)", requirements, flags=re.MULTILINE):
        if name := re.match(r"[\w-]+", lines):
            found[name[0]] = found.get(name[0], "") + lines
    return found


def cpu_hashes(pin: str) -> str:
    """The hashes of torch's wheels in PyTorch's index, as lines; those that are locked, if they are of this version."""
    locked = FOLDER / "torch-cpu.txt"
    if locked.exists() and f"\n{pin} " in locked.read_text(encoding="utf-8"):
        return "".join(re.findall(r"^    --hash.+\n", locked.read_text(encoding="utf-8"), flags=re.MULTILINE))
    with urllib.request.urlopen(CPU_INDEX, timeout=60) as answer:
        return hashes_in(answer.read().decode(), pin.removeprefix("torch=="))


def hashes_in(page: str, version: str) -> str:
    """The hashes of a version's wheels in a page of PyTorch's index, as lines of a requirements file."""
    wheel = CPU_WHEEL.format(version=re.escape(version))
    links = [link for link in re.findall(r"<a [^>]*>[^<]*<", page) if re.search(wheel, link)]
    found = sorted(digest for link in links for digest in re.findall(r"#sha256=([0-9a-f]{64})", link))
    if len(found) < len(links) or not found:
        raise SystemExit(f"{CPU_INDEX} tells no hashes of torch {version}.")
    return " \\\n".join(f"    --hash=sha256:{digest}" for digest in found) + "\n"


def write(layer: str, entries: Iterable[str]) -> None:
    """Write a lock file."""
    text = f"# {ABOUT[layer]} Made by `make lock`.\n" + "".join(f"{lines.rstrip()}\n" for lines in entries)
    (FOLDER / f"{layer}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
