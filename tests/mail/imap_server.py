"""IMAP servers on this machine: a whole one, a scripted one, one that speaks TLS."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Server:
    port: int


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Pymap with one empty mailbox, in a process of its own."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    program = "import sys; from pymap.main import main; sys.exit(main())"
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--no-tls", "dict"]
    with (folder / "imap.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", program, *arguments],
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(port)
            yield Server(port)
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def _wait_for(port: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError("no IMAP server came up")


@contextmanager
def scripted(greeting: bytes) -> Iterator[int]:
    """Says one thing to whoever comes and hangs up."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(greeting)

    with _listening(talk) as port:
        yield port


@contextmanager
def with_certificate(folder: Path, name: str) -> Iterator[tuple[int, Path]]:
    """Speaks TLS with a certificate that it signed itself; the port and that file."""
    file = _certificate(folder, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def talk(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True):
            pass

    with _listening(talk) as port:
        yield port, file


@contextmanager
def _listening(talk: object) -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with closing(connection):
                    talk(connection)  # type: ignore[operator]

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
    thread.join(PATIENCE_SECONDS)


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    alternative: x509.GeneralName = x509.DNSName(name)
    with suppress(ValueError):
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file
