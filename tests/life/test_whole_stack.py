"""The same with everything real: services, database, outbox, templates, octets.

Fewer histories than in ``test_histories`` (a history costs a database of its own and a
few dozen letters), but nothing in them is modelled except the network and the calendars
that read the octets.
"""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import vobject
from icalendar import Calendar
from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience, standing
from scheduler.domain.parties import Party
from scheduler.domain.refusals import Refusal
from scheduler.domain.visits import CancelReason, DeclineReason
from scheduler.mail.compose import Compose, Imprint
from scheduler.mail.letter import Letter
from scheduler.paths import TEMPLATES
from scheduler.persistence.engine import make_engine, make_session
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import access, visits
from scheduler.persistence.sealed import Seal, seal_of
from scheduler.services import (
    answers,
    clockwork,
    contacts,
    delivery,
    offers,
    requests,
    slots,
    students,
)
from scheduler.services.house import House
from scheduler.services.slots import SeatsWanted, SlotTimes
from scheduler.services.snapshot import snapshot
from tests import rows
from tests.life.client import Client, Mail
from tests.services.test_offers import TEXT

HISTORIES = 60
SHARES = 2
STEPS = 10
TRIES = 6
SAMPLED = 3
FORMS = ("s1@example.net", "s2@example.net", "s3@example.net")
LIST = "4b@example.net"
# What no student's entry may say, whoever writes it.
NEEDS, WORDS = "1 fauteuil roulant", "Elles et ils s’en réjouissent"
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")

COMPOSE = Compose(
    Imprint(
        base_url="https://visits.example",
        organizer_address="visits@visits.example",
        organizer_name="Visites",
        campus_name="Campus",
    ),
    links=lambda purpose, number: f"https://visits.example/h/{purpose}-{number}",
    templates=TEMPLATES,
)


@dataclass
class Network:
    """A post whose letters are late, come twice, and overtake each other."""

    die: random.Random
    under_way: list[Letter] = field(default_factory=list)
    clients: dict[str, Client] = field(default_factory=dict)
    octets: list[bytes] = field(default_factory=list)

    @contextmanager
    def connect(self):
        yield self

    def send(self, letter: Letter) -> None:
        if letter.calendar is not None:
            self.octets.append(letter.calendar)
            self.under_way += [letter] * self.die.choice([1, 1, 2])

    def deliver(self, share: float) -> None:
        self.die.shuffle(self.under_way)
        arriving = [each for each in self.under_way if self.die.random() < share]
        for each in arriving:
            self.under_way.remove(each)
            address = each.recipient_address
            self.clients.setdefault(address, Client(address)).receive(as_mail(each))


def as_mail(letter: Letter) -> Mail:
    """The octets as another program reads them."""
    calendar = Calendar.from_ical(letter.calendar)
    (event,) = calendar.walk("VEVENT")
    assert str(calendar["METHOD"]) == letter.method
    attendee = str(event.get("ATTENDEE", ""))
    others = set(ADDRESS.findall(unfolded(letter.calendar))) - {
        letter.recipient_address,
        letter.sender_address,
        str(event["UID"]),
    }
    assert others == set()
    return Mail(
        to=letter.recipient_address,
        method=letter.method,
        uid=str(event["UID"]),
        sequence=int(event["SEQUENCE"]),
        dtstamp=event.decoded("DTSTAMP"),
        organizer=str(event["ORGANIZER"]),
        attendee=attendee.removeprefix("mailto:"),
        status=str(event["STATUS"]),
        starts_at=event.decoded("DTSTART"),
        ends_at=event.decoded("DTEND"),
        place=str(event["LOCATION"]),
        text=words(f"{event['SUMMARY']}\n{event['DESCRIPTION']}"),
    )


def unfolded(octets: bytes) -> str:
    return octets.decode("utf-8").replace("\r\n ", "")


def words(text: str) -> str:
    """Without links, which are a reader's own, and without empty lines."""
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(
        line
        for line in lines
        if line and not line.startswith(("https://", "Répondre", "Answer"))
    )


