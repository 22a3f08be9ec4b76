"""Answers by mail become the headcount: caught, answered as a client does, counted."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys import steps
from tests.journeys.visitors import Person

LAURENCE = Person(
    name="Laurence Tessier", email="laurence.tessier@example.org", room="/teacher/"
)
STUDENTS = ["ines.reponse@example.org", "malo.reponse@example.org"]


def test_answers_from_calendars_become_the_headcount(demo, enters):
    teacher, post = enters(LAURENCE), demo.postbox()
    teacher.goto("/teacher/visits?tab=confirmed")
    steps.main(teacher).locator("a.stretched").first.click()
    teacher.wait_for_url(re.compile(r"/teacher/visits/\d+$"))
    visit = teacher.url[teacher.url.index("/teacher/") :]
    steps.give_addresses(teacher, visit, STUDENTS)
    mails = {address: post.take(to=address) for address in STUDENTS}
    teacher.goto(visit)
    count = teacher.locator("#answers .headcount")
    expect(count).to_contain_text("2 sans réponse")

    # Two programs answer, one with a word; the page counts without being asked.
    reader = enters()
    for address, program, button in (
        (STUDENTS[0], "Gmail", "Accepter"),
        (STUDENTS[1], "Outlook", "Refuser"),
    ):
        reader.goto(f"/demo/mailbox/{mails[address].key}")
        reader.get_by_label("Logiciel").select_option(label=program)
        reader.get_by_label("Commentaire").fill(f"Depuis {program}")
        steps.press(reader, button)
        expect(steps.main(reader)).to_be_visible()
    expect(count).to_contain_text(
        re.compile("1 vient, 1 ne vient pas, 0 sans réponse"), timeout=40_000
    )
    expect(teacher.locator("#answers")).to_contain_text("Depuis Outlook")

    # The same by the link in the mail.
    link = re.search(r"(/r/\S+)", mails[STUDENTS[1]].text)
    assert link
    student = enters()
    student.goto(link[1])
    steps.press(student, "Je viens")
    expect(steps.main(student)).to_contain_text("Ta réponse")
    teacher.goto(visit)
    expect(count).to_contain_text("2 viennent")

    # Nothing was mailed because of the answers.
    assert [mail.to for mail in post.take_rest() if mail.to in STUDENTS] == []
