"""The README's tour of a visit, played by real browsers and read from real mail."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date, time
from functools import partial

import pytest
import vobject
from playwright.sync_api import expect

from tests.journeys import steps
from tests.journeys.conftest import Enters
from tests.journeys.service import Demo, link_in
from tests.journeys.visitors import COORDINATOR, Person

TABLES = ("visit", "slot", "message", "journal", "invitation", "link")


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who plays, and what for. Each tour has its own class, company and day."""

    teacher: Person
    school_class: str
    offer: str
    day: str
    on: date
    contact: Person
    substitute: str
    scripts: bool


WITH_SCRIPTS = Cast(
    teacher=Person(
        name="Hélène Marchais", email="helene.marchais@example.org", room="/teacher/"
    ),
    school_class="1re Bac pro MELEC",
    offer="L’atelier des grandes machines",
    day="12 janvier 2027",
    on=date(2027, 1, 12),
    contact=Person(
        name="Anne-Laure Bidet", email="visites.h15@example.org", room="/host/"
    ),
    substitute="remplacant.h15@example.org",
    scripts=True,
)
WITHOUT_SCRIPTS = Cast(
    teacher=Person(
        name="Mickaël Lemée", email="mickael.lemee@example.org", room="/teacher/"
    ),
    school_class="1MELEC-2",
    offer="D’une camionnette à une ambulance",
    day="26 janvier 2027",
    on=date(2027, 1, 26),
    contact=Person(
        name="Laurent Bellanger", email="visites.h25@example.org", room="/host/"
    ),
    substitute="remplacant.h25@example.org",
    scripts=False,
)


def stored(demo: Demo) -> dict[str, list[tuple[object, ...]]]:
    """All rows that a mail scanner could have changed."""
    file = demo.folder / "visits.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return {
            name: database.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608
            for name in TABLES
        }


