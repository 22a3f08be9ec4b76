"""Schools, hosts, members and people from tables: all lines or none."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from scheduler.domain.actors import Role
from scheduler.domain.refusals import Refused
from scheduler.persistence.models.network import HostRow, OrganisationRow, SchoolRow
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.services import directory
from tests.rows import NOW

SCHOOL = {
    "uai": "0440001m",
    "name": "Lycée du Pont",
    "kind": "LP",
    "sector": "PUBLIC",
    "insee": "44109",
    "back_by": "17:15",
    "rural": "N",
}
OTHER = "0440002N"
HOST = {
    "siret": "000 070 375 00019",
    "name": "Atelier du Quai",
    "size_category": "TPE",
    "site_headcount": "6",
    "insee": "44109",
}


def organisations(session) -> int:
    return session.scalar(select(func.count()).select_from(OrganisationRow))


def test_a_school_is_taken_with_its_identifier_checked(session, world):
    done = directory.import_schools(session, [SCHOOL])

    row = session.scalars(select(SchoolRow).where(SchoolRow.uai == "0440001M")).one()
    assert done == 1
    assert (row.kind_code, row.calendar_code, row.rural) == ("LP", "ZONE_B", False)


def test_a_known_identifier_changes_nothing(session, world):
    directory.import_schools(session, [SCHOOL])
    before = organisations(session)

    done = directory.import_schools(session, [{**SCHOOL, "name": "Autre nom"}])

    assert (done, organisations(session)) == (0, before)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"uai": "0440001A"}, "bad_uai"),
        ({"insee": "44999"}, "bad_line"),
        ({"kind": "MANOIR"}, "bad_line"),
        ({"sector": "ROYAL"}, "bad_line"),
        ({"back_by": "late"}, "bad_line"),
        ({"name": " "}, "bad_line"),
    ],
)
def test_one_wrong_line_takes_none(session, world, wrong, code):
    before = organisations(session)

    with pytest.raises(Refused) as refused:
        directory.import_schools(session, [SCHOOL, {**SCHOOL, "uai": OTHER, **wrong}])

    assert organisations(session) == before
    told = refused.value.refusals[0]
    assert (told.code, told.facts["line"]) == (code, 3)


def test_a_missing_column_is_named(session, world):
    line = {key: value for key, value in SCHOOL.items() if key != "sector"}

    with pytest.raises(Refused) as refused:
        directory.import_schools(session, [line])

    assert refused.value.refusals[0].facts["column"] == "sector"


def test_a_host_is_taken_with_its_siret_without_blanks(session, world):
    done = directory.import_hosts(session, [HOST])

    row = session.scalars(
        select(HostRow).where(HostRow.siret == "00007037500019")
    ).one()
    assert (done, row.site_headcount, row.cap_per_month) == (1, 6, None)


def test_a_host_with_a_wrong_siret_is_refused(session, world):
    with pytest.raises(Refused) as refused:
        directory.import_hosts(session, [{**HOST, "siret": "00007037500018"}])

    assert refused.value.refusals[0].code == "bad_siret"


def test_people_belong_to_organisations_by_identifier_or_name(session, world):
    directory.import_schools(session, [SCHOOL])
    directory.import_members(
        session, [{"kind": "CAMPUS", "name": "Le Campus", "insee": "44109"}]
    )
    zoe = {"email": "Zoe@Example.org", "name": "Zoé", "phone": ""}

    directory.import_people(
        session,
        [
            {**zoe, "role": "teacher", "organisation": "0440001M"},
            {**zoe, "role": "coordinator", "organisation": "Le Campus"},
        ],
        now=NOW,
    )

    person = session.scalars(
        select(PersonRow).where(PersonRow.email == "zoe@example.org")
    ).one()
    roles = session.scalars(
        select(MembershipRow.role).where(MembershipRow.person_id == person.id)
    ).all()
    assert set(roles) == {Role.TEACHER, Role.COORDINATOR}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"organisation": "nobody"}, "bad_line"),
        ({"role": "king"}, "bad_line"),
        ({"email": "no address"}, "bad_address"),
    ],
)
def test_a_person_who_cannot_be_placed_is_refused(session, world, wrong, code):
    directory.import_schools(session, [SCHOOL])
    line = {
        "email": "zoe@example.org",
        "name": "Zoé",
        "role": "teacher",
        "organisation": "0440001M",
    }

    with pytest.raises(Refused) as refused:
        directory.import_people(session, [{**line, **wrong}], now=NOW)

    assert refused.value.refusals[0].code == code
