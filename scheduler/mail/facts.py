"""The facts of a visit as one reader may know them, clean and in words.

Here, and not in twenty templates, is decided who sees what: students learn what, where,
when, what to wear and bring and whom they meet; numbers by gender, arrangements, phone
numbers and what teacher and host write to each other are not theirs to read. Adults
read each other's phone number once the visit is agreed, not before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduler import wording
from scheduler.domain.visits import VisitState
from scheduler.wording import clean_line, clean_text

STUDENT = "student"
NAME_LIMIT = 120
LINE_LIMIT = 300
TEXT_LIMIT = 2000
MOST_PHRASES = 20

_STUDENTS_READ = frozenset(
    {
        "activity",
        "arrival",
        "bring",
        "class_code",
        "class_label",
        "commune",
        "host_name",
        "meeting_point",
        "offer_title",
        "organiser_name",
        "people_met",
        "phone_rule",
        "photo_rule",
        "place",
        "ppe",
        "previous_place",
        "school_name",
        "see",
        "wear",
    }
)
# Each side learns the other's number once the visit is agreed (DOMAIN HO-M3, 3.8).
_NOT_AGREED = frozenset(
    {
        VisitState.REQUESTED,
        VisitState.PROPOSED,
        VisitState.DECLINED,
        VisitState.EXPIRED,
        VisitState.WITHDRAWN,
    }
)
_CONTACTS = frozenset({"organiser_phone", "contact_phone"})
_CHANGES_STUDENTS_READ = frozenset(
    {
        "when",
        "place",
        "meeting_point",
        "arrival",
        "wear",
        "bring",
        "ppe",
        "see",
        "people_met",
        "phone_rule",
        "photo_rule",
        "offer_title",
        "organiser_name",
    }
)
_SPOKEN_OF_AS_WHEN = frozenset({"starts_at", "ends_at", "time"})


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that is not as it was. ``field`` is a code, its words are elsewhere."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Another slot that the host offers instead."""

    when: str
    on: str
    place: str


@dataclass(frozen=True, kw_only=True)
class VisitFacts:
    """What a template may say. Unknown texts are empty, unknown numbers ``None``."""

    id: int
    state: str
    actor: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    when: str
    on: str
    previous_when: str
    previous_on: str
    answer_due: str
    host_name: str
    offer_title: str
    activity: str
    commune: str
    place: str
    previous_place: str
    geo: tuple[float, float] | None
    arrival: str
    meeting_point: str
    wear: tuple[str, ...]
    bring: tuple[str, ...]
    ppe: tuple[str, ...]
    see: tuple[str, ...]
    people_met: tuple[str, ...]
    phone_rule: str
    photo_rule: str
    school_name: str
    class_label: str
    level_label: str
    class_code: str
    part: str
    students: int | None
    girls: int | None
    boys: int | None
    adults: int | None
    support_assistants: int | None
    arrangements: tuple[str, ...]
    message: str
    note: str
    organiser_name: str
    organiser_phone: str
    contact_name: str
    contact_phone: str
    changes: tuple[Change, ...]
    proposals: tuple[Proposal, ...]


def visit_facts(
    recorded: Mapping[str, Any], *, audience: str, locale: str
) -> VisitFacts:
    """The recorded visit in one language for one kind of reader."""
    may_read = _Reader(recorded, audience=audience)
    starts_at, ends_at = _instant(recorded["starts_at"]), _instant(recorded["ends_at"])
    previously = _previously(recorded)
    due_at = recorded.get("answer_due_at")
    return VisitFacts(
        id=int(recorded["id"]),
        state=str(recorded["state"]),
        actor=str(recorded.get("actor") or ""),
        reason=may_read.line("reason"),
        starts_at=starts_at,
        ends_at=ends_at,
        when=wording.span(starts_at, ends_at, locale),
        on=wording.day_and_month(starts_at, locale),
        previous_when=wording.span(*previously, locale) if previously else "",
        previous_on=wording.day_and_month(previously[0], locale) if previously else "",
        answer_due=wording.moment(_instant(due_at), locale) if due_at else "",
        host_name=may_read.line("host_name", NAME_LIMIT),
        offer_title=may_read.line("offer_title", NAME_LIMIT),
        activity=may_read.line("activity"),
        commune=may_read.line("commune", NAME_LIMIT),
        place=may_read.line("place"),
        previous_place=may_read.line("previous_place"),
        geo=_geo(recorded),
        arrival=may_read.text("arrival"),
        meeting_point=may_read.text("meeting_point"),
        wear=may_read.phrases("wear"),
        bring=may_read.phrases("bring"),
        ppe=may_read.phrases("ppe"),
        see=may_read.phrases("see"),
        people_met=may_read.phrases("people_met"),
        phone_rule=may_read.line("phone_rule"),
        photo_rule=may_read.line("photo_rule"),
        school_name=may_read.line("school_name", NAME_LIMIT),
        class_label=may_read.line("class_label", NAME_LIMIT),
        level_label=may_read.line("level_label", NAME_LIMIT),
        class_code=may_read.line("class_code", NAME_LIMIT),
        part=may_read.line("part"),
        students=may_read.number("students"),
        girls=may_read.number("girls"),
        boys=may_read.number("boys"),
        adults=may_read.number("adults"),
        support_assistants=may_read.number("support_assistants"),
        arrangements=may_read.phrases("arrangements"),
        message=may_read.text("message"),
        note=may_read.line("note"),
        organiser_name=may_read.line("organiser_name", NAME_LIMIT),
        organiser_phone=may_read.line("organiser_phone", NAME_LIMIT),
        contact_name=may_read.line("contact_name", NAME_LIMIT),
        contact_phone=may_read.line("contact_phone", NAME_LIMIT),
        changes=_changes(recorded, audience=audience, locale=locale),
        proposals=_proposals(recorded, locale=locale),
    )


