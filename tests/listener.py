"""A server on this machine that remembers what it was asked, and answers all alike: a proxy, or a refusing AWS."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socketserver import BaseServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Listener(ThreadingHTTPServer):
    """The server.

    Attributes:
        asked: the method and the target of each request; that of a proxy names the host.
        received: the headers and the body of each request.
    """

    def __init__(self, host: str, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__((host, 0), _Handler)
        self.host, self.status, self.body, self.headers = host, status, body, headers
        self.asked: list[str] = []
        self.received: list[str] = []

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def _answer(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.received.append(f"{self.headers}{body.decode(errors='replace')}")
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_CONNECT = _answer  # noqa: N815  (names of the base class)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def listening(
    status: int, body: bytes = b"", *, host: str = "127.0.0.1", secret: Path | None = None, **headers: str
) -> Iterator[Listener]:
    """Run a server that answers every request with this.

    Args:
        status: of each answer.
        body: of each answer.
        host: where it listens.
        secret: of `certificate`: the server speaks TLS.
        headers: of each answer; `x_header` is the header `x-header`.
    """
    server = Listener(host, status, body, {name.replace("_", "-"): value for name, value in headers.items()})
    if secret:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(secret)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with running(server):
        yield server


@contextmanager
def running(server: BaseServer) -> Iterator[None]:
    """Let a server serve in a thread of its own, and close it at the end."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """Make a certificate that nobody trusts, as a proxy's own are.

    Args:
        folder: where to put it.
        host: the address that it is for.

    Returns:
        the file to trust, and the one that `listening` takes as `secret`.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    trusted, secret = folder / "trusted.pem", folder / "secret.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form) + trusted.read_bytes())
    return trusted, secret
