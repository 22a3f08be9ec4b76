"""Who is there: organisations, people, classes and the weeks they are away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from scheduler.demo.tables import parts, table
from scheduler.domain.actors import Actor, Role
from scheduler.domain.offers import SizeCategory
from scheduler.persistence.models.network import (
    AbsenceRow,
    HostClosureRow,
    SchoolClassRow,
)
from scheduler.services import directory
from scheduler.services.directory import Host, School, Site
from scheduler.services.reference import Line

SCHOOL_YEAR = 2026
JANUARY_TO_AUGUST = 8
COORDINATOR = "COORDINATOR"
COORDINATOR_NAME = "Anne Kerbrat"
COORDINATOR_EMAIL = "coordination@example.org"
CAMPUS = "N01"
# A colleague who teaches in two schools.
ALSO_TEACHES_IN = {"T02": "S02"}

# The evening coaches of the villages.
RURAL_BACK_BY = time(17, 15)

CAP_PER_DAY = {"H13": 1, "H15": 1}
CAP_PER_YEAR = {"H01": 6, "H28": 12}
CLOSED_DAYS = {
    "H01": [(date(2027, 3, 1), date(2027, 3, 31), "Grosse commande")],
    "H10": [
        (date(2026, 11, 30), date(2026, 12, 1), "Clôture mensuelle"),
        (date(2027, 1, 28), date(2027, 1, 29), "Clôture mensuelle"),
        (date(2027, 3, 30), date(2027, 3, 31), "Clôture mensuelle"),
    ],
    "H23": [
        (date(2026, 12, 24), date(2027, 1, 2), "Fermeture de fin d’année"),
        (date(2027, 8, 1), date(2027, 8, 31), "Fermeture d’été"),
    ],
}
STREETS = (
    "rue de l’Atelier",
    "rue des Tourneurs",
    "allée du Compas",
    "rue de la Forge-Claire",
    "impasse des Engrenages",
    "boulevard de l’Étincelle",
    "rue du Fil-à-Plomb",
)

_PERIOD = re.compile(r"(\d\d)/(\d\d)-(\d\d)/(\d\d)")
# What the table of classes says in words (DOMAIN F-63; the alternation of an MFR).
_JUNE_WEEKS = "2 dernières semaines de juin"
_JUNE = (date(2027, 6, 14), date(2027, 6, 25))
_EVERY_OTHER_WEEK = "1 semaine sur 2"
_FIRST_MONDAY, _LAST_DAY = date(2026, 9, 14), date(2027, 7, 2)
_TO_FRIDAY, _TWO_WEEKS = timedelta(days=4), timedelta(days=14)


@dataclass
class Known:
    """Row ids by the keys of the tables: H01, S03, C09; T05 and H01 for people."""

    organisations: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    school_of_class: dict[str, str] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)


def add_network(session: Session, *, now: datetime) -> Known:
    """Everybody, inside the caller's transaction."""
    known = Known()
    _add_hosts(session, known)
    _add_schools(session, known)
    _add_members(session, known)
    _add_classes(session, known)
    for line in table("contacts"):
        first = line["role"] == "contact"
        _add_person(
            session,
            known,
            line["host_id"] if first else f"{line['host_id']} {line['role']}",
            name=f"{line['first_name']} {line['last_name']}",
            email=line["email"],
            phone=line["phone"],
            works_at={line["host_id"]: Role.HOST_CONTACT},
            position=0 if first else 1,
            now=now,
        )
    for number, line in enumerate(table("teachers"), start=1):
        key = line["teacher_id"]
        schools = [line["school_id"], ALSO_TEACHES_IN.get(key)]
        _add_person(
            session,
            known,
            key,
            name=line["name"],
            email=line["email"],
            phone=f"02 61 91 02 {number:02}",
            works_at={school: Role.TEACHER for school in schools if school},
            now=now,
        )
    _add_person(
        session,
        known,
        COORDINATOR,
        name=COORDINATOR_NAME,
        email=COORDINATOR_EMAIL,
        phone="02 61 91 03 01",
        works_at={CAMPUS: Role.COORDINATOR},
        now=now,
    )
    return known


def absences(text: str) -> Iterator[tuple[date, date, str]]:
    """The weeks a class is away, from the words of the table."""
    if _EVERY_OTHER_WEEK in text:
        monday = _FIRST_MONDAY
        while monday <= _LAST_DAY:
            yield monday, monday + _TO_FRIDAY, "Alternance"
            monday += _TWO_WEEKS
    if _JUNE_WEEKS in text:
        yield *_JUNE, "Séquence d’observation"
    reason = "Séquence d’observation" if text.startswith("stage 3e") else "PFMP"
    for found in _PERIOD.finditer(text):
        first_day, first_month, last_day, last_month = map(int, found.groups())
        yield (
            _in_school_year(first_day, first_month),
            _in_school_year(last_day, last_month),
            reason,
        )