@dataclass
class Story:
    """One visit in a database of its own."""

    session: Session
    world: rows.World
    die: random.Random
    network: Network
    now: datetime = rows.NOW
    visit: int = 0
    offer: Any = TEXT
    done: Counter[str] = field(default_factory=Counter)

    @property
    def school(self) -> dict[str, Any]:
        return {"by": self.world.teacher.actor, "now": self.now}

    @property
    def host(self) -> dict[str, Any]:
        return {"by": self.world.coordinator.actor, "now": self.now}

    def slot(self) -> int:
        return self.die.choice(self.world.slots)

    def play(self) -> None:
        self.visit = rows.ask(
            self.session, self.world, arrangements=NEEDS, message=WORDS
        )
        for _ in range(self.die.randint(3, STEPS)):
            self.now += timedelta(seconds=self.die.choice([0, 1, 300]))
            self.step()
            if self.die.random() < 0.4:
                self.post()
                self.network.deliver(self.die.choice([0.0, 0.5, 1.0]))
        self.post()
        self.network.deliver(1.0)

    def step(self) -> None:
        """One that the rules allow, of some that are tried."""
        for name in self.die.choices(MOVES, k=TRIES):
            try:
                getattr(self, name)()
            except Refusal:
                self.session.rollback()
            else:
                self.done[name] += 1
                return

    def post(self) -> None:
        delivery.deliver_due(
            self.session, COMPOSE, self.network, now=lambda: self.now, limit=500
        )

    # -------------------------------------------------------------- steps

    def accept(self) -> None:
        answers.accept_visit(self.session, self.visit, **self.host)

    def decline(self) -> None:
        answers.decline_visit(
            self.session, self.visit, reason=DeclineReason.DATE, note="", **self.host
        )

    def propose(self) -> None:
        answers.propose_slots(
            self.session, self.visit, [self.slot()], note="", **self.host
        )

    def choose(self) -> None:
        found = visits.proposals_for(self.session, self.visit)
        offered = [each.slot_id for each in found] or [0]
        self.session.rollback()
        requests.choose_slot(
            self.session, self.visit, self.die.choice(offered), **self.school
        )

    def withdraw(self) -> None:
        requests.withdraw_visit(self.session, self.visit, **self.school)

    def expire(self) -> None:
        due = self.session.get_one(VisitRow, self.visit).answer_due_at
        self.session.rollback()
        if due is not None and self.die.random() < 0.5:
            self.now = max(self.now, due)
            clockwork.expire_requests(self.session, now=self.now)

    def move(self) -> None:
        requests.move_visit(self.session, self.visit, self.slot(), **self.school)

    def numbers(self) -> None:
        party = Party(students=self.die.randint(1, 25), adults=2)
        requests.change_numbers(
            self.session, self.visit, party, arrangements=NEEDS, **self.school
        )

    def cancel_by_school(self) -> None:
        requests.cancel_by_school(
            self.session, self.visit, reason=CancelReason.COST, note="", **self.school
        )

    def cancel_by_host(self) -> None:
        answers.cancel_by_host(
            self.session, self.visit, reason=CancelReason.COST, note="", **self.host
        )

    def ask_again(self) -> None:
        requests.ask_again(self.session, self.visit, **self.school)

    def offer_again(self) -> None:
        answers.offer_again(self.session, self.visit, note="", **self.host)

    def change_slot(self) -> None:
        day = date(2027, 1, 11) + timedelta(days=self.die.choice([0, 1, 3, 4, 8, 9]))
        hour = self.die.randint(8, 11)
        times = SlotTimes(
            day=day, starts=time(hour), ends=time(hour + 2), place="2 rue des Essais"
        )
        slots.change_slot(
            self.session, self.slot(), times, wanted=SeatsWanted(), **self.host
        )

    def change_offer(self) -> None:
        self.offer = offers.OfferText(
            **{
                **{name: getattr(TEXT, name) for name in TEXT.__dataclass_fields__},
                "max_students": 30,
                "subgroup_size": 15,
                "wear": self.die.choice(["des bottes", "un gilet"]),
                "arrival": self.die.choice(["Portail bleu", "Portail vert"]),
            }
        )
        offers.change_offer(self.session, self.world.offer, self.offer, **self.host)

    def addresses(self) -> None:
        students.set_addresses(
            self.session,
            self.visit,
            self.die.sample(FORMS, self.die.randint(0, 3)),
            list_address=self.die.choice(["", LIST]),
            **self.school,
        )

    def add_contact(self) -> None:
        contacts.add_contact(
            self.session,
            self.world.host,
            name="Nour Lebreton",
            email="nour@example.org",
            phone="02 61 91 00 09",
            **self.host,
        )

    def _contact(self) -> int:
        found = access.contacts_of(self.session, self.world.host)
        chosen = self.die.choice([each.person_id for each in found])
        self.session.rollback()
        return chosen

    def remove_contact(self) -> None:
        contacts.remove_contact(
            self.session, self.world.host, self._contact(), **self.host
        )

    def put_first(self) -> None:
        contacts.put_first(self.session, self.world.host, self._contact(), **self.host)

    def hand_over(self) -> None:
        to = self.die.choice([self.world.teacher, self.world.colleague])
        requests.hand_over(self.session, self.visit, to.id, **self.school)

    # -------------------------------------------------------------- the truth

    def truth(self) -> dict[str, tuple[object, ...]]:
        self.session.rollback()
        visit = visits.visit_to_show(self.session, self.visit)
        people = access.contacts_of(self.session, self.world.host)
        facts = snapshot(self.session, visit, locale="fr", contacts=people)
        seal = seal_of(self.session)
        members: dict[Audience, list[str]] = {
            Audience.TEACHER: [visit.organiser.email],
            Audience.HOST: [each.person.email for each in people],
            Audience.STUDENT: [
                seal.open(each.address)
                for each in visits.addressees_of(self.session, visit.id)
            ],
        }
        found = {}
        for audience, addresses in members.items():
            status = standing(visit.state, audience)
            if status is None:
                continue
            said = COMPOSE.occasion(
                facts,
                audience=audience.value,
                locale="fr",
                uid="any",
                sequence=0,
                dtstamp=self.now,
            )
            shown = (
                said.starts_at,
                said.ends_at,
                said.location,
                status.value,
                words(f"{said.summary}\n{said.description}"),
            )
            found |= dict.fromkeys(addresses, shown)
        return found

    def check(self) -> None:
        seen = {
            address: [each.shown for each in client.visible]
            for address, client in self.network.clients.items()
            if client.visible
        }
        assert seen == {address: [shown] for address, shown in self.truth().items()}
        self.check_students_entries()

    def check_students_entries(self) -> None:
        """What many may read names the teacher alone, and no telephone."""
        people = list(self.session.query(PersonRow))
        teachers = {self.world.teacher.name, self.world.colleague.name}
        hidden = {each.name for each in people} - teachers
        hidden |= {each.phone for each in people if each.phone} | {NEEDS, WORDS}
        for address in (*FORMS, LIST):
            client = self.network.clients.get(address, Client(address))
            for mail in client.events.values():
                assert not [each for each in hidden if each in mail.text]


