"""What people do on the pages, in the words that they read there.

Each step works with JavaScript and without: folded parts open either way.
"""

from __future__ import annotations

import re
from datetime import datetime

import vobject
from playwright.sync_api import Locator, Page, expect

from scheduler.demo.catcher import CaughtMail
from scheduler.wording import PARIS


def main(page: Page) -> Locator:
    return page.get_by_role("main")


def heading(page: Page) -> Locator:
    return main(page).get_by_role("heading", level=1)


def state(page: Page) -> Locator:
    """The badge beside the heading."""
    return main(page).locator(".badge").first


def open_part(page: Page, name: str) -> None:
    """A part of the page that is folded away, or opens as a dialog."""
    main(page).locator("summary").filter(has_text=name).click()


def press(page: Page, name: str | re.Pattern[str]) -> None:
    main(page).get_by_role("button", name=name).click()


# ------------------------------------------------------------------ the teacher


def search(page: Page, school_class: str, *, scripts: bool = True) -> None:
    """Look for a visit for one class, with only what fits."""
    page.goto("/teacher/offers")
    page.get_by_label("Pour quelle classe").select_option(label=school_class)
    if not scripts:
        press(page, "Appliquer")
    found = main(page).get_by_role("heading", level=2)
    expect(found).to_contain_text(re.compile(f"{re.escape(school_class)}.* convien"))
    page.get_by_label("Seulement ce qui convient à ma classe").check()
    if not scripts:
        press(page, "Appliquer")
    page.wait_for_url("**fitting_only=**")


def open_slot(page: Page, offer: str, day: str) -> None:
    """From the results to the offer, its reasons, and one of its slots."""
    main(page).get_by_role("link", name=offer).click()
    expect(heading(page)).to_have_text(offer)
    fits = page.get_by_role("complementary", name="Votre classe")
    expect(fits.get_by_role("img", name="Convient", exact=True).first).to_be_visible()
    main(page).get_by_role("link", name=re.compile(f"créneau.*{day}")).click()
    expect(heading(page)).to_have_text("Demander ce créneau")


def check(page: Page, adults: int, *, scripts: bool = True) -> Locator:
    """Type how many adults come; what the rules say to it."""
    page.get_by_role("spinbutton", name="Accompagnateurs").fill(str(adults))
    if not scripts:
        press(page, "Vérifier d’abord")
    return page.get_by_role("complementary", name="Est-ce que cela convient ?")


def send_request(page: Page) -> str:
    """Send it; the path of the visit."""
    press(page, "Envoyer la demande")
    expect(state(page)).to_be_visible()
    page.wait_for_url(re.compile(r"/teacher/visits/\d+$"))
    return page.url[page.url.index("/teacher/") :]


def give_addresses(page: Page, visit: str, addresses: list[str]) -> None:
    page.goto(visit)
    page.get_by_role("link", name="Adresses électroniques des élèves").click()
    page.get_by_label("Adresses électroniques, une par ligne").fill(
        "\n".join(addresses)
    )
    press(page, "Enregistrer et inviter")
    page.wait_for_url("**" + visit)


def change_numbers(page: Page, visit: str, *, students: int) -> None:
    page.goto(visit)
    page.get_by_role("link", name="Modifier les effectifs").click()
    page.get_by_role("spinbutton", name="Élèves").fill(str(students))
    for optional in ("Filles", "Garçons"):
        page.get_by_role("spinbutton", name=optional).fill("")
    press(page, "Enregistrer les effectifs")
    page.wait_for_url("**" + visit)


def cancel(page: Page, visit: str, *, reason: str, note: str) -> None:
    page.goto(visit)
    page.get_by_role("link", name="Annuler la visite").click()
    page.get_by_label(reason).check()
    page.get_by_label("En une ligne").fill(note)
    press(page, "Annuler la visite")
    page.wait_for_url("**" + visit)


def ask_to_move(page: Page, visit: str, day: str) -> None:
    page.goto(visit)
    page.get_by_role("link", name="Une autre date").click()
    press(page, re.compile(f"date.*{day}|{day}"))
    page.wait_for_url("**" + visit)


# ------------------------------------------------------------------ the host


def accept(page: Page, link: str) -> None:
    page.goto(link)
    press(page, re.compile("^Accepter"))
    expect(main(page)).to_contain_text("La visite est confirmée")


def decline(page: Page, link: str, *, reason: str, note: str) -> None:
    page.goto(link)
    open_part(page, "Refuser")
    page.get_by_label(reason).check()
    main(page).get_by_label("Un mot pour l’enseignant").last.fill(note)
    press(page, "Refuser la demande")
    expect(main(page)).to_contain_text("La demande est refusée")


def keep_the_date(page: Page, link: str, *, reason: str) -> None:
    """No to a move: the visit stays where it was."""
    page.goto(link)
    open_part(page, "Garder la date convenue")
    page.get_by_label(reason).check()
    press(page, "Garder la date convenue")
    expect(main(page)).to_contain_text("La visite est confirmée")


def propose(page: Page, link: str, days: list[str]) -> None:
    page.goto(link)
    open_part(page, "Proposer d’autres dates")
    for day in days:
        page.get_by_label(re.compile(day)).check()
    press(page, "Proposer ces dates")
    expect(main(page)).to_contain_text("choisit")


def change_slot(page: Page, *, company_visit: str, starts: str, ends: str) -> None:
    """From the list of visits to the slot, to another hour."""
    page.goto("/host/visits?show=next")
    main(page).get_by_role("link", name=company_visit).first.click()
    page.get_by_role("link", name="Ouvrir le créneau").click()
    page.get_by_role("link", name="Modifier le créneau").click()
    page.get_by_label("De", exact=True).fill(starts)
    page.get_by_label("À", exact=True).fill(ends)
    press(page, "Modifier et prévenir tout le monde")
    page.wait_for_url(re.compile(r"/host/slots/\d+$"))


# ------------------------------------------------------------------ invitations


def invitation(mail: CaughtMail, *, method: str) -> vobject.base.Component:
    """The event in a mail, read by another library than the one that wrote it."""
    assert mail.method == method
    assert mail.calendar is not None
    calendar = vobject.readOne(mail.calendar.decode("utf-8"))
    assert calendar.method.value == method
    return calendar.vevent


def attendees(event: vobject.base.Component) -> list[str]:
    return [each.value.lower() for each in event.contents["attendee"]]


def in_paris(event: vobject.base.Component) -> datetime:
    """When it begins, by the part's own VTIMEZONE."""
    starts: datetime = event.dtstart.value
    assert event.dtstart.params["X-VOBJ-ORIGINAL-TZID"] == ["Europe/Paris"]
    return starts.astimezone(PARIS)
