"""Files that are replaced whole or not at all."""

import resource
import signal
from functools import partial
from pathlib import Path

import pytest

from sentictl.assets.atomic import remove_strays, write_atomically
from tests.forks import ends, killed_at_every_step

OLD, NEW = b"old" * 20, b"new" * 30


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    return path


def test_a_file_is_replaced_and_keeps_its_mode(path: Path) -> None:
    path.chmod(0o600)
    write_atomically(path, NEW)
    assert path.read_bytes() == NEW
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_new_file_gets_its_folder(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b", NEW)
    assert (tmp_path / "a" / "b").read_bytes() == NEW


def test_a_link_stays_a_link(path: Path) -> None:
    link = path.with_name("link")
    link.symlink_to(path.name)
    write_atomically(link, NEW)
    assert link.is_symlink()
    assert path.read_bytes() == NEW


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, NEW)
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == OLD


def test_a_kill_at_any_step_leaves_the_old_file_or_the_new_one(path: Path) -> None:
    seen = []
    for _ in killed_at_every_step(lambda: write_atomically(path, NEW)):
        seen.append(path.read_bytes())
        path.write_bytes(OLD)
    assert set(seen) == {OLD, NEW}
    assert seen == sorted(seen, key=[OLD, NEW].index)  # from one step on, the new one stands
    write_atomically(path, NEW)
    remove_strays(path)
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == NEW


def test_a_kill_at_any_byte_leaves_the_old_file(path: Path) -> None:
    for count in range(len(NEW)):
        assert ends(partial(_write_until, count, path)) == -signal.SIGXFSZ
        assert path.read_bytes() == OLD
    assert ends(lambda: _write_until(len(NEW), path)) == 0
    assert path.read_bytes() == NEW


def test_what_others_keep_beside_a_file_is_no_stray(path: Path) -> None:
    names = [".file.swp", ".file.tmp", ".other.12345678.tmp", "file.12345678.tmp"]
    for name in names:
        path.with_name(name).touch()
    remove_strays(path)
    assert sorted(entry.name for entry in path.parent.iterdir()) == sorted([*names, "file"])


def _write_until(count: int, path: Path) -> None:
    """Write the new file; the kernel kills the process when it writes more than so many bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    write_atomically(path, NEW)