MOVES = (
    *["accept"] * 6,
    "decline",
    "propose",
    *["choose"] * 3,
    "withdraw",
    "expire",
    *["move"] * 3,
    "numbers",
    "cancel_by_school",
    "cancel_by_host",
    *["ask_again"] * 3,
    *["offer_again"] * 3,
    *["change_slot"] * 2,
    "change_offer",
    *["addresses"] * 3,
    "add_contact",
    "remove_contact",
    "put_first",
    "hand_over",
)


@pytest.fixture(scope="module")
def stage(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory):
    """A database with the world in it, to be copied for each history."""
    file = tmp_path_factory.mktemp("stage") / "world.db"
    shutil.copyfile(sqlite_template, file)
    engine = make_engine(f"sqlite:///{file}")
    with make_session(engine, Seal(("a key",))) as session:
        session.info["house"] = House(link_key=b"key", mail_domain="visits.example")
        world = rows.store_world(session)
    engine.dispose()
    return file, world


def play(stage: tuple[Path, rows.World], file: Path, *, seed: int) -> Story:
    """One history, checked at its end."""
    template, world = stage
    shutil.copyfile(template, file)
    engine = make_engine(f"sqlite:///{file}")
    die = random.Random(seed)
    with make_session(engine, Seal(("a key",))) as session:
        session.info["house"] = House(link_key=b"key", mail_domain="visits.example")
        story = Story(session, world, die, Network(die))
        story.play()
        story.check()
    engine.dispose()
    return story


@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_every_calendar_shows_the_truth_through_the_whole_stack(stage, tmp_path, share):
    done: Counter[str] = Counter()

    for seed in range(share, HISTORIES, SHARES):
        story = play(stage, tmp_path / "visits.db", seed=seed)
        done += story.done
        for octets in story.network.octets[:SAMPLED]:
            assert vobject.readOne(octets.decode("utf-8")).validate()

    assert {"accept", "move", "change_slot", "addresses", "hand_over"} <= set(done)