def _in_school_year(day: int, month: int) -> date:
    return date(SCHOOL_YEAR + (month <= JANUARY_TO_AUGUST), month, day)


def _add_hosts(session: Session, known: Known) -> None:
    rules = {line["host_id"]: line for line in table("host_rules")}
    for place, line in enumerate(table("hosts")):
        key = line["host_id"]
        host_id = directory.put_host(
            session,
            Host(
                site=_site(key, line, street_number=place),
                siret=line["siret_fictif"],
                naf_code=line["naf_rev2"],
                naf_version="NAF rév. 2",
                size_category=SizeCategory(line["size_category"]),
                site_headcount=int(line["site_headcount"]),
                enterprise_headcount=int(line["enterprise_headcount"]),
                activity=line["activity_fr"],
                rural=line["rural"] == "Y",
                phone=line["contact_phone"],
                cap_per_day=CAP_PER_DAY.get(key),
                cap_per_month=int(rules[key]["monthly_cap"]),
                cap_per_year=CAP_PER_YEAR.get(key),
                languages=tuple(parts(rules[key]["languages"], ",")),
                leads=tuple(parts(rules[key]["leads"], ",")),
            ),
        )
        known.organisations[key] = host_id
        session.add_all(
            HostClosureRow(host_id=host_id, first_on=first, last_on=last, reason=reason)
            for first, last, reason in CLOSED_DAYS.get(key, [])
        )


def _add_schools(session: Session, known: Known) -> None:
    for place, line in enumerate(table("schools")):
        key, rural = line["school_id"], line["rural"] == "Y"
        known.organisations[key] = directory.put_school(
            session,
            School(
                site=_site(key, line, street_number=place),
                uai=line["uai_fictif"],
                kind=line["type"],
                sector=line["sector"],
                rural=rural,
                back_by=RURAL_BACK_BY if rural else None,
                office_email=line["office_email"],
            ),
        )


def _add_members(session: Session, known: Known) -> None:
    """The founders that are neither host nor school; one of them is a school here."""
    schools = {line["name"] for line in table("schools")}
    for place, line in enumerate(table("network")):
        if line["name"] not in schools:
            key = line["member_id"]
            site = _site(key, line, street_number=place, founding_member=True)
            known.organisations[key] = directory.put_organisation(
                session, site, kind=line["kind"]
            )


def _site(
    key: str, line: Line, *, street_number: int, founding_member: bool = False
) -> Site:
    street = STREETS[street_number % len(STREETS)]
    return Site(
        name=line["name"],
        street=f"{street_number + 2} {street} (fictif)",
        insee=line["insee"],
        lat=float(line["lat"]) if "lat" in line else None,
        lon=float(line["lon"]) if "lon" in line else None,
        founding_member=founding_member,
        sample_key=key,
    )


def _add_classes(session: Session, known: Known) -> None:
    for line in table("classes"):
        youngest, oldest = map(int, line["ages"].split("-"))
        students, girls = int(line["students"]), int(line["girls"])
        row = SchoolClassRow(
            school_id=known.organisations[line["school_id"]],
            label=line["label"],
            level_code=line["level"],
            specialty=line["specialty_fr"],
            students=students,
            girls=girls,
            boys=students - girls,
            youngest_age=youngest,
            oldest_age=oldest,
            remark=line["remark_fr"],
            school_year=SCHOOL_YEAR,
            sample_key=line["class_id"],
        )
        session.add(row)
        session.flush()
        known.classes[line["class_id"]] = row.id
        known.school_of_class[line["class_id"]] = line["school_id"]
        session.add_all(
            AbsenceRow(class_id=row.id, first_on=first, last_on=last, reason=reason)
            for first, last, reason in absences(line["absent_periods_2026_27"])
        )


def _add_person(
    session: Session,
    known: Known,
    key: str,
    *,
    name: str,
    email: str,
    phone: str,
    works_at: dict[str, Role],
    now: datetime,
    position: int = 0,
) -> None:
    known.actors[key] = directory.put_person(
        session,
        name=name,
        email=email,
        phone=phone,
        works_at={known.organisations[place]: role for place, role in works_at.items()},
        position=position,
        now=now,
    )
