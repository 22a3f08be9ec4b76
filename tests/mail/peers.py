"""SMTP servers for tests: a real one that keeps what it gets, and scripted ones."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar, Self

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask


def a_post_office(port: int, **config: object) -> Flask:
    """An application that knows nothing but where its mail goes."""
    app = Flask("post-office")
    app.config.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=2)
    app.config.update(config)
    return app


class Kept:
    """What a server was given, in order."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []
        self.envelopes: list[tuple[str, tuple[str, ...]]] = []
        self.connections = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: ARG002, N802 - aiosmtpd counts the arguments
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_DATA(self, *about):  # noqa: N802 - likewise
        envelope = about[-1]
        self.letters.append(envelope.content)
        self.envelopes.append((envelope.mail_from, tuple(envelope.rcpt_tos)))
        return "250 OK"


@contextmanager
def real_server(**settings: object) -> Iterator[tuple[int, Kept]]:
    kept = Kept()
    controller = Controller(kept, hostname="127.0.0.1", port=free_port(), **settings)
    controller.start()
    try:
        yield controller.port, kept
    finally:
        controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Peer:
    """A server that follows a script: what to answer, per connection and command.

    A script maps the first word of a command (or "." for the end of DATA, or "hello"
    for the greeting) to an answer; "drop" hangs up, "silence" says nothing more.
    Commands that are not in it get the answer of a server that agrees to everything.
    """

    AGREES: ClassVar = {
        "hello": "220 peer",
        "EHLO": "250 peer",
        "HELO": "250 peer",
        "MAIL": "250 OK",
        "RCPT": "250 OK",
        "DATA": "354 go on",
        ".": "250 taken",
        "RSET": "250 OK",
        "QUIT": "221 bye",
    }

    def __init__(self, *scripts: dict[str, str]) -> None:
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.seen: list[list[str]] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        for script in self._scripts:
            # A client that hangs up, or a test that is over, ends one dialogue.
            with suppress(OSError):
                connection, _ = self._listener.accept()
                with connection, connection.makefile("rwb") as stream:
                    self._talk(stream, self.AGREES | script)

    def _talk(self, stream, script: dict[str, str]) -> None:
        commands: list[str] = []
        self.seen.append(commands)
        word, in_letter = "hello", False
        while True:
            if not in_letter or word == ".":
                in_letter = False
                if not self._answer(stream, script[word]):
                    return
                in_letter = word == "DATA" and script[word].startswith("354")
            line = stream.readline().decode("utf-8", "replace").strip()
            if not line and not in_letter:
                return
            word = line if in_letter else line.split(" ")[0].upper()
            if not in_letter or word == ".":
                commands.append(word)
            if not in_letter and word == "QUIT" and script["QUIT"] == "drop":
                return

    def _answer(self, stream, answer: str) -> bool:
        if answer == "drop":
            return False
        if answer == "silence":
            self._closing.wait(10)
            return False
        stream.write(answer.encode() + b"\r\n")
        stream.flush()
        return not answer.startswith(("421", "221"))


def a_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate of its own making, and that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(host, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, private)
    return context, certificate
