"""A message that came in: octets in, claims out. It never raises."""

from __future__ import annotations

import email
import hashlib
from email.message import Message
from email.utils import getaddresses

from scheduler.domain.inbound import ReceivedMail

LARGEST = 1_000_000


def read_mail(octets: bytes, *, authserv_id: str = "") -> ReceivedMail:
    """What is in it. ``authserv_id``: the name our own mail server signs with."""
    del authserv_id
    size, digest = len(octets), hashlib.sha256(octets).hexdigest()
    if size > LARGEST:
        return ReceivedMail(size=size, digest=digest, problem="too_large")
    try:
        return _read(email.message_from_bytes(octets), size=size, digest=digest)
    except Exception:  # noqa: BLE001 - whatever it is, the next message must be read
        return ReceivedMail(size=size, digest=digest, problem="unreadable")


def _read(message: Message, *, size: int, digest: str) -> ReceivedMail:
    calendar, method = None, ""
    for part in message.walk():
        if part.get_content_type() == "text/calendar" and calendar is None:
            calendar = part.get_payload(decode=True)
            method = str(part.get_param("method") or "")
    recipients = [
        address.lower()
        for name in ("To", "Delivered-To", "X-Original-To")
        for _, address in getaddresses([str(v) for v in message.get_all(name, [])])
    ]
    return ReceivedMail(
        size=size,
        digest=digest,
        message_id=str(message.get("Message-ID", "")).strip().strip("<>"),
        from_addresses=tuple(
            address.lower()
            for _, address in getaddresses([str(message.get("From", ""))])
        ),
        recipients=tuple(recipients),
        subject=str(message.get("Subject", "")),
        auto_submitted=str(message.get("Auto-Submitted", "")).lower(),
        calendar=calendar if isinstance(calendar, bytes) else None,
        calendar_method=method,
    )