class Tour:
    """One visit in seven acts; each act ends with nothing left to be delivered."""

    def __init__(self, demo: Demo, enters: Enters, cast: Cast) -> None:
        self.demo, self.cast = demo, cast
        self.enters = partial(enters, java_script_enabled=cast.scripts)
        self.teacher = self.enters(cast.teacher)
        self.post = demo.postbox()
        self.adults = [cast.contact.email, cast.substitute, cast.teacher.email]
        company = cast.contact.email.partition("@")[0].removeprefix("visites.")
        self.students = [f"{name}.{company}@example.org" for name in ("lea", "noe")]
        self.uids: dict[str, str] = {}
        self.sequences: dict[str, int] = {}
        self.visit = ""

    def teacher_is_told_what_is_missing_and_asks(self) -> None:
        teacher, scripts = self.teacher, self.cast.scripts
        steps.search(teacher, self.cast.school_class, scripts=scripts)
        steps.open_slot(teacher, self.cast.offer, self.cast.day)

        told = steps.check(teacher, 1, scripts=scripts)
        expect(told).to_contain_text("Impossible ainsi")
        steps.press(teacher, "Envoyer la demande")
        typed = teacher.get_by_role("spinbutton", name="Accompagnateurs")
        expect(typed).to_have_value("1")
        assert self.post.take_rest() == []

        told = steps.check(teacher, 3, scripts=scripts)
        expect(told).to_contain_text("Cela convient")
        self.visit = steps.send_request(teacher)
        expect(steps.state(teacher)).to_have_text("En attente de réponse")
        self.post.take(to=self.cast.teacher.email, subject="Demande envoyée")

    def company_accepts_by_its_link(self) -> None:
        """Scanners open the link first, and nothing happens."""
        asked = self.post.take(to=self.cast.contact.email, subject="Demande de visite")
        self.post.take(to=self.cast.substitute, subject="Demande de visite")
        link = link_in(asked)
        self.demo.wait_until_quiet()
        before = stored(self.demo)
        assert self.demo.ask(link, method="HEAD").status == 200
        assert "Accepter" in self.demo.ask(link).body
        assert self.demo.ask(f"{link}/accept").status == 404
        assert stored(self.demo) == before

        contact = self.enters()
        steps.accept(contact, link)
        contact.goto(link)
        expect(contact.get_by_role("button", name="Accepter")).to_have_count(0)
        for address in self.adults:
            event = steps.invitation(self.post.take(to=address), method="REQUEST")
            assert steps.attendees(event) == [f"mailto:{address}"]
            self.uids[address] = event.uid.value
            self.sequences[address] = int(event.sequence.value)

    def students_get_invitations_of_their_own(self) -> None:
        steps.give_addresses(self.teacher, self.visit, self.students)

        for address in self.students:
            mail = self.post.take(to=address)
            event = steps.invitation(mail, method="REQUEST")
            assert steps.attendees(event) == [f"mailto:{address}"]
            assert event.sequence.value == "0"
            others = [other for other in self.students if other != address]
            assert not any(other in mail.raw.decode() for other in others)
            self.sequences[address] = 0
            self.uids[address] = event.uid.value
        assert len(set(self.uids.values())) == len(self.uids)
        assert self.post.take_rest() == []

    def class_page_and_feed_need_no_address(self) -> None:
        code = self.teacher.locator(".class-code").inner_text()
        student = self.enters()
        student.goto("/c")
        student.get_by_label("Le code de ta classe").fill(code.lower())
        steps.main(student).get_by_role("button").first.click()
        expect(steps.heading(student)).to_contain_text("on visite")

        file = self.demo.ask(f"/c/{code}/visit.ics")
        assert file.content_type.startswith("text/calendar")
        assert "attendee" not in vobject.readOne(file.body).vevent.contents
        subscribed = steps.main(student).locator("a[href^='webcal:']")
        address = (subscribed.get_attribute("href") or "").removeprefix("webcal")
        feed = vobject.readOne(self.demo.ask("http" + address).body)
        assert self.cast.on in {
            event.dtstart.value.date() for event in feed.vevent_list
        }

    def company_moves_the_slot(self) -> None:
        """The same events for everybody, with a higher number and a new hour."""
        host = self.enters(self.cast.contact)
        self.post.take(to=self.cast.contact.email, subject="connexion")
        steps.change_slot(
            host, company_visit=self.cast.school_class, starts="10:15", ends="12:15"
        )

        for address in (*self.adults, *self.students):
            event = steps.invitation(self.post.take(to=address), method="REQUEST")
            assert event.uid.value == self.uids[address]
            assert int(event.sequence.value) == self.sequences[address] + 1
            starts = steps.in_paris(event)
            assert (starts.date(), starts.time()) == (self.cast.on, time(10, 15))
        assert self.post.take_rest() == []

    def numbers_concern_adults_only(self) -> None:
        steps.change_numbers(self.teacher, self.visit, students=20)

        told = [mail.to for mail in self.post.take_rest()]
        assert told
        assert not any(address in to for to in told for address in self.students)

    def cancelled_is_gone_from_every_calendar(self) -> None:
        steps.cancel(
            self.teacher, self.visit, reason="Le transport", note="Plus de car ce jour"
        )

        expect(steps.state(self.teacher)).to_have_text("Annulée par l’établissement")
        for address in (*self.adults, *self.students):
            event = steps.invitation(self.post.take(to=address), method="CANCEL")
            assert event.uid.value == self.uids[address]
            assert int(event.sequence.value) >= self.sequences[address] + 2
            assert event.status.value == "CANCELLED"
        assert self.post.take_rest() == []

        coordinator = self.enters(COORDINATOR)
        coordinator.goto("/coordinator/?state=ended")
        coordinator.get_by_role("searchbox").fill(self.cast.school_class)
        steps.press(coordinator, "Chercher")
        expect(steps.main(coordinator)).to_contain_text("Annulée par l’établissement")


@pytest.mark.parametrize(
    "cast", [WITH_SCRIPTS, WITHOUT_SCRIPTS], ids=["scripts", "no_scripts"]
)
def test_visit_lives_from_the_search_to_the_cancellation(demo, enters, cast):
    tour = Tour(demo, enters, cast)

    tour.teacher_is_told_what_is_missing_and_asks()
    tour.company_accepts_by_its_link()
    tour.students_get_invitations_of_their_own()
    tour.class_page_and_feed_need_no_address()
    tour.company_moves_the_slot()
    tour.numbers_concern_adults_only()
    tour.cancelled_is_gone_from_every_calendar()


VALERIE = Person(
    name="Valérie Hamelin", email="valerie.hamelin@example.org", room="/teacher/"
)
MOULDS = "Des billes de plastique à la pièce d’auto"
MOULDERS = "visites.h13@example.org"


def asked_for(page, day: str) -> str:
    """Valérie's class asks the moulders for a slot; the path of the visit."""
    steps.search(page, "BTS CRSA 1")
    steps.open_slot(page, MOULDS, day)
    return steps.send_request(page)


def test_company_declines_with_a_reason(demo, enters):
    teacher = enters(VALERIE)
    post = demo.postbox()
    visit = asked_for(teacher, "12 janvier 2027")
    link = link_in(post.take(to=MOULDERS))

    steps.decline(
        enters(), link, reason="Cette date ne nous convient pas", note="Maintenance"
    )

    told = post.take(to=VALERIE.email, subject="Demande refusée")
    assert "Maintenance" in told.text
    assert told.calendar is None
    teacher.goto(visit)
    expect(steps.state(teacher)).to_have_text("Refusée")
    expect(steps.main(teacher)).to_contain_text("Maintenance")


