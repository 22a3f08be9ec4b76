"""What the house has decided: the policy, its mail domain, its key for links."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from scheduler.domain.policy import Policy


@dataclass(frozen=True, kw_only=True)
class House:
    """Travels with the session (``session.info["house"]``).

    ``bounce_address``: where delivery reports go; empty: to the sender, no token.
    """

    link_key: bytes
    mail_domain: str = "localhost"
    bounce_address: str = ""
    policy: Policy = field(default_factory=Policy)


def house_of(session: Session) -> House:
    """The house that the session was made for."""
    house = session.info["house"]
    if not isinstance(house, House):
        raise TypeError("session without a house")
    return house