class _Reader:
    """Reads what was recorded, as far as this audience may, and cleans it."""

    def __init__(self, recorded: Mapping[str, Any], *, audience: str) -> None:
        self._recorded = recorded
        self._is_student = audience == STUDENT
        self._is_agreed = recorded["state"] not in _NOT_AGREED

    def _value(self, field: str) -> Any:
        if self._is_student and field not in _STUDENTS_READ:
            return None
        if field in _CONTACTS and not self._is_agreed:
            return None
        return self._recorded.get(field)

    def line(self, field: str, limit: int = LINE_LIMIT) -> str:
        value = self._value(field)
        return "" if value is None else clean_line(str(value), limit)

    def text(self, field: str) -> str:
        value = self._value(field)
        return "" if value is None else clean_text(str(value), TEXT_LIMIT)

    def number(self, field: str) -> int | None:
        value = self._value(field)
        return None if value is None else int(value)

    def phrases(self, field: str) -> tuple[str, ...]:
        return _phrases(self._value(field))


def _phrases(value: str | Iterable[str] | None) -> tuple[str, ...]:
    """One phrase or several, the empty ones left out."""
    given = [value] if isinstance(value, str) else list(value or ())
    cleaned = (clean_line(str(phrase), LINE_LIMIT) for phrase in given[:MOST_PHRASES])
    return tuple(phrase for phrase in cleaned if phrase)


def _instant(recorded: str) -> datetime:
    return datetime.fromisoformat(recorded)


def _previously(recorded: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    """The time before, if it was another one; what is not recorded did not change."""
    now = recorded["starts_at"], recorded["ends_at"]
    starts_at = recorded.get("previous_starts_at") or now[0]
    ends_at = recorded.get("previous_ends_at") or now[1]
    if (starts_at, ends_at) == now:
        return None
    return _instant(starts_at), _instant(ends_at)


def _geo(recorded: Mapping[str, Any]) -> tuple[float, float] | None:
    latitude, longitude = recorded.get("lat"), recorded.get("lon")
    if latitude is None or longitude is None:
        return None
    return float(latitude), float(longitude)


def _changes(
    recorded: Mapping[str, Any], *, audience: str, locale: str
) -> tuple[Change, ...]:
    """Time and place first, whole, however the change was recorded; then the rest."""
    found = [*_when_changed(recorded, locale), *_place_changed(recorded)]
    seen = {change.field for change in found}
    for each in recorded.get("changes") or ():
        field = str(each["field"])
        if field not in seen and field not in _SPOKEN_OF_AS_WHEN:
            before, after = _said(each["before"]), _said(each["after"])
            found.append(Change(field=field, before=before, after=after))
    if audience == STUDENT:
        found = [change for change in found if change.field in _CHANGES_STUDENTS_READ]
    return tuple(change for change in found if change.before != change.after)


def _when_changed(recorded: Mapping[str, Any], locale: str) -> list[Change]:
    previously = _previously(recorded)
    if previously is None:
        return []
    now = _instant(recorded["starts_at"]), _instant(recorded["ends_at"])
    return [
        Change(
            field="when",
            before=wording.span(*previously, locale),
            after=wording.span(*now, locale),
        )
    ]


def _place_changed(recorded: Mapping[str, Any]) -> list[Change]:
    before, after = recorded.get("previous_place"), recorded.get("place")
    if not before or not after:
        return []
    return [Change(field="place", before=_said(before), after=_said(after))]


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_phrases(value))
    return "" if value is None else clean_line(str(value), LINE_LIMIT)


def _proposals(recorded: Mapping[str, Any], *, locale: str) -> tuple[Proposal, ...]:
    return tuple(
        Proposal(
            when=wording.span(
                _instant(each["starts_at"]), _instant(each["ends_at"]), locale
            ),
            on=wording.day_and_month(_instant(each["starts_at"]), locale),
            place=_said(each.get("place")),
        )
        for each in recorded.get("proposals") or ()
    )
