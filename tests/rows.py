"""Rows for tests that need a database: a small world, and visits played by services.

``store_…`` functions commit and return ids, so that what they made survives the
transactions of the services that a test calls next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, Membership, Role
from scheduler.domain.campaigns import USUAL_POINTS, CampaignState, RunState
from scheduler.domain.localtime import instant
from scheduler.domain.offers import (
    OfferState,
    PhoneRule,
    SizeCategory,
    VehicleAccess,
    Wheelchair,
)
from scheduler.domain.parties import Party
from scheduler.domain.slots import SlotState
from scheduler.domain.visits import CancelReason, DeclineReason, VisitState
from scheduler.persistence.base import Base
from scheduler.persistence.models.calendars import CalendarRow, ClosureRow
from scheduler.persistence.models.campaigns import CampaignRow, RunRow
from scheduler.persistence.models.network import (
    HostRow,
    OrganisationRow,
    SchoolClassRow,
    SchoolRow,
)
from scheduler.persistence.models.offers import OfferRow, SlotRow, WitnessRow
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.reference import (
    CommuneRow,
    FieldRow,
    LevelRow,
    OfferKindRow,
    OrganisationKindRow,
    PpeRow,
    SchoolKindRow,
    TrainingPathRow,
)
from scheduler.services import answers, clockwork, requests, slots
from scheduler.services.requests import Request
from scheduler.services.slots import SeatsWanted, SlotTimes
from tests.reference import tables

NOW = instant(date(2026, 11, 23), time(9, 0))
"""A Monday in the school year of the sample data; tests set the clock to it."""

TUESDAY = instant(date(2027, 1, 12), time(9, 0))
THURSDAY = instant(date(2027, 1, 21), time(14, 0))
FRIDAY = instant(date(2027, 2, 5), time(9, 0))
NEXT_TUESDAY = instant(date(2027, 1, 19), time(9, 0))
TWO_HOURS = timedelta(hours=2)

LISTS: tuple[tuple[str, type[Base]], ...] = (
    ("fields", FieldRow),
    ("levels", LevelRow),
    ("school_kinds", SchoolKindRow),
    ("organisation_kinds", OrganisationKindRow),
    ("offer_kinds", OfferKindRow),
    ("ppe", PpeRow),
    ("training_paths", TrainingPathRow),
)
COLUMNS = {"college": "is_college"}
FLAGS = {"is_college", "own_calendar", "bookable", "exam_block"}
NUMBERS = {"grade_rank", "position"}
COMMUNES = (
    ("44109", "Nantes", "44000|44100|44200|44300", "44", 47.2172, -1.5534),
    ("44051", "Derval", "44590", "44", 47.6677, -1.6718),
    ("44113", "Nozay", "44170", "44", 47.5647, -1.6256),
    ("49007", "Angers", "49000|49100", "49", 47.4716, -0.5520),
    ("53084", "Craon", "53400", "53", 47.8481, -0.9500),
)


@dataclass(frozen=True, kw_only=True)
class Someone:
    """A stored person and what she or he is where."""

    id: int
    name: str
    email: str
    actor: Actor


@dataclass(frozen=True, kw_only=True)
class World:
    """Ids of what ``store_world`` stores. ``slots``: Tuesday, Thursday, Friday."""

    school: int
    other_school: int
    host: int
    other_host: int
    school_class: int
    second_class: int
    other_class: int
    offer: int
    other_offer: int
    slots: tuple[int, int, int]
    other_slot: int
    teacher: Someone
    colleague: Someone
    other_teacher: Someone
    contact: Someone
    substitute: Someone
    other_contact: Someone
    coordinator: Someone


# ------------------------------------------------------------------ reference


def store_reference(session: Session) -> None:
    """The lists and calendars of ``scheduler/reference``, and five communes."""
    for name, table in LISTS:
        for number, given in enumerate(tables.rows(f"{name}.csv")):
            session.add(table(**_listed(table, given, position=number)))
    for insee, town, postcodes, department, lat, lon in COMMUNES:
        session.add(
            CommuneRow(
                insee=insee,
                name=town,
                postcodes=postcodes,
                department=department,
                lat=lat,
                lon=lon,
            )
        )
    # FRANCE first: the others build on it.
    for given in sorted(tables.rows("calendars.csv"), key=_builds_on_another):
        until = given["known_until"]
        session.add(
            CalendarRow(
                code=given["code"],
                label_fr=given["label_fr"],
                label_en=given["label_en"],
                known_until=date.fromisoformat(until) if until else None,
                source=given["source"],
                entered_on=date.fromisoformat(given["entered_on"]),
                base_code="FRANCE" if _builds_on_another(given) else None,
            )
        )
        session.flush()
    for given in tables.rows("school_calendar.csv"):
        session.add(
            ClosureRow(
                calendar_code=given["calendar"],
                kind=given["kind"],
                name_fr=given["name_fr"],
                name_en=given["name_en"],
                first_on=date.fromisoformat(given["starts_on"]),
                last_on=date.fromisoformat(given["ends_on"]),
                source=given["source"],
                entered_on=date.fromisoformat(given["entered_on"]),
            )
        )
    session.commit()


def _builds_on_another(calendar: dict[str, str]) -> bool:
    return calendar["code"] != "FRANCE"


def _listed(
    table: type[Base], given: dict[str, str], *, position: int
) -> dict[str, Any]:
    """The columns that the table has, as the table has them."""
    columns = set(table.__mapper__.columns.keys())
    read: dict[str, Any] = {"position": position}
    for heading, text in given.items():
        name = COLUMNS.get(heading, heading)
        if name not in columns:
            continue
        if name in FLAGS:
            read[name] = text == "1"
        elif name in NUMBERS:
            read[name] = int(text)
        else:
            read[name] = text
    return read


# ------------------------------------------------------------------ organisations


def _store_organisation(session: Session, name: str, *, kind: str, insee: str) -> int:
    row = OrganisationRow(
        name=name, kind_code=kind, commune_insee=insee, street="1 rue des Essais"
    )
    session.add(row)
    session.flush()
    return row.id


def store_school(
    session: Session,
    name: str = "Lycée des Deux-Rives",
    *,
    uai: str = "0449901Y",
    kind: str = "LPO",
    insee: str = "44109",
    **more: Any,
) -> int:
    number = _store_organisation(session, name, kind="SCHOOL", insee=insee)
    facts = {"sector": "PUBLIC", "calendar_code": "ZONE_B", **more}
    session.add(SchoolRow(id=number, uai=uai, kind_code=kind, **facts))
    session.commit()
    return number


def store_host(
    session: Session,
    name: str = "Férembois Usinage",
    *,
    insee: str = "44051",
    **more: Any,
) -> int:
    number = _store_organisation(session, name, kind="INDUSTRIAL_COMPANY", insee=insee)
    facts = {
        "size_category": SizeCategory.SME,
        "activity": "Usinage de petites séries",
        "phone": "02 61 91 00 01",
        **more,
    }
    session.add(HostRow(id=number, **facts))
    session.commit()
    return number


def store_class(
    session: Session,
    school: int,
    label: str = "1re MELEC",
    *,
    level: str = "PREMIERE_PRO",
    students: int = 24,
    **more: Any,
) -> int:
    facts = {"girls": 2, "boys": 22, "youngest_age": 15, "oldest_age": 17, **more}
    row = SchoolClassRow(
        school_id=school,
        label=label,
        level_code=level,
        students=students,
        school_year=2026,
        **facts,
    )
    session.add(row)
    session.commit()
    return row.id


def store_person(
    session: Session,
    name: str,
    *,
    role: Role,
    organisation: int,
    email: str = "",
    position: int = 0,
    **more: Any,
) -> Someone:
    address = email or f"{name.lower().replace(' ', '.')}@example.org"
    row = PersonRow(name=name, email=address, created_at=NOW, **more)
    session.add(row)
    session.flush()
    session.add(
        MembershipRow(
            person_id=row.id,
            organisation_id=organisation,
            role=role,
            position=position,
        )
    )
    session.commit()
    actor = Actor(
        person_id=row.id,
        name=name,
        memberships=frozenset({Membership(role, organisation)}),
    )
    return Someone(id=row.id, name=name, email=address, actor=actor)


# ------------------------------------------------------------------ offers


def store_offer(
    session: Session,
    host: int,
    title: str = "Du barreau d’inox à la pièce finie",
    *,
    field_codes: tuple[str, ...] = ("MACHINING",),
    witnesses: tuple[tuple[str, str, str, str], ...] = (
        ("Maud", "Contrôleuse qualité", "CAP, puis Bac pro en mécanique.", "W"),
    ),
    **more: Any,
) -> int:
    """``witnesses``: first name, job, path, gender."""
    facts = {
        "state": OfferState.PUBLISHED,
        "kind_code": "CLASS_VISIT",
        "summary": "Une pièce, du plan jusqu’au contrôle.",
        "see": ["un tour à commande numérique", "le poste de contrôle"],
        "wear": "Un pantalon et des chaussures fermées.",
        "bring": "De quoi noter.",
        "ppe": [{"code": "glasses", "detail": "12"}],
        "meeting_point": "Devant la porte bleue.",
        "arrival": "Un car peut attendre place de l’Église.",
        "women_witnesses": sum(each[3] == "W" for each in witnesses),
        "wheelchair": Wheelchair.PARTIAL,
        "vehicle_access": VehicleAccess.COACH,
        "phone_rule": PhoneRule.SILENT,
        "max_students": 30,
        "subgroup_size": 15,
        "min_grade_rank": 9,
        "created_at": NOW,
        **more,
    }
    row = OfferRow(host_id=host, title=title, **facts)
    row.fields = [session.get_one(FieldRow, code) for code in field_codes]
    row.witnesses = [
        WitnessRow(first_name=first_name, job=job, path=path, gender=gender)
        for first_name, job, path, gender in witnesses
    ]
    session.add(row)
    session.commit()
    return row.id


def store_slot(
    session: Session,
    offer: int,
    starts_at: datetime = TUESDAY,
    *,
    length: timedelta = TWO_HOURS,
    **more: Any,
) -> int:
    facts = {"max_students": 30, "max_groups": 1, "state": SlotState.OPEN, **more}
    row = SlotRow(
        offer_id=offer, starts_at=starts_at, ends_at=starts_at + length, **facts
    )
    session.add(row)
    session.commit()
    return row.id


# ------------------------------------------------------------------ the world


def store_world(session: Session) -> World:
    """Two schools, two hosts, their people, offers and slots; nobody has asked yet."""
    store_reference(session)
    campus = _store_organisation(session, "Campus", kind="CAMPUS", insee="44109")
    school = store_school(session)
    other_school = store_school(
        session, "Collège des Sources", uai="0449904B", kind="COLLEGE", insee="44113"
    )
    host = store_host(session)
    other_host = store_host(session, "Électro-Boutavent", insee="53084")
    offer = store_offer(session, host)
    other_offer = store_offer(
        session,
        other_host,
        "Dans la tête d’une armoire électrique",
        field_codes=("ELECTRICITY",),
        witnesses=(),
    )
    return World(
        school=school,
        other_school=other_school,
        host=host,
        other_host=other_host,
        school_class=store_class(session, school),
        second_class=store_class(session, school, "2nde MTNE", level="SECONDE_PRO"),
        other_class=store_class(session, other_school, "3e B", level="TROISIEME"),
        offer=offer,
        other_offer=other_offer,
        slots=(
            store_slot(session, offer, TUESDAY),
            store_slot(session, offer, THURSDAY),
            store_slot(session, offer, FRIDAY),
        ),
        other_slot=store_slot(session, other_offer, NEXT_TUESDAY),
        teacher=store_person(
            session,
            "Hélène Marchais",
            role=Role.TEACHER,
            organisation=school,
            email="helene@example.org",
            phone="06 00 00 00 01",
        ),
        colleague=store_person(
            session,
            "Yannick Le Bihan",
            role=Role.TEACHER,
            organisation=school,
            email="yannick@example.org",
        ),
        other_teacher=store_person(
            session,
            "Karim Nadir",
            role=Role.TEACHER,
            organisation=other_school,
            email="karim@example.org",
        ),
        contact=store_person(
            session,
            "Gérard Lebreton",
            role=Role.HOST_CONTACT,
            organisation=host,
            email="gerard@example.org",
            phone="02 61 91 00 01",
        ),
        substitute=store_person(
            session,
            "Maud Lebreton",
            role=Role.HOST_CONTACT,
            organisation=host,
            email="maud@example.org",
            position=1,
        ),
        other_contact=store_person(
            session,
            "Ivan Boutavent",
            role=Role.HOST_CONTACT,
            organisation=other_host,
            email="ivan@example.org",
        ),
        coordinator=store_person(
            session,
            "Claire Coordonne",
            role=Role.COORDINATOR,
            organisation=campus,
            email="claire@example.org",
        ),
    )


# ------------------------------------------------------------------ campaigns


def store_campaign(
    session: Session,
    *,
    state: CampaignState = CampaignState.ANNOUNCED,
    opens_at: datetime = NOW - timedelta(days=1),
    closes_at: datetime = NOW + timedelta(days=10),
    **given: Any,
) -> int:
    """A campaign whose visits are those of the world's slots. Returns its id."""
    row = CampaignRow(
        name="Visites du deuxième trimestre",
        state=state,
        opens_at=opens_at,
        closes_at=closes_at,
        allocation_on=date(2026, 12, 8),
        first_visit_on=date(2027, 1, 11),
        last_visit_on=date(2027, 4, 16),
        points={each.value: number for each, number in USUAL_POINTS.items()},
        seed=4217,
        created_at=NOW,
        updated_at=NOW,
        announced_at=NOW - timedelta(days=2),
    )
    for name, value in given.items():
        setattr(row, name, value)
    session.add(row)
    session.commit()
    return row.id


