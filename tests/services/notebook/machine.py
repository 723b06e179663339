"""A notebook instance made of a folder, for the script that such an instance runs at its start."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

PYTHON = """\
#!/bin/bash
# Stands for the python of the instance and of the environment that is made there.
echo "$@" | head -n 1 >> "$CALLS"
here=$(dirname "$0")
case "$1 $2" in
    "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-c import sentictl") [ -e "$here/has-sentictl" ] ;;
    "-m pip") touch "$here/has-sentictl" ;;
    "-c "*walkthrough*) exec "$REAL" "$@" ;;
esac
"""
# What goes on in the background is a process group of its own, with sudo's process as its leader.
SUDO = '#!/bin/bash\necho $$ >> "$GROUPS_FILE"\nwhile [ "$1" != bash ]; do shift; done\nexec "$@"\n'
CURL = '#!/bin/bash\nbasename "${!#}" >> ROOT/asked\nexec cat "ROOT/answers/$(basename "${!#}")"\n'
# Of what lies in the bucket it has the project.
AWS = '#!/bin/bash\necho "aws $@" >> "$CALLS"\ncase "$4" in */project.tar.gz) cp ROOT/project.tar.gz "$5" ;; esac\n'
LONG_AGO = "used=1000"  # seconds since 1970
STARTED = "used=$(date +%s)"


class Machine:
    """Programs that stand for the instance's, which note what they are asked, and the folder of its owner."""

    def __init__(self, root: Path) -> None:
        self.root, self.programs, self.folder = root, root / "bin", root / "home" / "SageMaker"
        for folder in (self.programs, self.folder, root / "logs", root / "answers"):
            folder.mkdir(parents=True)
        self._starts = 0
        self.program("python3.13", PYTHON)
        self.program("sudo", SUDO)
        self.program("aws", AWS.replace("ROOT", str(root)))
        self.program("sleep", f"#!/bin/bash\nexec {shutil.which('sleep')} 0.05\n")
        self.program("python3", f'#!/bin/bash\nexec "{sys.executable}" "$@"\n')
        self.program("curl", CURL.replace("ROOT", str(root)))

    def program(self, name: str, text: str) -> None:
        path = self.programs / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def jupyter(self, **answers: str) -> None:
        """What Jupyter's API answers about kernels and terminals. About what is not named it does not answer."""
        for name in ("kernels", "terminals"):
            path = self.root / "answers" / name
            path.unlink(missing_ok=True)
            if name in answers:
                path.with_suffix(".new").write_text(answers[name])
                path.with_suffix(".new").replace(path)

    def start(self, text: str, variables: Mapping[str, str] | None = None) -> None:
        """Run the script as an instance does, until it ends; what it began goes on."""
        environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "HOME": str(self.root / "home"),
            "OWNER_HOME": str(self.root / "home"),
            "LOGS": str(self.root / "logs"),
            "CALLS": str(self.root / "calls"),
            "GROUPS_FILE": str(self.root / "groups"),
            "REAL": sys.executable,
        }
        self._starts += 1
        subprocess.run(["bash", "-c", text], env=environment | dict(variables or {}), check=True, timeout=20)

    def calls(self) -> list[str]:
        """What the programs were asked."""
        return _lines(self.root / "calls")

    def wait_for(self, call: str) -> None:
        """Wait until a program is asked something that begins so."""
        self.until(lambda: any(made.startswith(call) for made in self.calls()), call)

    def installed(self, seconds: float = 30) -> None:
        """Wait until the script has installed all that it installs."""
        log = self.root / "logs" / "sentictl-install_sentictl.log"
        self.until(lambda: log.exists() and log.read_text().endswith("sentictl is installed.\n"), "the end", seconds)

    def rounds(self, count: int = 3) -> None:
        """Wait until the script has looked so many times more whether the instance is idle."""
        asked = self.root / "asked"
        enough = _lines(asked).count("kernels") + count
        self.until(lambda: _lines(asked).count("kernels") >= enough, "another look")

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
        limit = time.monotonic() + seconds
        while not condition():
            logs = [path.read_text() for path in (self.root / "logs").iterdir()]
            assert time.monotonic() < limit, f"{what} never came: {self.calls()} {logs}"
            time.sleep(0.02)

    def end(self) -> None:
        """End what goes on."""
        groups = self.root / "groups"
        self.until(lambda: len(_lines(groups)) == 2 * self._starts, "what goes on")
        for group in _lines(groups):
            with suppress(ProcessLookupError):
                os.killpg(int(group), signal.SIGKILL)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
