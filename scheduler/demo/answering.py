"""Answer a caught invitation as somebody's calendar would: by mail, over SMTP."""

from __future__ import annotations

import smtplib
from datetime import datetime

from scheduler.demo.catcher import CaughtMail
from scheduler.demo.replies import Client, Reply, invited_by, written
from scheduler.domain.refusals import NotFound
from scheduler.wording import clean_line

SECONDS = 10
COMMENT_LIMIT = 200


def answer(
    mail: CaughtMail,
    *,
    reply: str,
    client: str,
    comment: str,
    port: int,
    now: datetime,
) -> Reply:
    """Send the reply to the ORGANIZER; raises ``NotFound`` if none can be written."""
    invited = invited_by(mail.calendar)
    if invited is None or reply not in set(Reply) or client not in set(Client):
        raise NotFound
    octets = written(
        invited,
        Reply(reply),
        Client(client),
        comment=clean_line(comment, COMMENT_LIMIT),
        now=now,
    )
    with smtplib.SMTP("127.0.0.1", port, timeout=SECONDS) as server:
        server.sendmail(invited.attendee, [invited.organizer], octets)
    return Reply(reply)
