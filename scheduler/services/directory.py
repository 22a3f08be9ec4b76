"""Who is in the network: schools, hosts, other members, people.

``put_…`` work inside the caller's transaction. ``import_…`` take the lines of a table
(README of ``scheduler/reference``; ``docs/operations.md`` has the columns): all lines
or none, and a line whose identifier is known already is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler.domain import identifiers
from scheduler.domain.actors import Actor, Membership, Role
from scheduler.domain.offers import SizeCategory
from scheduler.domain.refusals import (
    AddressTaken,
    BadAddress,
    BadLine,
    Refusal,
    Refused,
)
from scheduler.persistence.models.network import HostRow, OrganisationRow, SchoolRow
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.queries import directory, reference
from scheduler.services.transaction import transaction

Line = Mapping[str, str]

VOCATIONAL = "VOCATIONAL_SCHOOL"
KIND_OF_ORGANISATION = {
    "COLLEGE": "SCHOOL",
    "LGT": "SCHOOL",
    "IUT": "HIGHER_EDUCATION",
    "UNIVERSITY": "HIGHER_EDUCATION",
    "ENGINEERING_SCHOOL": "HIGHER_EDUCATION",
    "ASSOCIATION": "ASSOCIATION",
}
COMPANY = "INDUSTRIAL_COMPANY"
ZONE = "ZONE_B"
OWN = "OWN"
SECTORS = frozenset({"PUBLIC", "PRIVATE_CONTRACT", "PRIVATE"})


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where an organisation is. ``insee`` is the commune's code, never a postcode."""

    name: str
    insee: str
    street: str = ""
    lat: float | None = None
    lon: float | None = None
    website: str = ""
    founding_member: bool = False
    sample_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class School:
    """``rural`` is ``None`` while nobody has said so."""

    site: Site
    uai: str
    kind: str
    sector: str
    rural: bool | None = None
    back_by: time | None = None
    office_email: str = ""
    phone: str = ""


@dataclass(frozen=True, kw_only=True)
class Host:
    """``size_category`` is the enterprise's, the headcounts tell both (F-51)."""

    site: Site
    siret: str | None
    size_category: SizeCategory
    site_headcount: int | None = None
    enterprise_headcount: int | None = None
    activity: str = ""
    naf_code: str = ""
    naf_version: str = ""
    rural: bool | None = None
    phone: str = ""
    cap_per_day: int | None = None
    cap_per_month: int | None = None
    cap_per_year: int | None = None
    languages: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()


def put_organisation(session: Session, site: Site, *, kind: str) -> int:
    """Any member of the network. Returns its id; raises ``BadLine``."""
    if kind not in directory.organisation_kinds(session):
        raise BadLine(column="kind", value=kind)
    if not site.name:
        raise BadLine(column="name", value="")
    if reference.commune(session, site.insee) is None:
        raise BadLine(column="insee", value=site.insee)
    row = OrganisationRow(
        kind_code=kind,
        name=site.name,
        street=site.street,
        commune_insee=site.insee,
        lat=site.lat,
        lon=site.lon,
        website=site.website,
        founding_member=site.founding_member,
        sample_key=site.sample_key,
    )
    session.add(row)
    session.flush()
    return row.id


def put_school(session: Session, school: School) -> int:
    """A school with its organisation. Raises ``BadUai`` or ``BadLine``."""
    uai = identifiers.uai(school.uai)
    kind = directory.school_kinds(session).get(school.kind)
    if kind is None:
        raise BadLine(column="kind", value=school.kind)
    if school.sector not in SECTORS:
        raise BadLine(column="sector", value=school.sector)
    organisation_id = put_organisation(
        session, school.site, kind=KIND_OF_ORGANISATION.get(school.kind, VOCATIONAL)
    )
    session.add(
        SchoolRow(
            id=organisation_id,
            uai=uai,
            kind_code=school.kind,
            sector=school.sector,
            calendar_code=OWN if kind.own_calendar else ZONE,
            rural=school.rural,
            back_by=school.back_by,
            office_email=school.office_email,
            phone=school.phone,
        )
    )
    session.flush()
    return organisation_id


def put_host(session: Session, host: Host) -> int:
    """A host with its organisation. Raises ``BadSiret`` or ``BadLine``."""
    siret = identifiers.siret(host.siret) if host.siret else None
    organisation_id = put_organisation(session, host.site, kind=COMPANY)
    session.add(
        HostRow(
            id=organisation_id,
            siret=siret,
            naf_code=host.naf_code,
            naf_version=host.naf_version,
            size_category=host.size_category,
            site_headcount=host.site_headcount,
            enterprise_headcount=host.enterprise_headcount,
            activity=host.activity,
            rural=host.rural,
            phone=host.phone,
            cap_per_day=host.cap_per_day,
            cap_per_month=host.cap_per_month,
            cap_per_year=host.cap_per_year,
            languages=list(host.languages),
            leads=list(host.leads),
        )
    )
    session.flush()
    return organisation_id


