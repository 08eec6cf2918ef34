"""A small mail server on a socket: takes what it is sent, and fails where a test says so. TLS by a certificate made here."""

from __future__ import annotations

import datetime as dt
import email
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path


@dataclass
class Faults:
    """What goes wrong. `refuse`: recipients and the answer they get; `answers`: what follows the text, in turn ("cut":
    the connection ends before the answer, "silent": none comes, "cut_in_text": it ends while the text is on its way)."""

    refuse: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    starttls: bool = True


@dataclass
class MailServer:
    port: int
    faults: Faults = field(default_factory=Faults)
    taken: list[EmailMessage] = field(default_factory=list)
    connections: int = 0
    secured: int = 0
    signed_in: list[bytes] = field(default_factory=list)

    def subjects(self) -> list[str]:
        return [str(m["Subject"]) for m in self.taken]


class _Handler(socketserver.StreamRequestHandler):
    state: MailServer
    context: ssl.SSLContext | None = None

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def handle(self) -> None:
        state, faults = self.state, self.state.faults
        state.connections += 1
        self.say("220 here")
        secured = False
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            verb = verb.upper()
            if verb in ("EHLO", "HELO"):
                extra = [] if secured or not (self.context and faults.starttls) else ["250-STARTTLS"]
                extra += ["250-AUTH PLAIN"] if secured else []
                self.say("\r\n".join(["250-here", *extra, "250 HELP"]))
            elif verb == "STARTTLS" and self.context is not None:
                self.say("220 go on")
                self.connection = self.context.wrap_socket(self.connection, server_side=True)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
                secured = True
                state.secured += 1
            elif verb == "AUTH":
                state.signed_in.append(rest.encode())
                self.say("235 welcome" if secured else "535 no")
            elif verb == "RCPT":
                address = rest.partition("<")[2].partition(">")[0]
                self.say(faults.refuse.get(address, "250 yes"))
            elif verb == "DATA":
                self.say("354 go on")
                if faults.answers[:1] == ["cut_in_text"]:
                    faults.answers.pop(0)
                    self.rfile.readline()
                    return self.cut()
                body = b""
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    body += line.removeprefix(b".") if line.startswith(b"..") else line
                answer = faults.answers.pop(0) if faults.answers else "250 taken"
                if answer in ("cut", "silent") or answer.startswith("250"):
                    made = email.message_from_bytes(body, policy=default)
                    assert isinstance(made, EmailMessage)
                    state.taken.append(made)
                if answer == "cut":
                    return self.cut()
                if answer == "silent":
                    self.rfile.readline()  # until the other side has had enough
                    return None
                self.say(answer)
            elif verb == "QUIT":
                self.say("221 bye")
                return None
            else:
                self.say("250 yes")
        return None

    def cut(self) -> None:
        # So that the other side meets a broken connection, not a polite end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()


@contextmanager
def mail_server(certificate: Path | None = None) -> Iterator[MailServer]:
    """The server, on a free port of this machine; with a certificate it offers STARTTLS."""

    class Handler(_Handler):
        pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state = MailServer(server.server_address[1])
        Handler.state = state
        if certificate is not None:
            Handler.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            Handler.context.load_cert_chain(certificate)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield state
        finally:
            server.shutdown()


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1, with its key, in one file."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
