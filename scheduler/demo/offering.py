"""What the sample hosts offer, and about 200 dated slots made by their own rules."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.orm import Session

from scheduler.demo.network import Known
from scheduler.demo.tables import parts, table
from scheduler.domain.localtime import instant, local_day
from scheduler.domain.offers import (
    Confirmation,
    PhoneRule,
    PhotoRule,
    VehicleAccess,
    Wheelchair,
)
from scheduler.domain.refusals import Refusal
from scheduler.domain.weekly import WeeklyRule
from scheduler.persistence.queries import seeding
from scheduler.services.offers import OfferText, Witness, create_offer, publish_offer
from scheduler.services.reference import Line
from scheduler.services.slots import (
    SeatsWanted,
    SlotTimes,
    add_slot,
    add_weekly_slots,
)

# The past that the sample invents needs slots that lie behind us.
OPENED_BEFORE = timedelta(days=200)
PAST_SLOTS = timedelta(days=49)
LAST_SLOT_ON = date(2027, 6, 25)
WEEK = timedelta(days=7)
# There is no school then; a past must begin before.
SUMMER = (7, 8)

PHONE_RULES = {
    "OK": PhoneRule.ALLOWED,
    "SILENT": PhoneRule.SILENT,
    "OFF": PhoneRule.OFF,
    "FORBIDDEN": PhoneRule.LEFT_IN_COACH,
}
PHOTO_RULES = {"OK": PhotoRule.ASK}
AUTOMATIC = {"H08", "H20"}
# A small server room; a boatyard with room for two groups at a time.
MOST_PEOPLE = {"H05": 10}
GROUPS = {"H23": 2, "H13": 2}

# How many weeks lie between two slots, by the host's cap of visits a month.
WEEKS_BETWEEN = {1: 5, 2: 4, 3: 4, 4: 4}
# Dates of the cases in DOMAIN 7.5 that a rule might miss: notice at H28 (5), after the
# exam (4), two teachers and one class (16), half-groups over two months (1).
NEEDED = {
    "H01": (date(2027, 2, 9), date(2027, 4, 13)),
    "H10": (date(2026, 11, 5),),
    "H11": (date(2027, 2, 9), date(2027, 3, 16), date(2027, 5, 25)),
    "H13": (date(2027, 3, 16), date(2027, 5, 25)),
    "H28": (date(2027, 1, 28), date(2027, 3, 9)),
}

_PPE = re.compile(r"(\w+)(?:\((.+)\))?")


def add_offers(session: Session, known: Known, *, now: datetime) -> dict[str, int]:
    """One published class visit for each host; their ids by host."""
    words = {line["host_id"]: line for line in table("offers")}
    fields = {line["host_id"]: parts(line["fields"]) for line in table("hosts")}
    witnesses = table("witnesses")
    made = {}
    for rules in table("host_rules"):
        key = rules["host_id"]
        text = offer_text(
            rules,
            words[key],
            fields=fields[key],
            witnesses=[line for line in witnesses if line["host_id"] == key],
        )
        by = known.actors[key]
        made[key] = create_offer(
            session, known.organisations[key], text, by=by, now=now
        )
        publish_offer(session, made[key], by=by, now=now)
    return made


def offer_text(
    rules: Line, words: Line, *, fields: list[str], witnesses: list[dict[str, str]]
) -> OfferText:
    """The three tables that speak of an offer, as its host would have typed it."""
    key = rules["host_id"]
    return OfferText(
        title=words["title_fr"],
        summary=words["summary_fr"],
        see=tuple(parts(words["see_fr"])),
        wear=words["wear_fr"],
        bring=words["bring_fr"],
        arrival=words["arrival_fr"],
        meeting_point=words["meeting_point_fr"],
        wheelchair=Wheelchair(rules["wheelchair"].lower()),
        wheelchair_note=words["wheelchair_note_fr"],
        field_codes=tuple(fields),
        max_students=int(rules["max_students"]),
        max_people=MOST_PEOPLE.get(key),
        max_groups=GROUPS.get(key, 1),
        subgroup_size=int(rules["subgroup_size"]),
        min_grade_rank=int(rules["min_grade_rank"]),
        min_age=int(rules["min_age"]),
        duration_minutes=int(rules["duration_min"]),
        phone_rule=PHONE_RULES[rules["phone_policy"]],
        photo_rule=PHOTO_RULES.get(rules["phone_policy"], PhotoRule.NONE),
        ppe=tuple(_ppe(item) for item in parts(rules["ppe"])),
        women_witnesses=int(rules["women_witnesses"]),
        witnesses=tuple(
            Witness(
                first_name=line["first_name"],
                job=line["job_fr"],
                path=line["path_fr"],
                gender=line["gender"],
            )
            for line in witnesses
        ),
        vehicle_access=VehicleAccess(rules["vehicle_access"].lower()),
        min_notice_days=int(rules["min_notice_days"]),
        name_list_days=int(rules["name_list_days_before"]),
        confirmation=(
            Confirmation.AUTOMATIC if key in AUTOMATIC else Confirmation.BY_HOST
        ),
        note=rules["note_fr"],
    )


def add_slots(
    session: Session,
    known: Known,
    offer_ids: dict[str, int],
    *,
    now: datetime,
    today: datetime,
) -> None:
    """Slots from some weeks before ``today`` to the end of June, by weekly rules."""
    start = local_day(today - PAST_SLOTS)
    if start.month in SUMMER:
        start = start.replace(month=SUMMER[0] - 1, day=8)
    monday = start - timedelta(days=start.weekday())
    for place, rules in enumerate(table("host_rules")):
        key = rules["host_id"]
        for day in NEEDED.get(key, ()):
            _add_needed(session, known, offer_ids[key], rules, day, now=now)
        for rule in weekly_rules(rules, first_monday=monday, place=place):
            add_weekly_slots(
                session,
                offer_ids[key],
                rule,
                wanted=SeatsWanted(),
                by=known.actors[key],
                now=now,
            )


def weekly_rules(rules: Line, *, first_monday: date, place: int) -> list[WeeklyRule]:
    """A rule for each of the host's days, spread so that its monthly cap suffices."""
    cap = int(rules["monthly_cap"])
    weeks = WEEKS_BETWEEN[cap]
    days, windows = parts(rules["days"], ","), parts(rules["windows"])
    made = []
    for turn, day in enumerate(days[: max(1, cap - 1)]):
        starts, ends = window(windows[turn % len(windows)], rules)
        first = first_monday + WEEK * ((place + 2 * turn) % weeks)
        if first <= LAST_SLOT_ON:
            made.append(
                WeeklyRule(
                    rrule=f"FREQ=WEEKLY;INTERVAL={weeks};BYDAY={day}",
                    first_on=first,
                    last_on=LAST_SLOT_ON,
                    starts=starts,
                    ends=ends,
                )
            )
    return made


def window(text: str, rules: Line) -> tuple[time, time]:
    """When a visit begins and ends in one of the host's windows."""
    starts = time.fromisoformat(text.partition("-")[0])
    length = timedelta(minutes=int(rules["duration_min"]))
    return starts, (datetime.combine(date.min, starts) + length).time()


def _add_needed(
    session: Session,
    known: Known,
    offer_id: int,
    rules: Line,
    day: date,
    *,
    now: datetime,
) -> None:
    starts, ends = window(parts(rules["windows"])[-1], rules)
    if instant(day, starts) in seeding.slot_starts(session, offer_id):
        return
    try:
        add_slot(
            session,
            offer_id,
            SlotTimes(day=day, starts=starts, ends=ends),
            wanted=SeatsWanted(),
            by=known.actors[rules["host_id"]],
            now=now,
        )
    except Refusal:
        # A demo whose clock starts late: that day is over.
        return


def _ppe(item: str) -> dict[str, Any]:
    found = _PPE.fullmatch(item)
    if found is None:
        raise ValueError(item)
    return {"code": found[1], "detail": found[2] or ""}