def put_person(
    session: Session,
    *,
    name: str,
    email: str,
    phone: str,
    works_at: Mapping[int, Role],
    position: int = 0,
    now: datetime,
) -> Actor:
    """A person, or new roles for a known one. Raises ``BadAddress``."""
    try:
        found = validate_email(email, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as wrong:
        raise BadAddress(line=0, text=email[:40]) from wrong
    address = found.normalized.lower()
    person = directory.person_by_email(session, address)
    if person is None:
        person = PersonRow(name=name, email=address, phone=phone, created_at=now)
        session.add(person)
        try:
            session.flush()
        except IntegrityError as taken:
            # Made by somebody else between our look and now.
            raise AddressTaken from taken
    for organisation_id, role in works_at.items():
        if not directory.has_role(session, person.id, organisation_id, role):
            session.add(
                MembershipRow(
                    person_id=person.id,
                    organisation_id=organisation_id,
                    role=role,
                    position=position,
                )
            )
    session.flush()
    return Actor(
        person_id=person.id,
        name=name,
        memberships=frozenset(
            Membership(role, organisation_id)
            for organisation_id, role in works_at.items()
        ),
    )


def import_schools(session: Session, lines: Iterable[Line]) -> int:
    """How many schools are new. Raises ``Refused`` with a ``BadLine`` for each line."""

    def one(line: Line) -> bool:
        if directory.school_by_uai(session, identifiers.uai(line["uai"])) is not None:
            return False
        back_by = line.get("back_by", "")
        put_school(
            session,
            School(
                site=_site(line),
                uai=line["uai"],
                kind=line["kind"],
                sector=line["sector"],
                rural=_yes_no(line, "rural"),
                back_by=time.fromisoformat(back_by) if back_by else None,
                office_email=line.get("office_email", ""),
                phone=line.get("phone", ""),
            ),
        )
        return True

    return _import(session, lines, one)


def import_hosts(session: Session, lines: Iterable[Line]) -> int:
    """How many hosts are new. Raises ``Refused`` with a ``BadLine`` for each line."""

    def one(line: Line) -> bool:
        siret = identifiers.siret(line["siret"])
        if directory.host_by_siret(session, siret) is not None:
            return False
        put_host(
            session,
            Host(
                site=_site(line),
                siret=siret,
                size_category=SizeCategory(line["size_category"]),
                site_headcount=_number(line, "site_headcount"),
                enterprise_headcount=_number(line, "enterprise_headcount"),
                activity=line.get("activity", ""),
                naf_code=line.get("naf_code", ""),
                naf_version=line.get("naf_version", ""),
                rural=_yes_no(line, "rural"),
                phone=line.get("phone", ""),
                cap_per_month=_number(line, "cap_per_month"),
            ),
        )
        return True

    return _import(session, lines, one)


def import_members(session: Session, lines: Iterable[Line]) -> int:
    """How many other organisations are new, the campus itself among them."""

    def one(line: Line) -> bool:
        if directory.organisation_named(session, line["name"]) is not None:
            return False
        put_organisation(session, _site(line), kind=line["kind"])
        return True

    return _import(session, lines, one)


def import_people(session: Session, lines: Iterable[Line], *, now: datetime) -> int:
    """How many people or roles were told. ``organisation``: UAI, SIRET or name."""

    def one(line: Line) -> bool:
        place = directory.organisation_named(session, line["organisation"])
        if place is None:
            raise BadLine(column="organisation", value=line["organisation"])
        put_person(
            session,
            name=line["name"],
            email=line["email"],
            phone=line.get("phone", ""),
            works_at={place: Role(line["role"])},
            now=now,
        )
        return True

    return _import(session, lines, one)


def hosts_of_contacts(session: Session, lines: Iterable[Line]) -> list[int]:
    """The companies whose contacts a table of people names."""
    named = {
        line["organisation"] for line in lines if line["role"] == Role.HOST_CONTACT
    }
    found = {directory.organisation_named(session, name) for name in sorted(named)}
    return sorted(each for each in found if each is not None)


def _import(
    session: Session, lines: Iterable[Line], one: Callable[[Line], bool]
) -> int:
    wrong: list[Refusal] = []
    done = 0
    with transaction(session):
        # The first line of a table is its head.
        for number, line in enumerate(lines, start=2):
            with _at_line(number, wrong):
                done += one(line)
        if wrong:
            raise Refused(*wrong)
    return done


@contextmanager
def _at_line(number: int, wrong: list[Refusal]) -> Iterator[None]:
    """Collect what is wrong with one line, and go on to the next."""
    try:
        yield
    except KeyError as missing:
        wrong.append(BadLine(line=number, column=str(missing.args[0]), value=""))
    except ValueError as value:
        wrong.append(BadLine(line=number, column="", value=str(value)))
    except Refusal as refusal:
        refusal.facts["line"] = number
        wrong.append(refusal)


def _site(line: Line) -> Site:
    return Site(
        name=line["name"].strip(),
        insee=line["insee"].strip(),
        street=line.get("street", ""),
        lat=float(line["lat"]) if line.get("lat") else None,
        lon=float(line["lon"]) if line.get("lon") else None,
        website=line.get("website", ""),
        founding_member=_yes_no(line, "founding_member") or False,
    )


def _yes_no(line: Line, column: str) -> bool | None:
    return {"Y": True, "N": False}.get(line.get(column, ""))


def _number(line: Line, column: str) -> int | None:
    return int(line[column]) if line.get(column) else None
