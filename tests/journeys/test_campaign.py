"""A campaign from wishes to invitations: twenty classes, small hosts in half-groups."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page, expect

from scheduler.demo.catcher import caught_mails
from tests.journeys import steps
from tests.journeys.service import ANY_LINK, Demo, running_demo
from tests.journeys.visitors import COORDINATOR, Person, enter, new_context

BERTRAND = Person(
    name="Bertrand Merlet", email="bertrand.merlet@example.org", room="/teacher/"
)
NADEGE = Person(
    name="Nadège Brossard", email="nadege.brossard@example.org", room="/teacher/"
)
SMALL_HOST = "visites.h04@example.org"
STUDENT = "ines.merlet@example.org"
BEFORE, AFTER = "2026-11-27T17:00:00+00:00", "2026-11-22T17:00:00+00:00"


@pytest.fixture
def own_demo(browser: Browser, tmp_path_factory) -> Iterator[Demo]:
    """A demo of its own: a published plan changes what every other page shows."""
    assert browser
    with running_demo(tmp_path_factory.mktemp("campaign")) as demo:
        yield demo


def close_wishes(demo: Demo, at: str) -> None:
    """What only time does: the closing lies ahead, or is past."""
    with closing(sqlite3.connect(demo.folder / "visits.db")) as database:
        moment = at.replace("T", " ").replace("+00:00", ".000000")
        database.execute("UPDATE campaign SET closes_at = ? WHERE id = 1", [moment])
        database.commit()


def test_from_wishes_to_invitations(browser: Browser, own_demo: Demo):
    with (
        new_context(browser, own_demo) as one,
        new_context(browser, own_demo) as two,
        new_context(browser, own_demo) as three,
    ):
        teacher, coordinator = one.new_page(), two.new_page()
        enter(teacher, own_demo, BERTRAND)
        enter(coordinator, own_demo, COORDINATOR)

        change_wishes(teacher, own_demo)
        plan(coordinator)
        publish(coordinator, own_demo)
        visits = accepted(three.new_page(), teacher, own_demo)
        invite(teacher, own_demo, visits[0])

        other = three.new_page()
        enter(other, own_demo, NADEGE)
        other.goto("/teacher/campaigns/1/result")
        expect(steps.main(other)).to_contain_text("Pas encore de visite")
        expect(steps.main(other)).to_contain_text("La classe aurait eu une visite")


def change_wishes(page: Page, demo: Demo) -> None:
    """Looked at first, then filed; a copy comes by mail."""
    close_wishes(demo, BEFORE)
    post = demo.postbox()
    page.goto("/teacher/campaigns")
    page.get_by_role("link", name="Changer les vœux – 2nde MPMIA").first.click()
    expect(page.get_by_label("Vœu").first).to_have_value(re.compile(r"^h\d+$"))
    steps.press(page, "Descendre : vœu 1")
    steps.press(page, "Voir ce qui est possible")
    expect(steps.main(page)).to_contain_text("peuvent satisfaire ces vœux")
    steps.main(page).get_by_role("button", name="Déposer ces vœux").last.click()
    expect(steps.main(page)).to_contain_text("Les vœux sont déposés")
    copy = post.take(to=BERTRAND.email, subject="Vos vœux pour 2nde MPMIA")
    assert "Sarments Robotique" in copy.text
    close_wishes(demo, AFTER)


def plan(page: Page) -> None:
    """Computed beside first come, first served, and proven."""
    page.goto("/coordinator/campaigns/1/runs")
    steps.main(page).locator("form").first.get_by_role("button").last.click()
    page.wait_for_url(re.compile(r"/coordinator/runs/\d+$"))
    expect(steps.main(page)).to_contain_text("ont une visite", timeout=60_000)
    page.reload()
    expect(steps.main(page)).to_contain_text("prouvé : aucun plan n’est meilleur")


def publish(page: Page, demo: Demo) -> None:
    post = demo.postbox()
    page.get_by_role("link", name="Publier ce plan").click()
    steps.main(page).locator("form").last.get_by_role("button").click()
    told = post.take(to=BERTRAND.email, subject="une visite")
    assert "2nde MPMIA" in told.text
    page.goto("/coordinator/campaigns/1")
    expect(steps.main(page)).to_contain_text("Places attribuées")


def accepted(host: Page, teacher: Page, demo: Demo) -> list[str]:
    """The host answers both half-groups from one mail; the teacher's two visits."""
    demo.wait_until_quiet()
    asked = [
        mail
        for mail in caught_mails(demo.mailbox)
        if SMALL_HOST in mail.to and "rendre visite" in mail.subject
    ]
    assert len(asked) == 1
    links = list(dict.fromkeys(ANY_LINK.findall(asked[0].text)))
    assert len(links) >= 2
    for link in links:
        steps.accept(host, link)
    teacher.goto("/teacher/campaigns/1/result")
    rows = steps.main(teacher).locator("a[href*='/teacher/visits/']")
    found = list(dict.fromkeys(row.get_attribute("href") or "" for row in rows.all()))
    assert len(found) == 2
    expect(steps.main(teacher)).to_contain_text("Confirmée")
    return found


def invite(teacher: Page, demo: Demo, visit: str) -> None:
    post = demo.postbox()
    steps.give_addresses(teacher, visit, [STUDENT])
    event = steps.invitation(post.take(to=STUDENT), method="REQUEST")
    assert steps.attendees(event) == [f"mailto:{STUDENT}"]
    assert "Sarments Robotique" in event.summary.value
