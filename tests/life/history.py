"""The life of one visit, as the rules and the table have it, without a database.

Rules (``domain.visits``), table (``domain.announcements``) and what it does to one
calendar (``domain.invitations``) are the service's own. Modelled here: who belongs to
the visit, the outbox with its superseding, and a network that is late, sends twice and
turns the order round. ``test_whole_stack`` plays the same with the database, the real
outbox and the real octets.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from scheduler.domain import visits as rules
from scheduler.domain.announcements import (
    TELLINGS,
    Audience,
    Change,
    standing,
)
from scheduler.domain.answers import Answer
from scheduler.domain.invitations import Invitation, reached, revised
from scheduler.domain.parties import Party
from scheduler.domain.visits import (
    CancelReason,
    DeclineReason,
    Step,
    Visit,
    VisitState,
)
from tests.life.client import NOT_ASKED, Client, Mail

START = datetime(2027, 3, 1, 8, tzinfo=UTC)
ORGANIZER = "visites@example.org"
TEACHERS = ("t1@school.example", "t2@school.example")
CONTACTS = ("h1@host.example", "h2@host.example", "h3@host.example")
STUDENTS = ("s1@example.net", "s2@example.net", "s3@example.net")
LIST = "list@example.net"
LONGEST = 14
# Where the offer confirms by itself, and out of a campaign.
BEGINS = (Change.CONFIRMED, Change.CONFIRMED, Change.ALLOCATED)


@dataclass(frozen=True)
class Reader:
    audience: Audience
    address: str
    shared: bool = False


@dataclass
class Waiting:
    """A row of the outbox: one mail for one calendar."""

    key: tuple[Audience, str]
    mail: Mail


@dataclass
class History:
    """One visit, everybody's calendar, and a die."""

    die: random.Random
    now: datetime = START
    slots: list[tuple[datetime, datetime, str]] = field(default_factory=list)
    offer_words: int = 0
    organiser: str = TEACHERS[0]
    contacts: list[str] = field(default_factory=lambda: list(CONTACTS[:2]))
    students: dict[str, bool] = field(default_factory=dict)
    held: dict[tuple[Audience, str], Invitation] = field(default_factory=dict)
    outbox: list[Waiting] = field(default_factory=list)
    under_way: list[Mail] = field(default_factory=list)
    clients: dict[str, Client] = field(default_factory=dict)
    changes: Counter[Change] = field(default_factory=Counter)
    late: int = 0

    def __post_init__(self) -> None:
        self.slots = [self.some_slot(number) for number in range(3)]
        self.visit = Visit(
            id=1,
            state=VisitState.REQUESTED,
            slot_id=0,
            party=Party(students=9, adults=2),
        )
        for address in self.die.sample(STUDENTS, self.die.randint(0, 2)):
            self.students[address] = False

    def some_slot(self, number: int) -> tuple[datetime, datetime, str]:
        # March: the change of the clocks lies between the first and the last.
        starts_at = START + timedelta(
            days=self.die.randint(20, 32), hours=self.die.randint(0, 7)
        )
        ends_at = starts_at + timedelta(hours=self.die.randint(1, 3))
        return starts_at, ends_at, f"{number} rue {self.die.randint(1, 9)}"

    # -------------------------------------------------------------- the play

    def play(self) -> None:
        """Some steps, then everything that is still to be sent and delivered."""
        begun = self.die.choice([*[Change.REQUESTED] * 7, *BEGINS])
        if begun is Change.CONFIRMED:
            self.visit = rules.accept(self.visit)
        self.tell(begun)
        for _ in range(self.die.randint(1, LONGEST)):
            self.now += timedelta(seconds=self.die.choice([0, 0, 1, 3600]))
            self.die.choice(MOVES)(self)
            self._post_goes(self.die.choice([0.0, 0.3, 1.0]))
        self._post_goes(1.0)
        self._deliver(1.0)

    def _post_goes(self, share: float) -> None:
        """Some of what waits is handed over; some of that arrives, one way or other."""
        for each in list(self.outbox):
            if self.die.random() < share:
                self.outbox.remove(each)
                copies = self.die.choice([1, 1, 1, 2])
                self.under_way += [each.mail] * copies
        self._deliver(self.die.choice([0.0, 0.5, 1.0]))

    def _deliver(self, share: float) -> None:
        self.die.shuffle(self.under_way)
        arriving = [each for each in self.under_way if self.die.random() < share]
        for each in arriving:
            self.under_way.remove(each)
            client = self.clients.setdefault(each.to, Client(each.to))
            before = client.taken
            client.receive(each)
            self.late += client.taken == before

    # -------------------------------------------------------------- telling

    def tell(self, change: Change, *, only: str | None = None) -> None:
        """What ``services.announce`` does, in memory."""
        self.changes[change] += 1
        for telling in TELLINGS[change]:
            current = self.current(telling.audience)
            holders = [
                Reader(audience, address, invitation.shared)
                for (audience, address), invitation in self.held.items()
                if audience is telling.audience and invitation.invited
            ]
            for reader in reached(telling, current=current, holders=holders):
                if only in {None, reader.address}:
                    self._tell_one(telling, reader)

    def _tell_one(self, telling, reader: Reader) -> None:
        key = (reader.audience, reader.address)
        revision = revised(
            self.held.get(key),
            telling,
            standing=standing(self.visit.state, reader.audience),
            shared=reader.shared,
            now=self.now,
        )
        if revision is None:
            return
        told = self.held[key] = revision.invitation
        # What waits for the same calendar is superseded (queries.outbox.supersede).
        self.outbox = [each for each in self.outbox if each.key != key]
        starts_at, ends_at, place = self.slots[self.visit.slot_id]
        mail = Mail(
            to=reader.address,
            method=revision.method.value,
            uid=f"{reader.audience}-{reader.address}",
            sequence=told.sequence,
            dtstamp=told.dtstamp,
            organizer=ORGANIZER,
            attendee="" if told.shared else reader.address,
            status=revision.status.value,
            starts_at=starts_at,
            ends_at=ends_at,
            place=place,
            text=self.text(reader.audience),
            partstat=told.answer.value.upper() if told.answer else NOT_ASKED,
        )
        self.outbox.append(Waiting(key, mail))

    def current(self, audience: Audience) -> list[Reader]:
        """Who belongs to the visit now (``announce._current``)."""
        if audience is Audience.TEACHER:
            return [Reader(audience, self.organiser)]
        if audience is Audience.HOST:
            return [Reader(audience, each) for each in self.contacts]
        if standing(self.visit.state, audience) is None:
            return []
        return [Reader(audience, *each) for each in self.students.items()]

    def text(self, audience: Audience) -> str:
        """What the words of an entry depend on, for each kind of reader."""
        said = [f"offer {self.offer_words}", self.organiser]
        if audience is not Audience.STUDENT:
            said += [self.contacts[0], f"{self.visit.party.students} students"]
        return ", ".join(said)

    # -------------------------------------------------------------- the truth

    def truth(self) -> dict[str, tuple[object, ...]]:
        """Address → what its calendar must show."""
        found = {}
        for audience in Audience:
            status = standing(self.visit.state, audience)
            if status is None:
                continue
            slot = self.slots[self.visit.slot_id]
            for reader in self.current(audience):
                if self._is_only_in_a_letter(reader):
                    continue
                found[reader.address] = (*slot, status.value, self.text(audience))
        return found

    def _is_only_in_a_letter(self, reader: Reader) -> bool:
        """A host reads of a campaign's visits in one letter, its calendar later."""
        return (
            self.changes[Change.ALLOCATED] > 0
            and self.visit.state is VisitState.REQUESTED
            and (reader.audience, reader.address) not in self.held
        )

    def seen(self) -> dict[str, list[tuple[object, ...]]]:
        """Address → what its calendar shows."""
        return {
            address: [each.shown for each in client.visible]
            for address, client in self.clients.items()
            if client.visible
        }


