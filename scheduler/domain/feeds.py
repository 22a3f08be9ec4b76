"""Calendars that adults subscribe to: whose visits, for whom, and how much is told.

A feed's address is a password that gets shared all the same. So what goes beyond the
reader's own visits (a school's, the campus's) names no telephone, and no feed says
what a student needs.
"""

from __future__ import annotations

from enum import StrEnum

from scheduler.domain.actors import SCHOOL_ROLES, Actor, Role


class FeedKind(StrEnum):
    """Whose visits a subscribed calendar shows; a class has its own address."""

    TEACHER = "teacher"
    SCHOOL = "school"
    HOST = "host"
    CAMPUS = "campus"


FOLLOWED_BY: dict[FeedKind, frozenset[Role]] = {
    FeedKind.TEACHER: SCHOOL_ROLES,
    FeedKind.SCHOOL: SCHOOL_ROLES,
    FeedKind.HOST: frozenset({Role.HOST_CONTACT}),
    FeedKind.CAMPUS: frozenset({Role.COORDINATOR}),
}
NAMES_TELEPHONES = frozenset({FeedKind.TEACHER, FeedKind.HOST})


def may_follow(actor: Actor, kind: FeedKind, organisation_id: int) -> bool:
    """Whether the actor has, there, one of the roles that the calendar is for."""
    return organisation_id in actor.organisations(*FOLLOWED_BY[kind])


def followable(actor: Actor) -> list[tuple[FeedKind, int]]:
    """Every calendar that the actor may subscribe to, always in the same order."""
    return [
        (kind, organisation_id)
        for kind in FeedKind
        for organisation_id in sorted(actor.organisations(*FOLLOWED_BY[kind]))
    ]
