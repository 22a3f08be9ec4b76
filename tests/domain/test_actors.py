"""Who may act for whom (P6): a matrix of roles, organisations and links."""

from __future__ import annotations

import pytest

from scheduler.domain.actors import (
    LOOP,
    Actor,
    Membership,
    Role,
    for_host,
    for_school,
    need,
)
from scheduler.domain.refusals import NotFound

SCHOOL, OTHER_SCHOOL, HOST, OTHER_HOST, CAMPUS = 1, 2, 3, 4, 5
VISIT, OTHER_VISIT = 11, 12


def somebody(*memberships: tuple[Role, int], visit_id: int | None = None) -> Actor:
    return Actor(
        person_id=1,
        memberships=frozenset(Membership(*each) for each in memberships),
        visit_id=visit_id,
    )


TEACHER = somebody((Role.TEACHER, SCHOOL))
OFFICE = somebody((Role.SCHOOL_OFFICE, SCHOOL))
HEAD = somebody((Role.HEAD, SCHOOL))
CONTACT = somebody((Role.HOST_CONTACT, HOST))
LINK = somebody((Role.HOST_CONTACT, HOST), visit_id=VISIT)
COORDINATOR = somebody((Role.COORDINATOR, CAMPUS))
BOTH = somebody((Role.TEACHER, SCHOOL), (Role.HOST_CONTACT, HOST))
NOBODY = somebody()
YES, NO = True, False
MATRIX = [
    # who, own school, another one, own host, another one
    pytest.param(TEACHER, YES, NO, NO, NO, id="teacher"),
    pytest.param(OFFICE, YES, NO, NO, NO, id="school office"),
    pytest.param(HEAD, YES, NO, NO, NO, id="head of school"),
    pytest.param(CONTACT, NO, NO, YES, NO, id="host contact"),
    pytest.param(LINK, NO, NO, NO, NO, id="link for one visit"),
    pytest.param(COORDINATOR, YES, YES, YES, YES, id="coordinator"),
    pytest.param(BOTH, YES, NO, YES, NO, id="teacher and contact"),
    pytest.param(NOBODY, NO, NO, NO, NO, id="nobody"),
    pytest.param(LOOP, NO, NO, NO, NO, id="loop"),
]


@pytest.mark.parametrize(
    ("actor", "own_school", "other_school", "own_host", "other_host"), MATRIX
)
def test_who_may_act_for_whom(actor, own_school, other_school, own_host, other_host):
    assert for_school(actor, SCHOOL) is own_school
    assert for_school(actor, OTHER_SCHOOL) is other_school
    assert for_host(actor, HOST) is own_host
    assert for_host(actor, OTHER_HOST) is other_host


def test_the_holder_of_a_link_speaks_for_one_visit_only():
    assert for_host(LINK, HOST, visit_id=VISIT)
    assert not for_host(LINK, HOST, visit_id=OTHER_VISIT)
    assert not for_host(LINK, OTHER_HOST, visit_id=VISIT)


def test_a_coordinators_link_is_as_narrow_as_anyones():
    link = somebody((Role.COORDINATOR, CAMPUS), visit_id=VISIT)

    assert for_host(link, HOST, visit_id=VISIT)
    assert not for_host(link, HOST, visit_id=OTHER_VISIT)


def test_a_teachers_membership_of_a_host_counts_for_nothing():
    assert not for_host(somebody((Role.TEACHER, HOST)), HOST)
    assert not for_school(somebody((Role.HOST_CONTACT, SCHOOL)), SCHOOL)


def test_organisations_are_those_of_the_asked_roles():
    assert BOTH.organisations(Role.TEACHER) == {SCHOOL}
    assert BOTH.organisations(Role.TEACHER, Role.HOST_CONTACT) == {SCHOOL, HOST}
    assert BOTH.organisations() == frozenset()


def test_whoever_may_not_learns_nothing():
    need(allowed=True)
    with pytest.raises(NotFound) as refusal:
        need(allowed=False)

    assert refusal.value.facts == {}
