"""A class's page in words, bigger and shorter than those for adults."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from scheduler import wording
from scheduler.domain.projection import VIEW_BOX, point
from scheduler.mail.facts import VisitFacts, visit_facts
from scheduler.services.class_pages import ClassPage, Moment, Person
from scheduler.web.subscribing import Addresses, addresses

QUESTIONS = 3


@dataclass(frozen=True, kw_only=True)
class StudentPage:
    """``question_keys``: a field's code, or the name of a question for any visit."""

    code: str
    url: str
    moment: Moment
    days_left: int
    may_move: bool
    changed_on: str
    visit: VisitFacts | None
    day: str
    on: str
    hours: tuple[str, str]
    people: tuple[Person, ...]
    fields: tuple[str, ...]
    trainings: tuple[tuple[str, tuple[str, ...]], ...]
    question_keys: tuple[str, ...]
    map: Map | None
    feed: Addresses | None


@dataclass(frozen=True, kw_only=True)
class Map:
    """A dot on our own drawing; ``geo`` opens the phone's own map (RFC 5870)."""

    view_box: str
    x: float
    y: float
    geo: str


def student_page(found: ClassPage, *, locale: str) -> StudentPage:
    """What a class's code shows, in the reader's language."""
    visit = None
    if found.facts:
        visit = visit_facts(found.facts, audience="student", locale=locale)
    return StudentPage(
        code=found.code,
        url=url_for("student.class_page", code=found.code, _external=True),
        moment=found.moment,
        days_left=found.days_left,
        may_move=found.may_move,
        changed_on=_day(found.changed_at, locale),
        visit=visit,
        day=_day(visit.starts_at if visit else None, locale),
        on=wording.headed(visit.on) if visit else "",
        hours=_hours(visit, locale),
        people=found.people,
        fields=tuple(label for _code, label in found.fields),
        trainings=found.trainings,
        question_keys=_question_keys([code for code, _label in found.fields]),
        map=_map(visit),
        feed=addresses(found.feed_token) if found.feed_token else None,
    )


def _day(at: datetime | None, locale: str) -> str:
    return wording.day(at, locale) if at else ""


def _hours(visit: VisitFacts | None, locale: str) -> tuple[str, str]:
    if visit is None:
        return "", ""
    return (
        wording.time_of_day(visit.starts_at, locale),
        wording.time_of_day(visit.ends_at, locale),
    )


def _question_keys(field_codes: list[str]) -> tuple[str, ...]:
    """Up to two about the trades of the visit, the rest fits any visit."""
    own = field_codes[: QUESTIONS - 1]
    return (*own, *("day", "way", "surprise")[: QUESTIONS - len(own)])


def _map(visit: VisitFacts | None) -> Map | None:
    if visit is None or visit.geo is None:
        return None
    latitude, longitude = visit.geo
    x, y = point(latitude, longitude)
    return Map(
        view_box=VIEW_BOX,
        x=round(x, 1),
        y=round(y, 1),
        geo=f"geo:{latitude:.5f},{longitude:.5f}?q={latitude:.5f},{longitude:.5f}",
    )
