"""A project whose environment `emulated` is a bridge, with our twin on one side and another emulator on the other."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sentictl.twin import daemon
from tests.chain.shell import Shell, begin
from tests.emulators.bridge import Bridge, open_bridge
from tests.emulators.emulator import Emulator

REGION = "eu-west-1"
SETTINGS = f"""
[env.emulated]
region = "{REGION}"
endpoint_url = "{{url}}"
train.architecture = "ngram"
{{more}}
"""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True)
class Crossing:
    """The project, and the bridge that its calls go over."""

    shell: Shell
    bridge: Bridge

    def run(self, *arguments: str, expect: int | None = 0) -> str:
        """Run sentictl in the environment. Returns what it wrote to stdout."""
        return self.shell.run(*arguments, "--env", "emulated", expect=expect).stdout


@contextmanager
def crossing(
    folder: Path, other: Emulator, theirs: Collection[str] = (), port: int = 0, more: str = ""
) -> Iterator[Crossing]:
    """Have a new project on both sides within the `with`.

    Args:
        folder: where the project and the twin's home are made.
        other: the emulator that others wrote.
        theirs: the services that it answers; the twin answers all others.
        port: where the bridge listens.
        more: settings of the environment, as lines of TOML.
    """
    home = folder / "twin"
    with ExitStack() as ending:
        daemon.start(home)
        ending.callback(daemon.destroy, home)
        access = daemon.access(home)
        bridge = Bridge(Emulator(access.url, access.key, "local"), other, theirs)
        url = ending.enter_context(open_bridge(bridge, port))
        shell = begin(folder / "toy")
        with (shell.folder / "sentictl.toml").open("a") as settings:
            settings.write(SETTINGS.format(url=url, more=more))
        yield Crossing(replace(shell, variables=CREDENTIALS), bridge)


def change(crossing: Crossing) -> None:
    """Change settings that the function, the stage and the page follow."""
    for key, value in (("lambda.timeout_seconds", "20"), ("api.throttle_rate", "5"), ("site.title", "Was it liked?")):
        crossing.run("config", "set", key, value)