def store_run(
    session: Session, campaign_id: int, *, state: RunState = RunState.QUEUED
) -> int:
    """A run of the campaign that nobody has begun. Returns its id."""
    row = RunRow(campaign_id=campaign_id, state=state, seed=4217, asked_at=NOW)
    session.add(row)
    session.commit()
    return row.id


# ------------------------------------------------------------------ visits


def ask(
    session: Session,
    world: World,
    *,
    slot: int | None = None,
    school_class: int | None = None,
    by: Someone | None = None,
    students: int = 24,
    adults: int = 2,
    arrangements: str = "",
    message: str = "",
    now: datetime = NOW,
) -> int:
    """The teacher asks for the first slot, or another one. Returns the visit's id."""
    return requests.request_visit(
        session,
        Request(
            slot_id=slot or world.slots[0],
            class_id=school_class or world.school_class,
            party=Party(students=students, adults=adults),
            arrangements=arrangements,
            message=message,
        ),
        by=(by or world.teacher).actor,
        now=now,
    )


def change_time(session: Session, world: World, *, now: datetime = NOW) -> None:
    """The host begins the first slot one hour later."""
    slots.change_slot(
        session,
        world.slots[0],
        SlotTimes(day=date(2027, 1, 12), starts=time(10, 0), ends=time(12, 0)),
        wanted=SeatsWanted(),
        by=world.contact.actor,
        now=now,
    )


