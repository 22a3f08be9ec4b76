"""What is said to an SMTP server about one letter.

``smtplib.sendmail`` parses addresses that were checked before and goes through the
letter with a regular expression; and it waits for an answer four times. Servers that
offer PIPELINING (RFC 2920) get the three commands of a letter in one go, so that a
distant server costs two waits a letter.
"""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from contextlib import suppress

Reply = tuple[int, bytes]

OK = 250
# RFC 5321 §3.4: not local, but it will be forwarded.
FORWARDED = 251
GO_ON = 354
SERVICE_GOING_AWAY = 421


def hand_in(host: smtplib.SMTP, sender: str, recipient: str, octets: bytes) -> None:
    """Return when the server has taken the letter; else raise as ``sendmail`` does.

    Both addresses are ASCII, and the letter's lines end with CRLF.
    """
    host.ehlo_or_helo_if_needed()
    size = f" SIZE={len(octets)}" if host.has_extn("size") else ""
    commands = (f"MAIL FROM:<{sender}>{size}", f"RCPT TO:<{recipient}>", "DATA")
    ask = _together if host.has_extn("pipelining") else _one_by_one
    replies = ask(host, commands)
    wrong = _refusal(replies, sender, recipient)
    if wrong is None:
        host.send(_stuffed(octets) + b".\r\n")
        replies.append(host.getreply())
        code, said = replies[-1]
        if code == OK:
            return
        wrong = smtplib.SMTPDataError(code, said)
    elif replies[-1][0] == GO_ON:
        # RFC 2920 §3.1: it waits for a letter to nobody; the dot alone ends that.
        host.send(b".\r\n")
        replies.append(host.getreply())
    _begin_again(host, replies)
    raise wrong


def _one_by_one(host: smtplib.SMTP, commands: Sequence[str]) -> list[Reply]:
    """Each command after the answer to the one before; none after a refusal."""
    replies: list[Reply] = []
    for command in commands:
        host.send(f"{command}\r\n")
        replies.append(host.getreply())
        if not _goes_on(replies[-1]):
            break
    return replies


def _together(host: smtplib.SMTP, commands: Sequence[str]) -> list[Reply]:
    """All at once. Every answer is read; a server that goes away gives no more."""
    host.send("".join(f"{command}\r\n" for command in commands))
    replies: list[Reply] = []
    while len(replies) < len(commands):
        replies.append(host.getreply())
        if replies[-1][0] == SERVICE_GOING_AWAY:
            break
    return replies


def _goes_on(reply: Reply) -> bool:
    return reply[0] in {OK, FORWARDED, GO_ON}


def _refusal(
    replies: Sequence[Reply], sender: str, recipient: str
) -> smtplib.SMTPException | None:
    """The first that is no; what follows is no more than its consequence."""
    code, said = replies[0]
    if code != OK:
        return smtplib.SMTPSenderRefused(code, said, sender)
    code, said = replies[1]
    if code not in {OK, FORWARDED}:
        return smtplib.SMTPRecipientsRefused({recipient: (code, said)})
    code, said = replies[2]
    return None if code == GO_ON else smtplib.SMTPDataError(code, said)


def _begin_again(host: smtplib.SMTP, replies: Sequence[Reply]) -> None:
    """The next letter finds a fresh dialogue, or none."""
    if any(code == SERVICE_GOING_AWAY for code, _said in replies):
        host.close()
        return
    with suppress(smtplib.SMTPServerDisconnected):
        host.rset()


def _stuffed(octets: bytes) -> bytes:
    """RFC 5321 §4.5.2: a dot that begins a line is doubled; the last line ends."""
    lines = octets if octets.endswith(b"\r\n") else octets + b"\r\n"
    return (b"\n" + lines).replace(b"\n.", b"\n..")[1:]
