"""Mail: one message handed to the mail server by SMTP, with what became of it.

A mail cannot be looked up afterwards, so the moment from which it may have been taken is kept apart: until the final dot
has gone out nothing was taken, after the server's word everything is known, and in between nobody knows.

    connecting, signing in   raises TransientError or ConfigError: nothing was sent
    up to the final dot      `again` or `refused`
    the server's last word   `sent`, `again`, `refused`
    no last word             `unknown`: a person has to find out
"""

from __future__ import annotations

import datetime as dt
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Literal

from connector.config_mail import MailSettings, is_address
from connector.errors import ConfigError, TransientError
from connector.text import Text

_MAIL = policy.SMTP.clone(max_line_length=76)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. `message_id` is fixed by what it tells of, so that a mail sent twice is known as one; `html` says the same
    as `text`."""

    message_id: str
    address: str
    name: str
    subject: str
    text: str
    html: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a mail: `sent`; `again`: not taken, later perhaps; `refused`: never will be; `unknown`."""

    state: Literal["sent", "again", "refused", "unknown"]
    why: Text | None = None
    code: str = ""


class Post:
    """A mail server that is signed in to."""

    def __init__(self, settings: MailSettings, server: smtplib.SMTP) -> None:
        self._settings = settings
        self._server = server

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands."""
        return self._server.sock is not None

    def send(self, letter: Letter, now: dt.datetime) -> Sent:
        """Hands over one mail. Never raises for what the server says or for a connection that breaks."""
        if not is_address(letter.address):
            return Sent("refused", BAD_ADDRESS.fill(address=letter.address), "address")
        body = _stuffed(message(letter, self._settings, now).as_bytes())
        try:
            self._begin(letter.address)
            self._server.send(body)
        except smtplib.SMTPResponseException as wrong:
            with suppress(smtplib.SMTPException, OSError):
                self._server.rset()
            return _answered(wrong.smtp_code, wrong.smtp_error)
        except (smtplib.SMTPException, OSError) as wrong:
            self._server.close()
            return Sent("again", BROKEN.fill(why=type(wrong).__name__))
        # From here on it may have been taken.
        try:
            self._server.send(b".\r\n")
            code, words = self._server.getreply()
        except (smtplib.SMTPException, OSError) as wrong:
            self._server.close()
            return Sent("unknown", NO_WORD.fill(why=type(wrong).__name__), "no_answer")
        return Sent("sent") if code == 250 else _answered(code, words)

    def _begin(self, address: str) -> None:
        """Everything up to the server's readiness for the text; raises what it answers otherwise."""
        self._server.ehlo_or_helo_if_needed()
        steps: tuple[tuple[int, Callable[[], tuple[int, bytes]]], ...] = (
            (250, lambda: self._server.mail(self._settings.sender or "")),
            (250, lambda: self._server.rcpt(address)),
            (354, lambda: self._server.docmd("DATA")),
        )
        for expected, ask in steps:
            code, words = ask()
            if code != expected and not (expected == 250 and code == 251):
                raise smtplib.SMTPResponseException(code, words)


@contextmanager
def post(settings: MailSettings, password: str | None) -> Iterator[Post]:
    """A connection to the mail server, secured and signed in. Raises ConfigError where a person must act (a certificate,
    a password, a server without TLS), TransientError where it cannot be reached."""
    host = settings.host or ""
    try:
        server = _connected(settings, host, password)
    except smtplib.SMTPAuthenticationError as wrong:
        raise ConfigError(SIGN_IN.fill(host=host, code=wrong.smtp_code)) from None
    except smtplib.SMTPNotSupportedError:
        raise ConfigError(NO_TLS.fill(host=host, security=settings.security)) from None
    except ssl.SSLCertVerificationError as wrong:
        raise ConfigError(CERTIFICATE.fill(host=host, why=wrong.verify_message)) from None
    except (smtplib.SMTPException, OSError) as wrong:
        raise TransientError(NO_SERVER.fill(host=host, why=type(wrong).__name__)) from None
    try:
        yield Post(settings, server)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
        server.close()


def _connected(settings: MailSettings, host: str, password: str | None) -> smtplib.SMTP:
    context = ssl.create_default_context()
    # Not the name of this machine: it is nobody's business, and finding it out may take long.
    own = (settings.sender or "").rpartition("@")[2]
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, settings.port, timeout=settings.timeout_seconds, context=context)
    else:
        server = smtplib.SMTP(host, settings.port, local_hostname=own, timeout=settings.timeout_seconds)
    try:
        server.ehlo()
        if settings.security == "starttls":
            server.starttls(context=context)
            server.ehlo()
        if settings.user is not None:
            server.login(settings.user, password or "")
    except BaseException:
        server.close()
        raise
    return server


def message(letter: Letter, settings: MailSettings, now: dt.datetime) -> EmailMessage:
    """The mail as it travels: UTF-8 in letters that every server takes; no line of a header comes from outside."""
    made = EmailMessage(policy=_MAIL)
    made["From"] = Address(_one_line(settings.name), addr_spec=settings.sender or "")
    made["To"] = Address(_one_line(letter.name), addr_spec=letter.address)
    made["Subject"] = _one_line(letter.subject)
    made["Date"] = now
    made["Message-ID"] = letter.message_id
    # No out-of-office note answers a machine.
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made["Content-Language"] = letter.language
    made.set_content(letter.text, charset="utf-8", cte="base64")
    if letter.html:
        made.add_alternative(letter.html, subtype="html", charset="utf-8", cte="base64")
    return made


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


def _stuffed(body: bytes) -> bytes:
    """The text as SMTP carries it: lines end with CR LF, one that begins with a dot has another before it."""
    body = re.sub(rb"\r\n|\r|\n", b"\r\n", body)
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", body)


def _answered(code: int, words: bytes | str) -> Sent:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    why = SAID.fill(code=code, words=_one_line(said)[:200])
    return Sent("again" if 400 <= code < 500 else "refused", why, str(code))


BAD_ADDRESS = Text("“{address}” is no e-mail address.", "“{address}”不是有效的电子邮件地址。")
BROKEN = Text(
    "The connection to the mail server broke before it had the mail ({why}).",
    "邮件尚未交付，与邮件服务器的连接已中断（{why}）。",
)
NO_WORD = Text(
    "The mail server had the mail and did not say whether it took it ({why}).",
    "邮件已传给邮件服务器，但未收到是否接收的答复（{why}）。",
)
SAID = Text("The mail server says: {code} {words}", "邮件服务器答复：{code} {words}")
SIGN_IN = Text(
    "The mail server {host} refuses user or password under [mail] ({code}).",
    "邮件服务器 {host} 拒绝了 [mail] 中的用户名或密码（{code}）。",
)
NO_TLS = Text(
    "The mail server {host} does not offer what [mail] asks for ({security}, or signing in): nothing is sent unsecured.",
    "邮件服务器 {host} 不支持 [mail] 所要求的方式（{security} 或登录）：不会以明文发送。",
)
CERTIFICATE = Text(
    "The certificate of the mail server {host} is not valid: {why}.", "邮件服务器 {host} 的证书无效：{why}。"
)
NO_SERVER = Text("The mail server {host} cannot be reached ({why}).", "无法连接邮件服务器 {host}（{why}）。")

__all__ = ["Letter", "Post", "Sent", "message", "post"]
