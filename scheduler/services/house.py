"""What the house has decided: the policy, its mail domain, its key for links."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from scheduler.domain.policy import Policy


@dataclass(frozen=True, kw_only=True)
class House:
    """Travels with the session (``session.info["house"]``).

    ``organizer``: the one address that invitations come from and answers go to.
    ``bounce_address``: where delivery reports go; empty: to the sender, no token.
    ``authserv_id``: the name under which our own mail server reports what it found
    out about senders (RFC 8601); empty: whatever is said about them is ignored.
    ``mail_per_minute``: as many by all senders together; 0: no limit.
    """

    link_key: bytes
    mail_domain: str = "localhost"
    organizer: str = ""
    bounce_address: str = ""
    authserv_id: str = ""
    mail_per_minute: int = 0
    policy: Policy = field(default_factory=Policy)


def house_of(session: Session) -> House:
    """The house that the session was made for."""
    house = session.info["house"]
    if not isinstance(house, House):
        raise TypeError("session without a house")
    return house
