"""A student's address is wrong: it comes back, is corrected, and the mail arrives."""

from __future__ import annotations

import re
from email import message_from_bytes

from playwright.sync_api import expect

from scheduler.demo.catcher import CaughtMail
from scheduler.mail.mailboxes import Maildir
from tests.journeys import steps
from tests.journeys.service import until
from tests.journeys.visitors import Person

STEPHANE = Person(
    name="Stéphane Chauvet", email="stephane.chauvet@example.org", room="/teacher/"
)
WRONG, RIGHT = "lou.retuor@example.org", "lou.retour@example.org"

REPORT = """\
From: MAILER-DAEMON@mx.example.org
To: visites@example.org
Subject: Undelivered Mail Returned to Sender
Message-ID: <report@mx.example.org>
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


def report_about(mail: CaughtMail, to: str) -> bytes:
    """What a mail server writes that knows nobody of that name (RFC 3464)."""
    message_id = message_from_bytes(mail.raw)["Message-ID"]
    text = REPORT.format(to=to, message_id=message_id)
    return text.replace("\n", "\r\n").encode()


def test_a_mail_that_comes_back_is_corrected_and_arrives(demo, enters):
    teacher, post = enters(STEPHANE), demo.postbox()
    teacher.goto("/teacher/visits?tab=confirmed")
    steps.main(teacher).locator("a.stretched").first.click()
    teacher.wait_for_url(re.compile(r"/teacher/visits/\d+$"))
    visit = teacher.url[teacher.url.index("/teacher/") :]
    steps.give_addresses(teacher, visit, [WRONG])

    # The server took it, and then found that nobody of that name is there.
    answers = Maildir(folder=demo.folder / "answers")
    answers.deliver(report_about(post.take(to=WRONG), WRONG), name="report")
    alert = steps.main(teacher).locator(".callout--danger").last
    until(lambda: (teacher.goto(visit) and alert.count()) or None, what="the report")
    expect(alert).to_contain_text(f"{WRONG}, Invitation : cette adresse n’existe pas")
    teacher.goto("/teacher/")
    expect(steps.main(teacher)).to_contain_text("1 message n’est pas arrivé")

    # The wrong address stands in the field; one letter of it is put right.
    teacher.goto(visit)
    teacher.get_by_role("link", name="Corriger l’adresse").click()
    field = teacher.get_by_label("Bonne adresse")
    expect(field).to_have_value(WRONG)
    field.fill(RIGHT)
    steps.press(teacher, "Corriger et inviter")
    teacher.wait_for_url("**" + visit)
    mail = post.take(to=RIGHT)

    event = steps.invitation(mail, method="REQUEST")
    assert steps.attendees(event) == [f"mailto:{RIGHT}"]
    demo.wait_until_quiet()
    teacher.goto(visit)
    expect(steps.main(teacher)).not_to_contain_text("n’est pas arrivé")
    expect(steps.main(teacher)).not_to_contain_text("en échec")
    # Nobody was told of a mail that never arrived.
    assert [each.to for each in post.take_rest() if WRONG in each.to] == []
