"""Downloads, from a server on this machine that can be told to misbehave."""

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sentictl.errors import DataError
from sentictl.reviews.read.download import RemoteFile, download
from tests.listener import certificate, listening, running

CONTENT = bytes(range(256)) * 4096  # 1 MiB
MD5 = hashlib.md5(CONTENT).hexdigest()


class FileServer(ThreadingHTTPServer):
    """Serves `content` under every path.

    Attributes:
        ranges: whether it knows Range.
        sends: at most this many bytes an answer, then the connection is cut.
        status: what it answers instead of the file, if not 200; 0 is no HTTP at all.
        asked: the Range header of each request.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FileHandler)
        self.content = CONTENT
        self.ranges = True
        self.sends = len(CONTENT)
        self.status = 200
        self.asked: list[str | None] = []

    def remote(self, md5: str = MD5) -> RemoteFile:
        """The file that it serves."""
        return RemoteFile(f"http://127.0.0.1:{self.server_port}/file.tar.gz", md5)


class FileHandler(BaseHTTPRequestHandler):
    """Answers one request of a FileServer."""

    server: FileServer

    def do_GET(self) -> None:
        """Sends the file, or what of it is asked for."""
        asked = self.headers["Range"]
        self.server.asked.append(asked)
        if self.server.status == 0:
            self.wfile.write(b"no status line\r\n\r\n")
            return
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        size = len(self.server.content)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.ranges else 0
        if start >= size:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - start))
        self.end_headers()
        self.wfile.write(self.server.content[start : start + self.server.sends])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[FileServer]:
    """A server that behaves until told otherwise."""
    started = FileServer()
    with running(started):
        yield started


class Reported:
    """A report that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int | None, int | None]] = []

    def __call__(self, what: str, done: int | None = None, total: int | None = None) -> None:
        """Keeps it."""
        self.told.append((done, total))


def test_a_download_is_whole_and_tells_how_far_it_is(server: FileServer, tmp_path: Path) -> None:
    report = Reported()
    path = download(server.remote(), tmp_path / "new" / "cache", report)
    assert path == tmp_path / "new" / "cache" / "file.tar.gz"
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert report.told == sorted(report.told)
    assert report.told[-1] == (len(CONTENT), len(CONTENT))


def test_a_second_time_nothing_is_asked(server: FileServer, tmp_path: Path) -> None:
    first = download(server.remote(), tmp_path, Reported())
    assert download(server.remote(), tmp_path, Reported()) == first
    assert server.asked == [None]


def test_a_cut_connection_is_resumed_where_it_was_cut(server: FileServer, tmp_path: Path) -> None:
    server.sends = 400_000
    report = Reported()
    assert download(server.remote(), tmp_path, report).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=400000-", "bytes=800000-"]
    assert {total for _, total in report.told} == {len(CONTENT)}


def test_what_an_earlier_run_left_is_resumed(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file.tar.gz.part").write_bytes(CONTENT[:1000])
    assert download(server.remote(), tmp_path, Reported()).read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-"]


def test_a_server_without_ranges_starts_again(server: FileServer, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / "file.tar.gz.part").write_bytes(b"x" * 1000)
    assert download(server.remote(), tmp_path, Reported()).read_bytes() == CONTENT


def test_a_complete_part_is_only_checked(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file.tar.gz.part").write_bytes(CONTENT)
    assert download(server.remote(), tmp_path, Reported()).read_bytes() == CONTENT


def test_a_part_longer_than_the_file_starts_again(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file.tar.gz.part").write_bytes(CONTENT + b"more")
    assert download(server.remote(), tmp_path, Reported()).read_bytes() == CONTENT
    assert server.asked == [f"bytes={len(CONTENT) + 4}-", None]


def test_a_server_that_sends_nothing_ends_in_an_error_and_keeps_the_part(server: FileServer, tmp_path: Path) -> None:
    server.sends = 0
    (tmp_path / "file.tar.gz.part").write_bytes(CONTENT[:1000])
    with pytest.raises(DataError, match="keeps being cut") as caught:
        download(server.remote(), tmp_path, Reported())
    assert "Run the command again" in caught.value.hint
    assert (tmp_path / "file.tar.gz.part").read_bytes() == CONTENT[:1000]


def test_a_wrong_md5_removes_the_file(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"came with md5 {MD5} where 0000 is right"):
        download(server.remote("0000"), tmp_path, Reported())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_is_told_with_another_way(server: FileServer, tmp_path: Path, status: int) -> None:
    server.status = status
    with pytest.raises(DataError, match=f"answers {status}") as caught:
        download(server.remote(), tmp_path, Reported())
    assert "sentictl data --source PATH" in caught.value.hint


def test_an_answer_that_is_no_http_is_told(server: FileServer, tmp_path: Path) -> None:
    server.status = 0
    with pytest.raises(DataError, match="does not answer as a web server does"):
        download(server.remote(), tmp_path, Reported())


def test_offline_is_told(server: FileServer, tmp_path: Path) -> None:
    remote = server.remote()
    server.socket.close()
    with pytest.raises(DataError, match="cannot be reached") as caught:
        download(remote, tmp_path, Reported())
    assert "internet connection" in caught.value.hint


def test_a_full_disk_is_told(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file.tar.gz.part").symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"The disk of .* is full"):
        download(server.remote(), tmp_path, Reported())


def test_a_folder_that_cannot_be_made_is_told(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(DataError, match="cannot be written"):
        download(server.remote(), tmp_path / "cache", Reported())


@pytest.mark.parametrize(
    ("scheme", "asked"), [("https", "CONNECT films.example:443"), ("http", "GET http://films.example/a")]
)
def test_the_proxy_of_the_variables_is_asked(
    tmp_path: Path, scheme: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(502) as proxy:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy.url)
        with pytest.raises(DataError, match="502"):
            download(RemoteFile(f"{scheme}://films.example/a", MD5), tmp_path, lambda *_: None)
    assert proxy.asked == [asked]


def test_the_certificates_of_a_variable_are_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted, secret = certificate(tmp_path, "127.0.0.2")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(trusted))
    monkeypatch.setenv("NO_PROXY", "127.0.0.2")
    with listening(200, CONTENT, host="127.0.0.2", secret=secret) as server:
        remote = RemoteFile(f"{server.url.replace('http:', 'https:')}/file", MD5)
        assert download(remote, tmp_path / "here", lambda *_: None).read_bytes() == CONTENT
