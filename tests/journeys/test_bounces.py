"""A student's address is wrong: it comes back, is corrected, and the mail arrives."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys import comebacks, steps
from tests.journeys.service import until
from tests.journeys.visitors import Person

STEPHANE = Person(
    name="Stéphane Chauvet", email="stephane.chauvet@example.org", room="/teacher/"
)
WRONG, RIGHT = "lou.retuor@example.org", "lou.retour@example.org"


def test_a_mail_that_comes_back_is_corrected_and_arrives(demo, enters):
    teacher, post = enters(STEPHANE), demo.postbox()
    teacher.goto("/teacher/visits?tab=confirmed")
    steps.main(teacher).locator("a.stretched").first.click()
    teacher.wait_for_url(re.compile(r"/teacher/visits/\d+$"))
    visit = teacher.url[teacher.url.index("/teacher/") :]
    steps.give_addresses(teacher, visit, [WRONG])

    # The server took it, and then found that nobody of that name is there.
    comebacks.send_back(demo, post.take(to=WRONG), to=WRONG)
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
