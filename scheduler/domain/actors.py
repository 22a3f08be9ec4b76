"""Who asks, and what each may do (P6). Whoever may not gets ``NotFound``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scheduler.domain.refusals import NotFound


class Role(StrEnum):
    TEACHER = "teacher"
    SCHOOL_OFFICE = "school_office"
    HEAD = "head"
    HOST_CONTACT = "host_contact"
    COORDINATOR = "coordinator"


SCHOOL_ROLES = frozenset({Role.TEACHER, Role.SCHOOL_OFFICE, Role.HEAD})


@dataclass(frozen=True)
class Membership:
    role: Role
    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A signed-in person, the holder of a personal link, or the loop itself.

    ``visit_id`` narrows a link's holder to one visit.
    """

    person_id: int | None = None
    name: str = ""
    memberships: frozenset[Membership] = frozenset()
    visit_id: int | None = None

    def organisations(self, *roles: Role) -> frozenset[int]:
        """The organisations in which the actor has one of the roles."""
        return frozenset(
            each.organisation_id for each in self.memberships if each.role in roles
        )

    @property
    def is_coordinator(self) -> bool:
        return any(each.role is Role.COORDINATOR for each in self.memberships)


LOOP = Actor(name="loop")


def for_school(actor: Actor, school_id: int) -> bool:
    """Whether the actor works at the school or oversees the campus."""
    return actor.is_coordinator or school_id in actor.organisations(*SCHOOL_ROLES)


def for_host(actor: Actor, host_id: int, *, visit_id: int | None = None) -> bool:
    """Whether the actor speaks for the host; a link's holder for its visit only."""
    if actor.visit_id is not None and actor.visit_id != visit_id:
        return False
    return actor.is_coordinator or host_id in actor.organisations(Role.HOST_CONTACT)


def need(allowed: bool) -> None:  # noqa: FBT001 - reads as a sentence at the call
    """Raise ``NotFound`` unless allowed: nobody learns what exists (P6)."""
    if not allowed:
        raise NotFound
