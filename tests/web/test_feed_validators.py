"""A calendar program that asks "anything new?" is never told no when there is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select

from scheduler.domain.feeds import FeedKind
from scheduler.domain.parties import Party
from scheduler.domain.visits import CancelReason, VisitState
from scheduler.persistence.models.access import FeedRow
from scheduler.persistence.models.network import (
    HostRow,
    OrganisationRow,
    SchoolClassRow,
)
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.services import contacts, feeds, offers, requests, subscriptions
from scheduler.services.feed_tokens import token_of_feed
from tests import rows
from tests.services.test_offers import TEXT

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPS = 16
# Who follows what: the organisation's name in ``rows.World``, "" for the campus.
FOLLOWERS = {
    FeedKind.TEACHER: ("teacher", "school"),
    FeedKind.HOST: ("contact", "host"),
}
# Invited to nothing: what nobody mailed must move here too.
LOOKERS_ON = {FeedKind.SCHOOL: ("colleague", "school")}


@dataclass(kw_only=True)
class Life:
    """The world, a clock, and everything that could change what a calendar says."""

    session: Any
    world: rows.World
    wall_clock: Any
    visits: list[int]
    die: Random

    @property
    def now(self):
        return self.wall_clock.at

    def change(self, name: str) -> None:
        self.session.rollback()
        getattr(self, name)()
        self.session.commit()

    def a_telephone(self) -> None:
        who = self.die.choice([self.world.contact, self.world.teacher])
        self.session.get_one(PersonRow, who.id).phone = f"0{self.die.randrange(10**9)}"

    def a_name(self) -> None:
        who = self.die.choice([self.world.contact, self.world.teacher])
        self.session.get_one(PersonRow, who.id).name = f"Nom {self.die.random()}"

    def a_language(self) -> None:
        for who in (self.world.contact, self.world.teacher):
            person = self.session.get_one(PersonRow, who.id)
            person.locale = self.die.choice(["fr", "en"])

    def a_label(self) -> None:
        row = self.session.get_one(SchoolClassRow, self.world.school_class)
        row.label = f"3e {self.die.random()}"

    def an_organisation(self) -> None:
        number = self.die.choice([self.world.school, self.world.host])
        self.session.get_one(OrganisationRow, number).name = f"Nom {self.die.random()}"

    def a_companys_number(self) -> None:
        self.session.get_one(HostRow, self.world.host).phone = str(self.die.random())

    def a_first_contact(self) -> None:
        world = self.world
        who = self.die.choice([world.contact, world.substitute])
        contacts.put_first(
            self.session, world.host, who.id, by=world.contact.actor, now=self.now
        )

    def words_of_the_offer(self) -> None:
        offers.change_offer(
            self.session,
            self.world.offer,
            replace(TEXT, meeting_point=f"Portail {self.die.random()}"),
            by=self.world.contact.actor,
            now=self.now,
        )

    def numbers(self) -> None:
        requests.change_numbers(
            self.session,
            self.visits[0],
            Party(students=self.die.randint(5, 14), adults=3),
            arrangements="",
            by=self.world.teacher.actor,
            now=self.now,
        )

    def a_cancellation(self) -> None:
        stands = self.session.get_one(VisitRow, self.visits[1]).state
        if stands is VisitState.CONFIRMED:
            requests.cancel_by_school(
                self.session,
                self.visits[1],
                reason=CancelReason.TRANSPORT,
                note="",
                by=self.world.teacher.actor,
                now=self.now,
            )

    def some_time(self) -> None:
        self.wall_clock.at += self.die.choice([HOUR, DAY, 8 * DAY])

    def nothing(self) -> None:
        pass


CHANGES = sorted(
    name
    for name, value in vars(Life).items()
    if callable(value) and not name.startswith("_") and name != "change"
)


def address_of(session, world, kind) -> str:
    if kind is None:
        return f"/feeds/{feeds.token_of_class(session, world.school_class)}.ics"
    name, organisation = (FOLLOWERS | LOOKERS_ON)[kind]
    person = getattr(world, name)
    subscriptions.open_feed(
        session, kind, getattr(world, organisation), by=person.actor, now=rows.NOW
    )
    row = session.scalars(select(FeedRow).where(FeedRow.kind == kind)).one()
    return f"/feeds/{token_of_feed(session, row)}.ics"


@pytest.mark.parametrize("kind", [None, *FOLLOWERS], ids=str)
def test_not_modified_never_hides_a_change(client, session, world, wall_clock, kind):
    visits = [
        rows.visit_in(session, world, VisitState.CONFIRMED),
        rows.visit_in(session, world, VisitState.CONFIRMED, slot=world.slots[1]),
    ]
    die = Random(f"validators of {kind}")
    life = Life(
        session=session, world=world, wall_clock=wall_clock, visits=visits, die=die
    )
    where = address_of(session, world, kind)
    known = [client.get(where)]
    steps = [*CHANGES, *die.choices(CHANGES, k=STEPS - len(CHANGES))]
    die.shuffle(steps)

    for step in steps:
        life.change(step)
        now = client.get(where)
        for old in (now, known[-1], die.choice(known)):
            same = old.data == now.data
            tag = {"If-None-Match": old.headers["ETag"]}
            date = {"If-Modified-Since": old.headers["Last-Modified"]}
            assert client.get(where, headers=tag).status_code == (304 if same else 200)
            by_date = client.get(where, headers=date).status_code
            assert by_date == 200 or same, step
            assert by_date == 304 or old is not now
        if now.data != known[-1].data:
            known.append(now)

    assert len(known) > len(CHANGES) // 2


@pytest.mark.parametrize("kind", [*FOLLOWERS, *LOOKERS_ON])
def test_another_first_contact_moves_the_entry(
    client, session, world, wall_clock, kind
):
    """A program keeps an old entry whose LAST-MODIFIED stands still."""
    rows.visit_in(session, world, VisitState.CONFIRMED)
    where = address_of(session, world, kind)
    (before,) = Calendar.from_ical(client.get(where).data).walk("VEVENT")
    wall_clock.at = rows.NOW + HOUR
    contacts.put_first(
        session,
        world.host,
        world.substitute.id,
        by=world.contact.actor,
        now=rows.NOW + HOUR,
    )

    (after,) = Calendar.from_ical(client.get(where).data).walk("VEVENT")

    assert after["LAST-MODIFIED"].dt >= rows.NOW + HOUR > before["LAST-MODIFIED"].dt
    assert after["SEQUENCE"] >= before["SEQUENCE"]
