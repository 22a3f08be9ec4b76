"""What comes back by mail changes what it must, once, and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from scheduler.demo.replies import Client, Reply
from scheduler.domain.announcements import Audience
from scheduler.domain.answers import Answer, AnswerWay, Effect
from scheduler.domain.visits import VisitState
from scheduler.mail.mailboxes import ENOUGH
from scheduler.persistence.engine import make_session
from scheduler.persistence.models.offers import OfferRow
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.received import ReceivedRow
from scheduler.persistence.models.visits import InvitationRow, VisitRow
from scheduler.persistence.sealed import Seal, seal_of
from scheduler.services import bounces, inbox
from scheduler.services.headcount import count_of
from scheduler.services.house import House
from scheduler.services.students import set_addresses
from tests import rows
from tests.replies import LATER, invitation, reply
from tests.rows import NOW, World
from tests.services.letters import invite, messages

LEA, TOM, ZOE = "lea@example.org", "tom@example.org", "zoe@example.org"


@pytest.fixture
def visit(session: Session, world: World) -> int:
    """A confirmed visit to which three students are invited."""
    found = rows.visit_in(session, world, VisitState.CONFIRMED)
    set_addresses(session, found, [LEA, TOM, ZOE], by=world.teacher.actor, now=NOW)
    return found


def letters(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(MessageRow)) or 0


def kept(session: Session) -> list[ReceivedRow]:
    session.rollback()
    return list(
        session.scalars(
            select(ReceivedRow)
            .order_by(ReceivedRow.id)
            .execution_options(populate_existing=True)
        )
    )


@pytest.mark.parametrize("client", list(Client))
@pytest.mark.parametrize(
    "meant",
    [
        (Reply.ACCEPT, Effect.ACCEPT, Answer.ACCEPTED),
        (Reply.TENTATIVE, Effect.TENTATIVE, Answer.TENTATIVE),
        (Reply.DECLINE, Effect.DECLINE, Answer.DECLINED),
    ],
)
def test_an_answer_is_kept(session, visit, client, meant):
    said, effect, answer = meant
    before = letters(session)

    done = inbox.receive(session, reply(session, visit, LEA, said, client), now=LATER)

    assert (done.effect, done.visit_id, done.person) == (effect, visit, LEA)
    row = invitation(session, visit, LEA)
    assert (row.answer, row.answer_way) == (answer, AnswerWay.MAIL)
    assert (row.answered_at, row.answer_dtstamp) == (LATER, LATER)
    assert letters(session) == before


def test_a_comment_is_sealed(session, visit, seal):
    octets = reply(session, visit, LEA, Reply.DECLINE, comment="Dentiste, désolée")

    inbox.receive(session, octets, now=LATER)

    row = invitation(session, visit, LEA)
    assert "Dentiste" not in row.answer_comment
    assert seal.open(row.answer_comment).startswith("Dentiste, désolée")


def test_the_same_octets_change_nothing_twice(session, visit):
    octets = reply(session, visit, LEA, Reply.ACCEPT)
    inbox.receive(session, octets, now=LATER)
    inbox.receive(session, reply(session, visit, LEA, Reply.DECLINE), now=LATER)

    again = inbox.receive(session, octets, now=LATER + timedelta(days=1))

    assert (again.effect, again.code) == (Effect.IGNORE, "already_read")
    assert again.visit_id == visit
    assert len(kept(session)) == 2


def test_a_second_copy_by_another_way_is_known_by_its_id(session, visit):
    octets = reply(session, visit, LEA, Reply.ACCEPT)
    inbox.receive(session, octets, now=LATER)

    copy = b"Received: from elsewhere\r\n" + octets
    again = inbox.receive(session, copy, now=LATER)

    assert (again.effect, again.code) in {
        (Effect.IGNORE, "already_read"),
        (Effect.IGNORE, "older_answer"),
    }
    assert len(kept(session)) == 2


def test_answers_count_in_the_order_they_were_given(session, visit):
    late = reply(session, visit, LEA, Reply.ACCEPT, at=LATER)
    newer = reply(session, visit, LEA, Reply.DECLINE, at=LATER + timedelta(minutes=1))

    inbox.receive(session, newer, now=LATER + timedelta(minutes=2))
    done = inbox.receive(session, late, now=LATER + timedelta(minutes=3))

    assert (done.effect, done.code) == (Effect.IGNORE, "older_answer")
    assert invitation(session, visit, LEA).answer is Answer.DECLINED


def test_an_answer_to_the_earlier_time_is_noted_only(session, visit, world):
    octets = reply(session, visit, LEA, Reply.ACCEPT)
    rows.change_time(session, world, now=LATER)

    done = inbox.receive(session, octets, now=LATER)

    assert (done.effect, done.code) == (Effect.IGNORE, "earlier_version")
    assert invitation(session, visit, LEA).answer is None


def test_somebody_else_cannot_answer(session, visit):
    octets = reply(session, visit, LEA).replace(
        f"From: {LEA}".encode(), f"From: {TOM}".encode()
    )

    done = inbox.receive(session, octets, now=LATER)

    assert (done.effect, done.code) == (Effect.IGNORE, "wrong_sender")
    assert done.for_person
    assert invitation(session, visit, LEA).answer is None
    row = kept(session)[0]
    assert TOM not in row.sender
    assert seal_of(session).open(row.sender) == TOM


def test_a_rehearsal_changes_nothing(session, visit):
    octets = reply(session, visit, LEA, Reply.DECLINE)

    tried = inbox.rehearse(session, octets, now=LATER)

    assert (tried.effect, tried.visit_id) == (Effect.DECLINE, visit)
    assert kept(session) == []
    assert invitation(session, visit, LEA).answer is None
    assert inbox.receive(session, octets, now=LATER).effect is Effect.DECLINE


def test_a_host_accepts_by_calendar(session, world):
    visit = rows.ask(session, world)
    ensure_host_invited(session, visit, world)

    done = inbox.receive(
        session, reply(session, visit, world.contact.email, audience="host"), now=LATER
    )

    assert done.effect is Effect.ACCEPT
    assert session.get_one(VisitRow, visit).state is VisitState.CONFIRMED


def test_a_host_declines_by_calendar_with_a_word(session, world):
    visit = rows.ask(session, world)
    ensure_host_invited(session, visit, world)
    octets = reply(
        session,
        visit,
        world.contact.email,
        Reply.DECLINE,
        audience="host",
        comment="Arrêt de l’atelier ce jour-là",
    )

    done = inbox.receive(session, octets, now=LATER)

    row = session.get_one(VisitRow, visit)
    assert done.effect is Effect.DECLINE
    assert (row.state, row.reason) == (VisitState.DECLINED, "other")
    assert row.note.startswith("Arrêt de l’atelier")


def test_a_host_who_declines_without_a_word_has_a_sentence(session, world):
    visit = rows.ask(session, world)
    ensure_host_invited(session, visit, world)
    octets = reply(session, visit, world.contact.email, Reply.DECLINE, audience="host")

    inbox.receive(session, octets, now=LATER)

    assert session.get_one(VisitRow, visit).note.startswith("Refusé depuis son agenda")


def test_what_the_rules_refuse_is_set_aside(session, world):
    visit = rows.ask(session, world)
    ensure_host_invited(session, visit, world)
    octets = reply(session, visit, world.contact.email, audience="host")
    session.get_one(VisitRow, visit).slot_id = world.other_slot
    session.commit()

    done = inbox.receive(session, octets, now=LATER)

    assert done.effect is Effect.IGNORE
    assert done.for_person
    assert session.get_one(VisitRow, visit).state is VisitState.REQUESTED
    assert [row.for_person for row in kept(session)] == [True]
    assert invitation(session, visit, world.contact.email, audience="host").answer is (
        None
    )


def test_a_host_who_declines_a_confirmed_visit_cancels_nothing(session, visit, world):
    octets = reply(session, visit, world.contact.email, Reply.DECLINE, audience="host")

    done = inbox.receive(session, octets, now=LATER)

    assert done.effect is Effect.DECLINE
    assert session.get_one(VisitRow, visit).state is VisitState.CONFIRMED


def test_another_time_is_a_proposal(session, visit, world):
    octets = reply(
        session, visit, world.contact.email, Reply.OTHER_TIME, audience="host"
    )

    done = inbox.receive(session, octets, now=LATER)

    assert (done.effect, done.code) == (Effect.IGNORE, "counter")
    assert done.proposed is not None
    row = kept(session)[0]
    assert (row.proposed_starts_at, row.proposed_ends_at) == done.proposed
    assert row.for_person


def test_a_bounce_ends_the_letter(session, visit):
    row = messages(session)[-1]
    octets = a_report(session, row)

    done = inbox.receive(session, octets, now=LATER)

    assert (done.effect, done.visit_id) == (Effect.BOUNCE, visit)
    after = messages(session)[-1]
    assert (after.state, after.bounce_status) == (MessageState.DEAD, "5.1.1")
    assert kept(session)[0].bounced_id == row.id


def test_the_teacher_hears_once_that_too_few_come(session, visit, world):
    offer = session.get_one(OfferRow, world.offer)
    offer.min_students = 23
    session.commit()

    inbox.receive(session, reply(session, visit, LEA, Reply.DECLINE), now=LATER)
    assert kinds(session).count("too_few_come") == 0
    inbox.receive(session, reply(session, visit, TOM, Reply.DECLINE), now=LATER)
    inbox.receive(session, reply(session, visit, ZOE, Reply.DECLINE), now=LATER)

    assert kinds(session).count("too_few_come") == 1
    told = messages(session)[-1]
    assert told.payload["count"]["minimum"] == 23
    assert told.payload["count"]["at_most"] == 22
    assert session.get_one(VisitRow, visit).below_minimum_at == LATER


def test_a_group_that_grew_again_may_fall_again(session, visit, world):
    session.get_one(OfferRow, world.offer).min_students = 24
    session.commit()

    for minutes, said in enumerate((Reply.DECLINE, Reply.ACCEPT, Reply.DECLINE)):
        at = LATER + timedelta(minutes=minutes)
        inbox.receive(session, reply(session, visit, LEA, said, at=at), now=at)

    assert kinds(session).count("too_few_come") == 2


def test_the_count_follows_the_answers(session, visit):
    inbox.receive(session, reply(session, visit, LEA, Reply.ACCEPT), now=LATER)
    inbox.receive(session, reply(session, visit, TOM, Reply.DECLINE), now=LATER)

    counted = count_of(session, visit)

    assert (counted.coming, counted.not_coming, counted.silent) == (1, 1, 1)


def test_one_message_that_breaks_stops_no_other(session, visit, monkeypatch):
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(inbox, "note_answer", broken)
        done = inbox.receive(session, reply(session, visit, LEA), now=LATER)

    assert (done.effect, done.code) == (Effect.IGNORE, "broken")
    after = inbox.receive(session, reply(session, visit, TOM), now=LATER)
    assert after.effect is Effect.ACCEPT


def test_two_readers_at_once_act_once(
    session: Session, visit: int, engine: Engine, seal: Seal, house: House
) -> None:
    octets = reply(session, visit, LEA, Reply.DECLINE)
    session.rollback()

    def read(_number: int) -> str:
        with make_session(engine, seal) as own:
            own.info["house"] = house
            return inbox.receive(own, octets, now=LATER).code

    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(read, range(4)))

    assert codes == ["already_read", "already_read", "already_read", "declined"]
    assert len(kept(session)) == 1


def test_a_huge_message_is_refused_unread(session):
    done = inbox.receive(
        session, b"Subject: big\r\n\r\n" + b"x" * ENOUGH, now=LATER, size=30_000_000
    )

    assert (done.effect, done.code) == (Effect.REJECT, "too_large")
    assert kept(session)[0].size == 30_000_000


def kinds(session: Session) -> list[str]:
    return [row.kind for row in messages(session)]


def ensure_host_invited(session: Session, visit: int, world: World) -> None:
    """A request that sits in the host's calendar, for the answer to come from there."""
    address = world.contact.email
    digest = seal_of(session).digest(address)
    known = session.scalars(
        select(InvitationRow).where(
            InvitationRow.visit_id == visit, InvitationRow.address_digest == digest
        )
    ).one_or_none()
    if known is None:
        number = invite(session, visit, address, now=NOW)
        row = session.get_one(InvitationRow, number)
        row.audience, row.person_id = Audience.HOST, world.contact.id
        session.commit()


def a_report(session: Session, row: MessageRow) -> bytes:
    """A delivery report for that letter, to its return address."""
    house = session.info["house"]
    back = bounces.return_address(house, row.id, row.message_id)
    return "\r\n".join(
        [
            "From: MAILER-DAEMON@mx.example.net",
            f"To: {back}",
            "Subject: Undelivered Mail Returned to Sender",
            "Message-ID: <bounce-1@mx.example.net>",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            "Content-Type: multipart/report; report-type=delivery-status;",
            ' boundary="edge"',
            "",
            "--edge",
            "Content-Type: text/plain",
            "",
            "No such user.",
            "--edge",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.example.net",
            "",
            "Final-Recipient: rfc822; lea@example.org",
            "Action: failed",
            "Status: 5.1.1",
            "Diagnostic-Code: smtp; 550 5.1.1 No such user",
            "",
            "--edge--",
            "",
        ]
    ).encode()
