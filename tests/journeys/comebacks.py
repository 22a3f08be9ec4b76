"""What comes back by mail: reports that nobody lives there, and words of strangers."""

from __future__ import annotations

from email import message_from_bytes

from scheduler.demo.catcher import CaughtMail
from scheduler.mail.mailboxes import Maildir
from tests.journeys.service import Demo

# RFC 3464, as Postfix writes it.
REPORT = """\
From: MAILER-DAEMON@mx.example.org
To: visites@example.org
Subject: Undelivered Mail Returned to Sender
Message-ID: <report-{to}>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain

Nobody of that name lives here.
--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {to}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown
--cut
Content-Type: text/rfc822-headers

Message-ID: {message_id}
--cut--
"""

WORDS = """\
From: Parent <parent@example.com>
To: visites@example.org
Subject: Re: Visite
Message-ID: <words@example.com>
Content-Type: text/plain

Bonjour,

Nous aurons dix minutes de retard. Merci de prévenir le guide.
"""


def send_back(demo: Demo, mail: CaughtMail, *, to: str) -> None:
    """The mail was taken, and then found to be for nobody."""
    message_id = message_from_bytes(mail.raw)["Message-ID"]
    _deliver(demo, REPORT.format(to=to, message_id=message_id), name=f"report-{to}")


def write_in_words(demo: Demo) -> None:
    """Somebody writes instead of pressing a button."""
    _deliver(demo, WORDS, name="words")


def _deliver(demo: Demo, text: str, *, name: str) -> None:
    answers = Maildir(folder=demo.folder / "answers")
    answers.deliver(text.replace("\n", "\r\n").encode(), name=name)
