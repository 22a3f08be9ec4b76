"""Each job of the table, called as the function it is; a second run changes nothing."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler import paths
from scheduler.domain.offers import OfferState
from scheduler.domain.visits import VisitState
from scheduler.jobs import table
from scheduler.jobs.table import Desk, Job, jobs
from scheduler.mail import mailboxes
from scheduler.persistence.models.offers import OfferRow
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.visits import AddresseeRow, VisitRow
from scheduler.services import lease, offers, students
from scheduler.services.delivery import GROUP
from tests import rows
from tests.rows import NOW, TUESDAY
from tests.services.letters import Bag, as_it_is, store_note

JOBS = {job.id: job for job in jobs(outbox_seconds=5)}
DAY = timedelta(days=1)


def run(session: Session, name: str, *, now: datetime) -> object:
    desk = Desk(now=lambda: now, compose=as_it_is, post=Bag())
    return JOBS[name].run(session, desk)


def kinds(session: Session) -> set[str]:
    """The kinds of mail recorded and not yet sent."""
    found = set(session.scalars(select(MessageRow.kind)))
    session.rollback()
    return found


def state_of(session: Session, visit: int) -> VisitState:
    row = session.get_one(VisitRow, visit, populate_existing=True)
    session.rollback()
    return row.state


def test_the_operator_finds_every_job_in_the_manual():
    manual = (paths.ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert [name for name in JOBS if f"`{name}`" not in manual] == []


def test_more_answers_than_one_look_takes_are_read_at_once(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "AT_ONCE", 2)
    monkeypatch.setattr(table, "AT_ONCE", 2)
    box = mailboxes.Maildir(folder=tmp_path / "answers")
    for number in range(5):
        box.deliver(b"From: a@example.org\r\n\r\nOui %d" % number, name=str(number))
    desk = Desk(now=lambda: NOW, compose=as_it_is, post=Bag(), answers=box)

    assert JOBS["read-answers"].run(session, desk) == 5

    assert box.look() == 0
    assert lease.last_beat(session, name=lease.ANSWERS) == NOW


def test_a_mailbox_that_cannot_be_read_counts_as_unread(
    session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "answers"
    file.write_text("no folder", encoding="utf-8")
    box = mailboxes.Maildir(folder=file)
    desk = Desk(now=lambda: NOW, compose=as_it_is, post=Bag(), answers=box)

    assert JOBS["read-answers"].run(session, desk) == 0

    assert lease.last_beat(session, name=lease.ANSWERS) is None


@pytest.mark.parametrize(
    "job",
    [job for job in JOBS.values() if isinstance(job.rhythm, time)],
    ids=lambda job: job.id,
)
def test_no_daily_job_lies_in_the_hour_of_the_clock_change(job: Job):
    assert not time(2) <= job.rhythm.replace(tzinfo=None) < time(3)


def test_only_mail_is_sent_by_every_process():
    assert [job.id for job in JOBS.values() if not job.alone] == ["deliver-outbox"]


def test_remind_hosts(session: Session, world: rows.World):
    rows.ask(session, world)

    done = run(session, "remind-hosts", now=NOW + 7 * DAY)
    again = run(session, "remind-hosts", now=NOW + 7 * DAY)

    assert (done, again) == (1, 0)
    assert "request_reminder_host" in kinds(session)


def test_expire_requests(session: Session, world: rows.World):
    visit = rows.ask(session, world)

    early = run(session, "expire-requests", now=NOW + 7 * DAY)
    done = run(session, "expire-requests", now=NOW + 21 * DAY)
    again = run(session, "expire-requests", now=NOW + 21 * DAY)

    assert (early, done, again) == (0, 1, 0)
    assert state_of(session, visit) is VisitState.EXPIRED


@pytest.mark.parametrize(
    ("name", "before", "kind"),
    [
        ("remind-week-before", 6 * DAY, "reminder_7"),
        ("remind-eve", 12 * timedelta(hours=1), "reminder_1"),
    ],
)
def test_reminders(
    session: Session, world: rows.World, name: str, before: timedelta, kind: str
):
    rows.visit_in(session, world, VisitState.CONFIRMED)

    early = run(session, name, now=NOW)
    done = run(session, name, now=TUESDAY - before)
    again = run(session, name, now=TUESDAY - before)

    assert (early, done, again) == (0, 1, 0)
    assert kind in kinds(session)


def test_after_a_long_stop_the_reminder_of_the_eve_is_enough(
    session: Session, world: rows.World
):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    late = TUESDAY - timedelta(hours=12)

    assert run(session, "remind-week-before", now=late) == 0
    assert run(session, "remind-eve", now=late) == 1

    assert "reminder_7" not in kinds(session)


def test_complete_visits(session: Session, world: rows.World):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)

    early = run(session, "complete-visits", now=TUESDAY)
    done = run(session, "complete-visits", now=TUESDAY + DAY)
    again = run(session, "complete-visits", now=TUESDAY + DAY)

    assert (early, done, again) == (0, 1, 0)
    assert state_of(session, visit) is VisitState.DONE


def test_resume_offers(session: Session, world: rows.World):
    offers.pause_offer(
        session,
        world.offer,
        until=date(2026, 12, 1),
        by=world.contact.actor,
        now=NOW,
    )

    early = run(session, "resume-offers", now=NOW)
    done = run(session, "resume-offers", now=NOW + 9 * DAY)
    again = run(session, "resume-offers", now=NOW + 9 * DAY)

    assert (early, done, again) == (0, 1, 0)
    assert session.get_one(OfferRow, world.offer).state is OfferState.PUBLISHED


def test_purge_takes_students_addresses_when_their_time_is_over(
    session: Session, world: rows.World
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    students.set_addresses(
        session, visit, ["eleve@example.org"], by=world.teacher.actor, now=NOW
    )
    run(session, "deliver-outbox", now=NOW)
    run(session, "complete-visits", now=TUESDAY + DAY)

    run(session, "purge", now=TUESDAY + 20 * DAY)
    kept = len(session.scalars(select(AddresseeRow)).all())
    counts = run(session, "purge", now=TUESDAY + 40 * DAY)
    again = run(session, "purge", now=TUESDAY + 40 * DAY)

    assert kept == 1
    assert isinstance(counts, dict)
    assert counts["addressees"] == 1
    assert set(again.values()) == {0}
    assert session.scalars(select(AddresseeRow)).all() == []


def test_deliver_outbox_goes_on_until_nothing_is_due(session: Session):
    for number in range(GROUP + 3):
        store_note(session, f"{number}@example.org", now=NOW)

    assert run(session, "deliver-outbox", now=NOW) == GROUP + 3


def test_deliver_outbox_leaves_the_rest_when_it_shall_stop(session: Session):
    for number in range(GROUP + 3):
        store_note(session, f"{number}@example.org", now=NOW)
    bag = Bag()
    desk = Desk(
        now=lambda: NOW, compose=as_it_is, post=bag, stopping=lambda: bool(bag.sent)
    )

    assert JOBS["deliver-outbox"].run(session, desk) == 1
    assert run(session, "deliver-outbox", now=NOW) == GROUP + 2
