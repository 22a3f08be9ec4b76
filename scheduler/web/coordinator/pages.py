"""The list of all visits and one visit, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.domain.visits import INVITED, WAITS_FOR_HOST, VisitState
from scheduler.extensions import db
from scheduler.persistence.queries import access, coordinator_pages as queries
from scheduler.persistence.queries.coordinator_pages import (
    Event,
    Letter,
    VisitLine,
    VisitWhole,
    Waiting,
)
from scheduler.services.health import Health, health
from scheduler.services.received_mail import Item, Verdicts
from scheduler.wording import clean_line

PER_PAGE = 25
LONGEST_SEARCH = 80
MOST_PAGES = 10_000


class Group(StrEnum):
    """The tabs of the list."""

    ALL = "all"
    OPEN = "open"
    AGREED = "agreed"
    DONE = "done"
    ENDED = "ended"


STATES: dict[Group, frozenset[VisitState]] = {
    Group.ALL: frozenset(VisitState),
    Group.OPEN: WAITS_FOR_HOST | {VisitState.PROPOSED},
    Group.AGREED: INVITED,
    Group.DONE: frozenset({VisitState.DONE}),
    Group.ENDED: frozenset(
        {
            VisitState.DECLINED,
            VisitState.EXPIRED,
            VisitState.WITHDRAWN,
            VisitState.CANCELLED_BY_SCHOOL,
            VisitState.CANCELLED_BY_HOST,
        }
    ),
}


class Awaited(StrEnum):
    """Who has to do something about a visit."""

    NOBODY = ""
    HOST = "host"
    HOST_LATE = "host_late"
    HOST_MOVE = "host_move"
    TEACHER = "teacher"


@dataclass(frozen=True, kw_only=True)
class Row:
    visit: VisitLine
    awaited: Awaited


@dataclass(frozen=True, kw_only=True)
class ListPage:
    """``counts``: how many visits each tab holds for these words."""

    group: Group
    words: str
    counts: dict[Group, int]
    rows: tuple[Row, ...]
    number: int
    pages: int
    waiting: Waiting
    health: Health


@dataclass(frozen=True, kw_only=True)
class Contact:
    name: str
    phone: str
    email: str


@dataclass(frozen=True, kw_only=True)
class VisitPage:
    visit: VisitWhole
    awaited: Awaited
    contacts: tuple[Contact, ...]
    history: tuple[Event, ...]
    letters: tuple[Letter, ...]


@dataclass(frozen=True, kw_only=True)
class ReceivedPage:
    """``unread``: the mailbox could not be read for a while."""

    items: tuple[Item, ...]
    verdicts: tuple[Verdicts, ...]
    unread: bool


def group_of(text: str | None) -> Group:
    """The tab that is asked for; all visits if there is no such tab."""
    return Group(text) if text in set(Group) else Group.ALL


def list_page(*, group: Group, words: str, number: int, now: datetime) -> ListPage:
    """One page of the list, with what waits for whom."""
    session = db.session()
    plain = clean_line(words, LONGEST_SEARCH)
    by_state = queries.counts_by_state(session, words=plain)
    counts = {
        each: sum(by_state.get(state, 0) for state in states)
        for each, states in STATES.items()
    }
    pages = max(1, -(-counts[group] // PER_PAGE))
    number = min(max(1, number), pages)
    lines = queries.visit_lines(
        session,
        states=STATES[group],
        words=plain,
        now=now,
        offset=(number - 1) * PER_PAGE,
        limit=PER_PAGE,
    )
    return ListPage(
        group=group,
        words=plain,
        counts=counts,
        rows=tuple(Row(visit=each, awaited=awaited(each, now=now)) for each in lines),
        number=number,
        pages=pages,
        waiting=queries.waiting(session, now=now),
        health=health(session, now=now),
    )


def visit_page(visit_id: int, *, now: datetime) -> VisitPage | None:
    """One visit with its history and its messages."""
    session = db.session()
    visit = queries.visit_whole(session, visit_id)
    if visit is None:
        return None
    return VisitPage(
        visit=visit,
        awaited=awaited(visit.line, now=now),
        contacts=tuple(
            Contact(
                name=each.person.name, phone=each.person.phone, email=each.person.email
            )
            for each in access.contacts_of(session, visit.host_id)
        ),
        history=tuple(queries.history_of(session, visit_id)),
        letters=tuple(queries.letters_of(session, visit_id)),
    )


def awaited(visit: VisitLine, *, now: datetime) -> Awaited:
    """Who has to act next."""
    if visit.state is VisitState.PROPOSED:
        return Awaited.TEACHER
    if visit.state not in WAITS_FOR_HOST:
        return Awaited.NOBODY
    if visit.alert_at is not None and visit.alert_at <= now:
        return Awaited.HOST_LATE
    return Awaited.HOST_MOVE if visit.state is VisitState.MOVING else Awaited.HOST
