"""Answers that are taken together mean what they mean one by one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from scheduler.demo.replies import Reply
from scheduler.domain.answers import Answer
from scheduler.domain.visits import VisitState
from scheduler.mail.mailboxes import Arrived, Maildir, Unreadable
from scheduler.persistence.engine import make_session
from scheduler.persistence.models.offers import OfferRow
from scheduler.persistence.models.received import ReceivedRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.sealed import seal_of
from scheduler.services import inbox
from scheduler.services.house import house_of
from scheduler.services.students import set_addresses
from tests import rows
from tests.mail import imap_server
from tests.mail.test_mailboxes import mailbox, put
from tests.replies import LATER, invitation, reply
from tests.rows import NOW, World
from tests.services.letters import messages
from tests.services.test_inbox import a_report, ensure_host_invited

CLASS = tuple(f"eleve{number}@example.org" for number in range(6))


@dataclass
class Bag:
    """A mailbox whose connection may break after what is in it."""

    octets: list[bytes]
    breaks: bool = False
    put_away: list[int] = field(default_factory=list)

    def arrived(self) -> Iterator[Arrived]:
        for number, octets in enumerate(self.octets):
            yield Arrived(
                octets=octets,
                size=len(octets),
                put_away=lambda number=number: self.put_away.append(number),  # type: ignore[misc]
            )
        if self.breaks:
            raise Unreadable("connection_lost")

    def look(self) -> int:
        return len(self.octets)


@pytest.fixture
def visit(session: Session, world: World) -> int:
    """A confirmed visit to which six students are invited."""
    found = rows.visit_in(session, world, VisitState.CONFIRMED)
    set_addresses(session, found, list(CLASS), by=world.teacher.actor, now=NOW)
    return found


def read(session: Session, bag: Bag, **more: Any) -> int:
    return inbox.read_mailbox(session, bag, now=lambda: LATER, **more)


def codes(session: Session) -> list[str]:
    session.rollback()
    return sorted(session.scalars(select(ReceivedRow.code)))


def answers(session: Session, visit: int) -> list[Answer | None]:
    session.rollback()
    return [invitation(session, visit, each).answer for each in CLASS]


def test_all_are_kept_counted_and_put_away(session, visit):
    bag = Bag([reply(session, visit, each) for each in CLASS])

    assert read(session, bag) == len(CLASS)

    assert answers(session, visit) == [Answer.ACCEPTED] * len(CLASS)
    assert bag.put_away == list(range(len(CLASS)))


def test_together_they_ask_the_database_no_more_than_one(session, visit, engine):
    one, *more = [reply(session, visit, each) for each in CLASS]

    alone = asked(engine, lambda: read(session, Bag([one])))
    together = asked(engine, lambda: read(session, Bag(more)))

    assert together == alone


def test_a_copy_among_them_is_known(session, visit):
    octets = reply(session, visit, CLASS[0])
    other_way = b"Received: from elsewhere\r\n" + octets

    read(session, Bag([octets, octets, other_way]))

    assert codes(session) in (
        ["accepted", "already_read"],
        ["accepted", "older_answer"],
    )


def test_the_newer_of_two_answers_counts(session, visit):
    minute = timedelta(minutes=1)
    yes = reply(session, visit, CLASS[0], at=LATER - minute)
    no = reply(session, visit, CLASS[0], Reply.DECLINE)

    read(session, Bag([no, yes]))

    assert answers(session, visit)[0] is Answer.DECLINED
    assert codes(session) == ["declined", "older_answer"]


def test_one_that_breaks_stops_no_other(session, visit, monkeypatch):
    real = inbox.note_answer

    def broken(session: Session, invitation: Any, *args: Any, **more: Any) -> None:
        if invitation.id == wrong:
            raise RuntimeError("broken")
        real(session, invitation, *args, **more)

    wrong = invitation(session, visit, CLASS[2]).id
    monkeypatch.setattr(inbox, "note_answer", broken)
    bag = Bag([reply(session, visit, each) for each in CLASS])

    read(session, bag)

    assert codes(session) == ["accepted"] * 5 + ["broken"]
    assert answers(session, visit).count(Answer.ACCEPTED) == 5
    assert len(bag.put_away) == len(CLASS)


def test_a_decision_and_a_report_among_them_are_taken_in_their_turn(
    session, visit, world
):
    asked_for = rows.ask(
        session, world, slot=world.slots[1], school_class=world.second_class
    )
    ensure_host_invited(session, asked_for, world)
    row = messages(session)[-1]
    bag = Bag(
        [
            reply(session, visit, CLASS[0]),
            reply(session, asked_for, world.contact.email, audience="host"),
            reply(session, visit, CLASS[1], Reply.DECLINE),
            a_report(session, row),
            reply(session, visit, CLASS[2]),
        ]
    )

    assert read(session, bag) == 5

    session.rollback()
    assert session.get_one(VisitRow, asked_for).state is VisitState.CONFIRMED
    assert codes(session).count("accepted") == 3
    assert bag.put_away == [0, 1, 2, 3, 4]


def test_the_teacher_hears_once_of_a_fall(session, visit, world):
    session.get_one(OfferRow, world.offer).min_students = 22
    session.commit()

    read(session, Bag([reply(session, visit, each, Reply.DECLINE) for each in CLASS]))
    read(session, Bag([reply(session, visit, CLASS[0], Reply.DECLINE)]))

    kinds = [row.kind for row in messages(session)]
    assert kinds.count("too_few_come") == 1


def test_what_was_fetched_before_the_connection_broke_is_read(session, visit):
    bag = Bag([reply(session, visit, each) for each in CLASS[:2]], breaks=True)

    with pytest.raises(Unreadable):
        read(session, bag)

    assert codes(session) == ["accepted", "accepted"]
    assert bag.put_away == [0, 1]


def test_a_connection_that_breaks_at_once_is_told(session):
    with pytest.raises(Unreadable):
        read(session, Bag([], breaks=True))


def test_a_stop_ends_with_what_was_fetched(session, visit):
    bag = Bag([reply(session, visit, each) for each in CLASS])

    assert read(session, bag, stopping=lambda: True) == 1

    assert bag.put_away == [0]


def test_large_letters_are_not_gathered(session, visit, monkeypatch):
    monkeypatch.setattr(inbox, "OCTETS_TOGETHER", 1000)
    bag, waiting = Bag([reply(session, visit, each) for each in CLASS]), []

    class Watched(Bag):
        def arrived(self) -> Iterator[Arrived]:
            for number, each in enumerate(super().arrived()):
                waiting.append(number - len(self.put_away))
                yield each

    assert read(session, Watched(bag.octets)) == len(CLASS)

    assert max(waiting) <= 1


def test_two_readers_of_one_mailbox_act_once(
    session: Session, visit: int, engine: Engine, tmp_path: Path
) -> None:
    box = Maildir(folder=tmp_path / "answers")
    for number, each in enumerate(CLASS):
        box.deliver(reply(session, visit, each), name=f"{number}.a")
        box.deliver(b"From: a@example.org\r\n\r\nOui %d" % number, name=f"{number}.b")
    session.rollback()

    def read_own(_number: int) -> int:
        with make_session(engine, seal_of(session)) as own:
            own.info["house"] = house_of(session)
            return inbox.read_mailbox(own, box, now=lambda: LATER)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read_own, range(4)))

    assert len(codes(session)) == 2 * len(CLASS)
    assert codes(session).count("accepted") == len(CLASS)
    assert box.look() == 0


def asked(engine: Engine, work: Any) -> int:
    """How many SELECTs it takes."""
    said: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return sum(each.startswith("SELECT") for each in said)


@pytest.mark.parametrize("done_folder", ["", "Done"])
def test_what_was_read_over_imap_is_put_away(session, tmp_path, done_folder):
    """While the connection is there, though several are taken together."""
    with imap_server.running(tmp_path) as server:
        put(server, b"Subject: one\r\n\r\nHi\r\n", b"Subject: two\r\n\r\nHi\r\n")
        box = mailbox(server, done_folder=done_folder)

        assert inbox.read_mailbox(session, box, now=lambda: LATER) == 2

        assert box.look() == 0
        assert inbox.read_mailbox(session, box, now=lambda: LATER) == 0
