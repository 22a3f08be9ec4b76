"""Whose pages these are: the company that a contact looks after just now."""

from __future__ import annotations

from flask import abort, redirect, request, session, url_for

from scheduler.domain.actors import Role, for_host, need
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.persistence.queries import host_pages
from scheduler.persistence.queries.host_pages import HostFacts, OfferFacts
from scheduler.web.signed_in import current_actor

CHOSEN = "host"


def companies() -> frozenset[int]:
    """Every company that the viewer speaks for."""
    return current_actor().organisations(Role.HOST_CONTACT)


def company() -> int:
    """The one company, or the chosen one; else the chooser comes first."""
    mine = companies()
    chosen = session.get(CHOSEN)
    if len(mine) == 1:
        return next(iter(mine))
    if chosen not in mine:
        here = request.full_path.rstrip("?") if request.method == "GET" else None
        abort(redirect(url_for("host.choose", next=here), 303))
    return int(chosen)


def several() -> bool:
    """Whether there is anything to choose."""
    return len(companies()) > 1


def need_mine(host_id: int) -> None:
    """Raise ``NotFound`` unless the viewer speaks for that company (P6).

    Being a coordinator is no company: that room has its own pages.
    """
    need(host_id in companies() and for_host(current_actor(), host_id))


def my_host() -> HostFacts:
    """The company itself; raises ``NotFound``."""
    host = host_pages.host_facts(db.session(), company())
    if host is None:
        raise NotFound
    return host


def my_offer(offer_id: int) -> OfferFacts:
    """One offer of the viewer's companies; raises ``NotFound``."""
    offer = host_pages.offer_facts(db.session(), offer_id)
    if offer is None:
        raise NotFound
    need_mine(offer.host_id)
    return offer
