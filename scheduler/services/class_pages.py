"""What a class code opens. No account, no name, no trace of who looked (ST-M1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from scheduler.domain.localtime import local_day
from scheduler.domain.refusals import LinkSpent, NotFound
from scheduler.domain.visits import INVITED, VisitState
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import reference, student_pages, visits
from scheduler.services import accounts, feeds
from scheduler.services.feeds import Occasions
from scheduler.services.house import house_of
from scheduler.services.student_facts import student_facts

WRONG_CODES = 60
LONGEST_CODE = 12
CHANGE_SAID_FOR = timedelta(days=14)
MOST_PER_RUNG = 3
RUNGS = ("CAP", "MC", "BAC_PRO", "BTS", "BUT", "LICENCE_PRO", "INGENIEUR")


class Moment(StrEnum):
    """How the visit stands, for those who go."""

    NOT_YET = "not_yet"
    AHEAD = "ahead"
    TODAY = "today"
    OVER = "over"
    CANCELLED = "cancelled"
    NOT_TAKING_PLACE = "not_taking_place"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Someone whom the class meets and who tells her or his trade."""

    first_name: str
    job: str
    path: str


@dataclass(frozen=True, kw_only=True)
class ClassPage:
    """``facts`` is empty while there is nothing to show but the moment itself."""

    code: str
    moment: Moment
    days_left: int
    may_move: bool
    changed_at: datetime | None
    facts: dict[str, Any]
    people: tuple[Person, ...]
    fields: tuple[tuple[str, str], ...]
    trainings: tuple[tuple[str, tuple[str, ...]], ...]
    feed_token: str


def plain_code(typed: str) -> str:
    """A code as it is stored, however it was typed: "7k-p2 xf" is 7KP2XF."""
    kept = "".join(letter for letter in typed if letter.isascii() and letter.isalnum())
    return kept.upper()[:LONGEST_CODE]


def class_page(
    session: Session, code: str, *, machine: str, locale: str, now: datetime
) -> ClassPage:
    """The page of the visit that has the code.

    Raises ``NotFound``, ``TooManyTries`` after many wrong codes from one machine, and
    ``LinkSpent`` once the visit is over for long.
    """
    row = _visit(session, code, machine=machine, now=now)
    moment = _moment(row, now=now)
    if moment in {Moment.NOT_YET, Moment.NOT_TAKING_PLACE}:
        return ClassPage(
            code=row.class_code,
            moment=moment,
            days_left=0,
            may_move=False,
            changed_at=None,
            facts={},
            people=(),
            fields=(),
            trainings=(),
            feed_token="",
        )
    fields = student_pages.fields_of_offer(session, row.slot.offer_id)
    changed_at = student_pages.changed_last(session, row.id)
    if changed_at is not None and changed_at < now - CHANGE_SAID_FOR:
        changed_at = None
    return ClassPage(
        code=row.class_code,
        moment=moment,
        days_left=(local_day(row.slot.starts_at) - local_day(now)).days,
        may_move=row.state is VisitState.MOVING,
        changed_at=changed_at,
        facts=student_facts(row, ppe=reference.ppe(session), locale=locale),
        people=tuple(
            Person(first_name=each.first_name, job=each.job, path=each.path)
            for each in row.slot.offer.witnesses
        ),
        fields=tuple(
            (each.code, each.label_en if locale == "en" else each.label_fr)
            for each in fields
        ),
        trainings=_by_rung(
            student_pages.trainings_for(session, [each.code for each in fields]),
            locale=locale,
        ),
        feed_token=feeds.token_of_class(session, row.class_id),
    )


def class_file(
    session: Session, code: str, *, machine: str, occasions: Occasions, now: datetime
) -> bytes:
    """The visit as a calendar file; only while it is to take place."""
    row = _visit(session, code, machine=machine, now=now)
    if row.state not in INVITED:
        raise NotFound
    return feeds.visit_file(session, row, occasions=occasions)


def _visit(session: Session, code: str, *, machine: str, now: datetime) -> VisitRow:
    tries = f"code-from:{machine}"
    accounts.demand_patience(session, tries, most=WRONG_CODES, now=now)
    row = visits.visit_by_code(session, plain_code(code))
    if row is None:
        accounts.throttle(session, tries, most=WRONG_CODES, now=now)
        raise NotFound
    kept = timedelta(days=house_of(session).policy.class_code_days)
    if row.slot.ends_at + kept < now:
        raise LinkSpent(purpose="class_code")
    return row


def _moment(row: VisitRow, *, now: datetime) -> Moment:
    if row.state in {VisitState.REQUESTED, VisitState.PROPOSED}:
        return Moment.NOT_YET
    if row.state in {VisitState.CANCELLED_BY_SCHOOL, VisitState.CANCELLED_BY_HOST}:
        return Moment.CANCELLED
    if row.state is VisitState.DONE or (
        row.state in INVITED and row.slot.ends_at <= now
    ):
        return Moment.OVER
    if row.state not in INVITED:
        return Moment.NOT_TAKING_PLACE
    today = local_day(row.slot.starts_at) == local_day(now)
    return Moment.TODAY if today else Moment.AHEAD


def _by_rung(
    trainings: list[student_pages.Training], *, locale: str
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """From the first rung to the last, a few of each: a page for twelve-year-olds."""
    found: dict[str, dict[str, None]] = {rung: {} for rung in RUNGS}
    for each in trainings:
        label = each.label_en if locale == "en" else each.label_fr
        found.setdefault(each.diploma, {})[label] = None
    return tuple(
        (rung, tuple(labels)[:MOST_PER_RUNG])
        for rung, labels in found.items()
        if labels
    )
