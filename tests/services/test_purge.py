"""What is kept no longer: the retention table of DOMAIN 3.8, each line at its day."""

from __future__ import annotations

from datetime import time, timedelta

from sqlalchemy import select

from scheduler.domain.feeds import FeedKind
from scheduler.domain.localtime import instant
from scheduler.domain.visits import CancelReason, VisitState
from scheduler.persistence.models.access import FeedRow
from scheduler.persistence.models.campaigns import CampaignRow, WishListRow
from scheduler.persistence.models.journal import JournalRow
from scheduler.persistence.models.network import AbsenceRow, SchoolClassRow
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.received import ReceivedRow
from scheduler.persistence.models.visits import InvitationRow, VisitRow
from scheduler.persistence.queries.purge import FORGOTTEN
from scheduler.services import accounts, clockwork, inbox, requests, subscriptions
from tests import campaigns, rows
from tests.replies import invitation, reply

OVER = rows.TUESDAY + rows.TWO_HOURS
DAY = timedelta(days=1)


def all_sent(session):
    for message in session.scalars(select(MessageRow)):
        message.state = MessageState.SENT
    session.commit()


def test_needs_and_words_of_a_visit_go_after_thirty_days(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    row = session.get_one(VisitRow, visit)
    row.arrangements, row.message = "1 fauteuil", "Merci"
    all_sent(session)

    early = clockwork.purge_personal_data(session, now=OVER + 29 * DAY)
    late = clockwork.purge_personal_data(session, now=OVER + 30 * DAY)
    again = clockwork.purge_personal_data(session, now=OVER + 30 * DAY)

    assert (early["needs"], early["payloads"]) == (0, 0)
    assert late["needs"] == 1
    assert (again["needs"], again["payloads"]) == (0, 0)
    kept = session.get_one(VisitRow, visit, populate_existing=True)
    assert (kept.arrangements, kept.message) == ("", "")
    assert kept.students > 0
    assert {m.payload == {} for m in session.scalars(select(MessageRow))} == {True}


def test_unsent_mail_keeps_its_words(session, world):
    rows.visit_in(session, world, VisitState.CONFIRMED)

    clockwork.purge_personal_data(session, now=OVER + 30 * DAY)

    waiting = session.scalars(
        select(MessageRow).where(MessageRow.state == MessageState.WAITING)
    ).all()
    assert waiting
    assert all(message.payload for message in waiting)


def test_a_class_keeps_its_numbers_after_the_next_school_year(session, world):
    klass = session.scalars(select(SchoolClassRow)).first()
    students = klass.students
    first_of_september_2028 = rows.NOW.replace(year=2028, month=9, day=2)

    early = clockwork.purge_personal_data(
        session, now=first_of_september_2028.replace(month=8)
    )
    late = clockwork.purge_personal_data(session, now=first_of_september_2028)

    assert early["classes"] == 0
    assert late["classes"] > 0
    kept = session.get_one(SchoolClassRow, klass.id, populate_existing=True)
    assert (kept.label, kept.students, kept.active) == (FORGOTTEN, students, False)
    assert session.scalars(select(AbsenceRow)).all() == []


def test_a_teacher_is_forgotten_two_years_after_the_last_activity(session, world):
    """Asking for a visit is activity; the visit itself stays, without the name."""
    visit = rows.visit_in(session, world, VisitState.DONE)
    teacher = session.get_one(VisitRow, visit).organiser_id
    last = session.get_one(VisitRow, visit).updated_at

    early = clockwork.purge_personal_data(session, now=last + 730 * DAY)
    late = clockwork.purge_personal_data(session, now=last + 731 * DAY)

    person = session.get_one(PersonRow, teacher, populate_existing=True)
    assert early["people"] < late["people"] or person.name == FORGOTTEN
    assert (person.name, person.phone, person.blocked) == (FORGOTTEN, "", True)
    assert person.email == f"forgotten-{teacher}@invalid"
    assert (
        session.scalars(
            select(MembershipRow).where(MembershipRow.person_id == teacher)
        ).all()
        == []
    )
    assert session.get_one(VisitRow, visit).organiser_id == teacher


def test_who_is_forgotten_leaves_no_address_and_no_calendar(session, world, seal):
    """The entries of old visits and the subscriptions go with the name."""
    visit = rows.visit_in(session, world, VisitState.DONE)
    teacher = session.get_one(VisitRow, visit).organiser_id
    last = session.get_one(VisitRow, visit).updated_at
    by = world.teacher.actor
    subscriptions.open_feed(
        session, FeedKind.TEACHER, world.school, by=by, now=rows.NOW
    )
    all_sent(session)

    clockwork.purge_personal_data(session, now=last + 1500 * DAY)

    session.expire_all()
    assert session.get_one(PersonRow, teacher).name == FORGOTTEN
    mine = InvitationRow.person_id == teacher
    assert set(session.scalars(select(InvitationRow.address).where(mine))) == {""}
    assert session.scalars(select(FeedRow)).all() == []


def test_a_coordinator_is_never_forgotten(session, world):
    clockwork.purge_personal_data(session, now=rows.NOW + 4000 * DAY)

    names = session.scalars(
        select(PersonRow.name)
        .join(MembershipRow)
        .where(MembershipRow.role == "coordinator")
    ).all()
    assert names
    assert FORGOTTEN not in names


def test_history_is_kept_for_three_years(session, world):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    newest = max(session.scalars(select(JournalRow.at)))

    clockwork.purge_personal_data(session, now=newest + 1096 * DAY)
    kept = session.scalars(select(JournalRow)).all()
    clockwork.purge_personal_data(session, now=newest + 1097 * DAY)

    assert kept
    assert session.scalars(select(JournalRow)).all() == []


def test_mail_about_signing_in_goes_after_thirty_days(session, world):
    accounts.ask_for_link(
        session, world.teacher.email, machine="m", next_path="", now=rows.NOW
    )
    all_sent(session)

    early = clockwork.purge_personal_data(session, now=rows.NOW + 30 * DAY)
    late = clockwork.purge_personal_data(session, now=rows.NOW + 31 * DAY)

    assert (early["letters"], late["letters"]) == (0, 1)
    assert session.scalars(select(MessageRow)).all() == []


def test_addresses_in_old_mail_go_with_the_people(session, world):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    all_sent(session)

    clockwork.purge_personal_data(session, now=rows.NOW + 731 * DAY)

    kept = session.scalars(select(MessageRow)).all()
    assert kept
    assert {(row.address, row.recipient_name) for row in kept} == {("", "")}


def test_comments_go_with_the_visit_and_words_of_mail_after_a_month(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    address = world.contact.email
    said = {"audience": "host", "comment": "Entre nous"}
    inbox.receive(session, reply(session, visit, address, **said), now=rows.NOW)
    inbox.receive(session, b"From: a@example.org\r\n\r\nOui !\r\n", now=rows.NOW)

    clockwork.purge_personal_data(session, now=rows.NOW + 20 * DAY)
    kept = session.scalars(select(ReceivedRow).order_by(ReceivedRow.id)).all()
    assert [bool(row.comment) for row in kept] == [True, False]
    assert [bool(row.excerpt) for row in kept] == [False, True]

    clockwork.purge_personal_data(session, now=OVER + 40 * DAY)
    session.expire_all()
    assert [row.comment + row.excerpt + row.sender for row in kept] == ["", ""]
    assert invitation(session, visit, address, audience="host").answer_comment == ""


def test_comments_of_a_visit_that_was_called_off_go_with_its_addresses(session, world):
    """Said to a teacher about a day that never was: nobody needs it any more."""
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    address = world.contact.email
    said = {"audience": "host", "comment": "Entre nous"}
    inbox.receive(session, reply(session, visit, address, **said), now=rows.NOW)
    requests.cancel_by_school(
        session,
        visit,
        reason=CancelReason.TRANSPORT,
        note="",
        by=world.teacher.actor,
        now=rows.NOW,
    )
    all_sent(session)

    clockwork.purge_personal_data(session, now=rows.TUESDAY)

    session.expire_all()
    row = invitation(session, visit, address, audience="host")
    assert row.answer_comment == ""
    assert session.scalars(select(ReceivedRow.comment)).all() == [""]


def test_needs_in_wish_lists_go_with_the_campaign(session, world):
    campaign = campaigns.store_campaign(session)
    campaigns.store_wishes(
        session,
        campaign,
        world.school_class,
        teacher=world.teacher.id,
        arrangements="1 fauteuil roulant",
        message="Bonjour",
    )
    end = session.get_one(CampaignRow, campaign).last_visit_on

    def left(days: int) -> tuple[str, str]:
        at = instant(end, time(12)) + timedelta(days=days)
        clockwork.purge_personal_data(session, now=at)
        row = session.scalars(select(WishListRow)).one()
        found = row.arrangements, row.message
        session.rollback()
        return found

    assert left(0) == ("1 fauteuil roulant", "Bonjour")
    assert left(400) == ("", "")