# ------------------------------------------------------------------ what may happen


def by(step: Step, change: Change, moving: Change | None = None) -> Callable:
    """A step of the table of states; refused ones leave everything as it is."""

    def move(history: History) -> None:
        visit = history.visit
        if not rules.may(visit, step):
            return
        was_moving = visit.state is VisitState.MOVING
        history.visit = DO[step](history)
        history.tell(moving if was_moving and moving else change)

    return move


def _other(history: History) -> int:
    return history.die.choice(
        [each for each in range(3) if each != history.visit.slot_id]
    )


def _numbers(history: History) -> Visit:
    students = history.die.randint(1, 30)
    party = replace(history.visit.party, students=students)
    return rules.change_numbers(history.visit, party=party)


DO: dict[Step, Callable[[History], Visit]] = {
    Step.ACCEPT: lambda h: rules.accept(h.visit),
    Step.DECLINE: lambda h: rules.decline(h.visit, reason=DeclineReason.DATE, note=""),
    Step.PROPOSE: lambda h: rules.propose(h.visit, note=""),
    Step.CHOOSE: lambda h: rules.choose(h.visit, slot_id=h.die.randrange(3)),
    Step.EXPIRE: lambda h: rules.expire(h.visit),
    Step.WITHDRAW: lambda h: rules.withdraw(h.visit),
    Step.CHANGE_NUMBERS: _numbers,
    Step.SWITCH: lambda h: rules.switch(h.visit, slot_id=_other(h)),
    Step.ASK_MOVE: lambda h: rules.ask_move(h.visit, slot_id=_other(h)),
    Step.MOVE_AT_ONCE: lambda h: rules.move_at_once(h.visit, slot_id=_other(h)),
    Step.CANCEL_BY_SCHOOL: lambda h: rules.cancel_by_school(
        h.visit, reason=CancelReason.COST, note="", late=False
    ),
    Step.CANCEL_BY_HOST: lambda h: rules.cancel_by_host(
        h.visit, reason=CancelReason.COST, note="", late=False
    ),
    Step.ASK_AGAIN: lambda h: rules.ask_again(h.visit),
    Step.OFFER_AGAIN: lambda h: rules.offer_again(h.visit, note=""),
}