def test_company_offers_other_dates_and_the_visit_moves_once_agreed(demo, enters):
    teacher, contact = enters(VALERIE), enters()
    post = demo.postbox()
    visit = asked_for(teacher, "9 février 2027")
    link = link_in(post.take(to=MOULDERS))
    post.take(to=VALERIE.email, subject="Demande envoyée")

    # The company proposes; the teacher chooses, and that confirms.
    steps.propose(contact, link, ["9 mars 2027", "16 mars 2027"])
    post.take(to=VALERIE.email, subject="autres créneaux")
    teacher.goto(visit)
    steps.press(teacher, re.compile("Choisir.*16 mars 2027"))
    expect(steps.state(teacher)).to_have_text("Confirmée")
    first = steps.invitation(post.take(to=VALERIE.email), method="REQUEST")
    assert steps.in_paris(first).date() == date(2027, 3, 16)
    post.take_rest()

    # Another day is asked for and refused: the visit stands where it was.
    steps.ask_to_move(teacher, visit, "6 avril 2027")
    expect(steps.state(teacher)).to_have_text("Report demandé")
    steps.keep_the_date(
        contact, link_in(post.take(to=MOULDERS)), reason="Nous n’avons pas le temps"
    )
    refused = post.take(to=VALERIE.email)
    assert refused.calendar is None
    teacher.goto(visit)
    expect(steps.state(teacher)).to_have_text("Confirmée")
    post.take_rest()

    # Asked again and accepted: the same event, on its new day.
    steps.ask_to_move(teacher, visit, "6 avril 2027")
    steps.accept(contact, link_in(post.take(to=MOULDERS)))
    moved = steps.invitation(post.take(to=VALERIE.email), method="REQUEST")
    assert moved.uid.value == first.uid.value
    assert int(moved.sequence.value) > int(first.sequence.value)
    assert steps.in_paris(moved).date() == date(2027, 4, 6)


def test_company_opens_its_doors_in_eight_questions(demo, enters):
    host = enters(
        Person(name="Agathe Sorin", email="visites.h02@example.org", room="/host/")
    )
    host.goto("/host/limits")
    host.get_by_label("Premier jour").fill("2027-02-09")
    steps.press(host, "Fermer ces jours")
    expect(steps.main(host)).to_contain_text("9 février 2027")

    host.goto("/host/offers/new")
    host.get_by_label("Qui accueille la classe").fill("Agathe, designer")
    host.get_by_label("Où attendez-vous la classe").fill("Sous le tilleul")
    host.get_by_role("spinbutton", name="Combien d’élèves").fill("16")
    host.get_by_label("À partir de quel niveau").select_option(label="La 3e (14 ans)")
    host.get_by_label("Titre de la visite").fill("Du dessin à la découpe laser")
    host.get_by_label("Que verront les élèves").fill("La découpe\nLe mur de croquis")
    host.get_by_label("Quelle tenue").fill("Rien de particulier")
    host.get_by_label("Mardi", exact=True).check()
    host.get_by_label("Premier jour").fill("2027-02-01")
    host.get_by_label("Dernier jour").fill("2027-03-31")
    steps.press(host, "Voir d’abord les dates")
    dates = host.locator("#dates")
    expect(dates).to_contain_text("6 dates")
    expect(dates).to_contain_text("3 jours écartés")
    steps.press(host, "Publier l’offre")
    expect(steps.heading(host)).to_have_text("Créneaux")
    expect(steps.main(host)).to_contain_text("Du dessin à la découpe laser")
    expect(steps.state(host)).to_have_text("Publiée")

    # Found by a teacher whose class it fits, on no day that was left out.
    teacher = enters(
        Person(
            name="Claire Rousselet",
            email="claire.rousselet@example.org",
            room="/teacher/",
        )
    )
    teacher.goto("/teacher/offers")
    teacher.get_by_label("Pour quelle classe").select_option(label="1TRPM")
    teacher.wait_for_url("**school_class=**")
    teacher.get_by_label("TPE", exact=False).check()
    teacher.wait_for_url("**sizes=**")
    steps.open_slot(teacher, "Du dessin à la découpe laser", "mardi 16 février 2027")
    teacher.go_back()
    slots = steps.main(teacher).get_by_role("link", name=re.compile("ce créneau"))
    offered = " ".join(each.get_attribute("aria-label") or "" for each in slots.all())
    assert "16 mars 2027" in offered
    for closed in ("9 février 2027", "23 février 2027", "2 mars 2027"):
        assert closed not in offered