def visit_in(
    session: Session,
    world: World,
    state: VisitState,
    *,
    now: datetime = NOW,
    **asked: Any,
) -> int:
    """A visit on the first slot that came into the state by the services' own steps."""
    visit = ask(session, world, now=now, **asked)
    teacher = (asked.get("by") or world.teacher).actor
    host = world.contact.actor
    if state is VisitState.DECLINED:
        answers.decline_visit(
            session, visit, reason=DeclineReason.NO_TIME, note="", by=host, now=now
        )
    elif state is VisitState.PROPOSED:
        answers.propose_slots(
            session, visit, world.slots[1:], note="Un autre jour ?", by=host, now=now
        )
    elif state is VisitState.EXPIRED:
        clockwork.expire_requests(session, now=now + timedelta(days=30))
    elif state is VisitState.WITHDRAWN:
        requests.withdraw_visit(session, visit, by=teacher, now=now)
    elif state is not VisitState.REQUESTED:
        answers.accept_visit(session, visit, by=host, now=now)
    if state is VisitState.MOVING:
        requests.move_visit(session, visit, world.slots[1], by=teacher, now=now)
    elif state is VisitState.CANCELLED_BY_SCHOOL:
        requests.cancel_by_school(
            session, visit, reason=CancelReason.TRANSPORT, note="", by=teacher, now=now
        )
    elif state is VisitState.CANCELLED_BY_HOST:
        answers.cancel_by_host(
            session, visit, reason=CancelReason.STAFF_ABSENT, note="", by=host, now=now
        )
    elif state is VisitState.DONE:
        clockwork.complete_visits(session, now=TUESDAY + timedelta(days=1))
    return visit