def call_off(history: History) -> None:
    asked = not rules.may(history.visit, Step.CANCEL_BY_SCHOOL)
    by(Step.CANCEL_BY_HOST, Change.DECLINED if asked else Change.CANCELLED)(history)


def change_slot(history: History) -> None:
    """The host changes the slot that the visit is on, or wants to be on."""
    visit = history.visit
    if not rules.may(visit, Step.SLOT_CHANGED):
        return
    number = history.die.choice([visit.slot_id, visit.wanted_slot_id or visit.slot_id])
    history.slots[number] = history.some_slot(number)
    history.visit = rules.slot_changed(visit)
    here = number == visit.slot_id
    history.tell(Change.SLOT_CHANGED if here else Change.MOVE_ASKED)


def change_offer(history: History) -> None:
    history.offer_words += 1
    if history.visit.state in rules.HOLDS_SEATS:
        history.tell(Change.DETAILS_CHANGED)


def add_student(history: History) -> None:
    address = history.die.choice([*STUDENTS, LIST])
    if history.visit.state in rules.ENDED or address in history.students:
        return
    history.students[address] = address == LIST
    if history.visit.state in rules.INVITED:
        history.tell(Change.STUDENT_ADDED, only=address)


def remove_student(history: History) -> None:
    if history.visit.state in rules.ENDED or not history.students:
        return
    address = history.die.choice(list(history.students))
    if history.visit.state in rules.INVITED:
        history.tell(Change.STUDENT_REMOVED, only=address)
    del history.students[address]


def add_contact(history: History) -> None:
    new = [each for each in CONTACTS if each not in history.contacts]
    if not new:
        return
    history.contacts.append(new[0])
    if history.visit.state in rules.HOLDS_SEATS:
        history.tell(Change.CONTACT_ADDED, only=new[0])


def remove_contact(history: History) -> None:
    if len(history.contacts) == 1:
        return
    address = history.die.choice(history.contacts)
    first = history.contacts[0] == address
    ahead = history.visit.state in rules.HOLDS_SEATS
    if ahead:
        history.tell(Change.CONTACT_REMOVED, only=address)
    history.contacts.remove(address)
    if first and ahead:
        history.tell(Change.CONTACT_CHANGED)


def put_first(history: History) -> None:
    address = history.die.choice(history.contacts)
    if history.contacts[0] == address:
        return
    history.contacts.remove(address)
    history.contacts.insert(0, address)
    if history.visit.state in rules.HOLDS_SEATS:
        history.tell(Change.CONTACT_CHANGED)


def hand_over(history: History) -> None:
    if history.visit.state in rules.ENDED:
        return
    history.tell(Change.ORGANISER_LEFT)
    history.organiser = next(each for each in TEACHERS if each != history.organiser)
    history.tell(Change.ORGANISER_JOINED)


def remind(history: History) -> None:
    if history.visit.state in rules.INVITED:
        history.tell(history.die.choice([Change.WEEK_BEFORE, Change.EVE]))
    elif history.visit.state is VisitState.REQUESTED:
        history.tell(Change.ANSWER_OVERDUE)


def answer(history: History) -> None:
    """Somebody answers what is shown; an answer to an old version is not counted."""
    if not history.clients:
        return
    client = history.die.choice(list(history.clients.values()))
    said = history.die.choice(list(Answer))
    pressed = client.answer(said.value.upper())
    if pressed is None:
        return
    for key, held in history.held.items():
        if f"{key[0]}-{key[1]}" == pressed.uid and held.invited:
            if held.sequence == pressed.sequence:
                history.held[key] = replace(held, answer=said)
            return


MOVES: tuple[Callable[[History], None], ...] = (
    *[by(Step.ACCEPT, Change.CONFIRMED, Change.MOVED)] * 4,
    by(Step.DECLINE, Change.DECLINED, Change.MOVE_DECLINED),
    by(Step.PROPOSE, Change.PROPOSED),
    *[by(Step.CHOOSE, Change.CONFIRMED)] * 3,
    by(Step.EXPIRE, Change.EXPIRED, Change.MOVE_EXPIRED),
    by(Step.WITHDRAW, Change.WITHDRAWN, Change.MOVE_WITHDRAWN),
    by(Step.CHANGE_NUMBERS, Change.NUMBERS_CHANGED),
    by(Step.SWITCH, Change.REQUEST_SWITCHED),
    *[by(Step.ASK_MOVE, Change.MOVE_ASKED)] * 2,
    by(Step.MOVE_AT_ONCE, Change.MOVED),
    by(Step.CANCEL_BY_SCHOOL, Change.CANCELLED),
    call_off,
    *[by(Step.ASK_AGAIN, Change.REQUESTED_AGAIN)] * 3,
    *[by(Step.OFFER_AGAIN, Change.OFFERED_AGAIN)] * 3,
    change_slot,
    change_slot,
    change_offer,
    add_student,
    add_student,
    remove_student,
    add_contact,
    remove_contact,
    put_first,
    hand_over,
    remind,
    answer,
    answer,
)
