"""A campaign of any size, written to the database in bulk: schools, hosts, wishes.

The country is flat and invented, but wishes are as near and as many as in a real one:
each class wishes a few slots, hosts and fields around its school.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from scheduler.domain.localtime import instant
from scheduler.domain.offers import OfferState, SizeCategory
from scheduler.domain.slots import SlotState
from scheduler.domain.wishes import Splitting, WishListState
from scheduler.persistence.base import Base
from scheduler.persistence.models.campaigns import WishListRow, WishRow
from scheduler.persistence.models.network import (
    HostRow,
    OrganisationRow,
    SchoolClassRow,
    SchoolRow,
)
from scheduler.persistence.models.offers import OfferRow, SlotRow, offer_field
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.reference import FieldRow
from tests.campaigns import store_campaign
from tests.rows import NOW

FIRST = 100_000
CLASSES_A_SCHOOL = 3
SLOTS_A_HOST = 4
AROUND = 12
DAYS = [date(2027, 1, 5) + timedelta(days=7 * n + n % 4) for n in range(14)]
HOURS = (time(9), time(10, 45), time(14))
AT_ONCE = 5000


@dataclass(frozen=True)
class Region:
    campaign: int
    classes: int
    slots: int


def store_region(session: Session, classes: int, *, seed: int = 1) -> Region:
    """Four slots for three classes; about as tight as a real campaign."""
    drawn = random.Random(seed)
    schools = max(1, classes // CLASSES_A_SCHOOL)
    hosts = max(AROUND, classes // 3)
    # As dense as a région: some forty kilometres around a hundred hosts.
    span = 0.06 * hosts**0.5
    campaign = store_campaign(session, visits_per_class=1)
    places = {
        FIRST + n: (46 + span * drawn.random(), 1.5 * span * drawn.random())
        for n in range(schools + hosts)
    }
    school_ids, host_ids = list(places)[:schools], list(places)[schools:]
    _organisations(session, places, school_ids, host_ids)
    slots = _offers(session, drawn, host_ids)
    _wishes(session, drawn, campaign, classes, school_ids, host_ids, places, slots)
    session.commit()
    return Region(campaign, classes, sum(map(len, slots.values())))


def _put(session: Session, table: Any, rows: list[dict[str, Any]]) -> None:
    for first in range(0, len(rows), AT_ONCE):
        session.execute(insert(table), rows[first : first + AT_ONCE])


def _organisations(
    session: Session,
    places: dict[int, tuple[float, float]],
    school_ids: list[int],
    host_ids: list[int],
) -> None:
    chosen = set(school_ids)
    _put(
        session,
        OrganisationRow,
        [
            {
                "id": number,
                "kind_code": "SCHOOL" if number in chosen else "INDUSTRIAL_COMPANY",
                "name": f"{'École' if number in chosen else 'Atelier'} {number}",
                "street": "",
                "website": "",
                "founding_member": False,
                "commune_insee": "44109",
                "lat": lat,
                "lon": lon,
            }
            for number, (lat, lon) in places.items()
        ],
    )
    _put(
        session,
        SchoolRow,
        [
            {
                "id": number,
                "uai": f"{number:07}Z",
                "kind_code": "LPO",
                "sector": "PUBLIC",
                "calendar_code": "ZONE_B",
                "rural": number % 3 == 0,
                "back_by": time(17, 0) if number % 2 else None,
            }
            for number in school_ids
        ],
    )
    _put(
        session,
        HostRow,
        [
            {
                "id": number,
                "size_category": SizeCategory.MICRO,
                "languages": [],
                "leads": [],
                "cap_per_month": 2 if number % 5 == 0 else None,
            }
            for number in host_ids
        ],
    )
    _put(
        session,
        PersonRow,
        [
            {
                "id": number,
                "name": f"Personne {number}",
                "email": f"{number}@example.org",
                "created_at": NOW,
            }
            for number in school_ids
        ],
    )


def _offers(
    session: Session, drawn: random.Random, host_ids: list[int]
) -> dict[int, list[int]]:
    """Host → its slots; one offer in one field for each host."""
    fields = list(session.scalars(select(FieldRow.code).order_by(FieldRow.code)))
    offers, slots, mine = [], [], {}
    for number in host_ids:
        most = drawn.choice((10, 14, 18, 30))
        offers.append(
            {
                "id": number,
                "host_id": number,
                "kind_code": "CLASS_VISIT",
                "state": OfferState.PUBLISHED,
                "title": f"Visite {number}",
                "see": [],
                "ppe": [],
                "max_students": most,
                "subgroup_size": 15,
                "created_at": NOW,
            }
        )
        mine[number] = [SLOTS_A_HOST * number + n for n in range(SLOTS_A_HOST)]
        slots += [
            {
                "id": slot,
                "offer_id": number,
                "starts_at": starts_at,
                "ends_at": starts_at + timedelta(minutes=90),
                "max_students": most,
                "state": SlotState.OPEN,
            }
            for slot, starts_at in zip(mine[number], _times(drawn), strict=True)
        ]
    _put(session, OfferRow, offers)
    _put(session, SlotRow, slots)
    _put(
        session,
        offer_field,
        [
            {"offer_id": number, "field_code": drawn.choice(fields)}
            for number in host_ids
        ],
    )
    return mine


def _times(drawn: random.Random) -> Iterator[datetime]:
    """Two back-to-back slots on each of two days."""
    for day in drawn.sample(DAYS, SLOTS_A_HOST // 2):
        for hour in HOURS[:2]:
            yield instant(day, hour)


def _wishes(  # noqa: PLR0917 - the parts of one country
    session: Session,
    drawn: random.Random,
    campaign: int,
    classes: int,
    school_ids: list[int],
    host_ids: list[int],
    places: dict[int, tuple[float, float]],
    slots: dict[int, list[int]],
) -> None:
    fields = list(session.scalars(select(FieldRow.code).order_by(FieldRow.code)))
    by_cell: dict[tuple[int, int], list[int]] = {}
    for host in host_ids:
        lat, lon = places[host]
        by_cell.setdefault((int(lat * 4), int(lon * 4)), []).append(host)
    rows: dict[type[Base], list[dict[str, Any]]] = {
        SchoolClassRow: [],
        WishListRow: [],
        WishRow: [],
    }
    for n in range(classes):
        number, school = FIRST + n, school_ids[n % len(school_ids)]
        size = drawn.randint(15, 32)
        rows[SchoolClassRow].append(
            {
                "id": number,
                "school_id": school,
                "label": f"Classe {number}",
                "level_code": "PREMIERE_PRO",
                "students": size,
                "school_year": 2026,
            }
        )
        rows[WishListRow].append(
            {
                "id": number,
                "campaign_id": campaign,
                "class_id": number,
                "teacher_id": school,
                "state": WishListState.SUBMITTED,
                "students": size,
                "adults": 2,
                "split": drawn.choice((Splitting.NONE, Splitting.SAME_HOST)),
                "max_parts": 2,
                "max_km": 80,
                "arrival": n,
                "absent": [],
                "submitted_at": NOW,
                "updated_at": NOW,
            }
        )
        near = _near(by_cell, places[school]) or host_ids
        hosts = drawn.sample(near, min(3, len(near)))
        wished: list[dict[str, Any]] = [
            {"slot_id": drawn.choice(slots[hosts[0]])},
            *({"host_id": host} for host in hosts),
            {"field_codes": [drawn.choice(fields)], "max_km": 40},
        ]
        rows[WishRow] += [
            {
                "wish_list_id": number,
                "position": position,
                "slot_id": None,
                "host_id": None,
                "field_codes": [],
                "max_km": None,
                **wish,
            }
            for position, wish in enumerate(wished, 1)
        ]
    for table, several in rows.items():
        _put(session, table, several)


def _near(
    by_cell: dict[tuple[int, int], list[int]], at: tuple[float, float]
) -> list[int]:
    x, y = int(at[0] * 4), int(at[1] * 4)
    return [
        host
        for a in (x - 1, x, x + 1)
        for b in (y - 1, y, y + 1)
        for host in by_cell.get((a, b), ())
    ]
