"""Who is looking: Flask-Login over our own sessions, listed and revocable."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from flask import Flask, g, request, session
from flask_login import UserMixin, current_user, login_user, logout_user

from scheduler import clock
from scheduler.domain.actors import SCHOOL_ROLES, Actor, Role
from scheduler.extensions import db, login
from scheduler.services import accounts
from scheduler.services.accounts import Viewer
from scheduler.web import browsers

LOCALES = ("fr", "en")


@dataclass(frozen=True)
class Audience:
    """A room of the site that the viewer may enter."""

    key: str


class SignedIn(UserMixin):  # type: ignore[misc]
    """What Flask-Login keeps in its cookie is the session's secret."""

    def __init__(self, secret: str, viewer: Viewer) -> None:
        self.secret = secret
        self.viewer = viewer

    def get_id(self) -> str:
        return self.secret

    @property
    def name(self) -> str:
        return self.viewer.name

    @property
    def audiences(self) -> list[Audience]:
        return [Audience(key) for key in rooms_of(self.viewer.actor)]


def rooms_of(actor: Actor) -> list[str]:
    """The rooms an actor may enter, the one to land in first."""
    rooms = []
    if actor.is_coordinator:
        rooms.append("coordinator")
    if actor.organisations(*SCHOOL_ROLES):
        rooms.append("teacher")
    if actor.organisations(Role.HOST_CONTACT):
        rooms.append("host")
    return rooms


def init_app(app: Flask) -> None:
    """Bind Flask-Login; pages that need someone send to the sign-in page."""
    login.init_app(app)
    login.login_view = "auth.sign_in"
    login.login_message = None
    login.session_protection = None


@login.user_loader
def load(secret: str) -> SignedIn | None:
    """The viewer behind the cookie, ``None`` once revoked or over."""
    found = accounts.viewer(db.session(), secret, now=clock.now())
    return SignedIn(secret, found) if found else None


def begin(secret: str) -> None:
    """Remember a new session in the browser, with nothing of the old one."""
    locale = session.get("locale")
    session.clear()
    if locale:
        session["locale"] = locale
    found = load(secret)
    if found is not None:
        session.permanent = True
        login_user(found)


def end() -> None:
    """Forget the session in the browser."""
    logout_user()
    session.clear()


def current_viewer() -> Viewer | None:
    """The signed-in viewer, if any."""
    return current_user.viewer if current_user.is_authenticated else None


def current_actor() -> Actor:
    """Whoever acts in this request; nobody in particular when signed out."""
    viewer = current_viewer()
    return viewer.actor if viewer else Actor()


def locale() -> str:
    """The chosen language, else the person's, else the browser's; French first."""
    chosen = g.get("locale") or session.get("locale")
    if chosen in LOCALES:
        return str(chosen)
    viewer = current_viewer()
    if viewer is not None and viewer.locale in LOCALES:
        return viewer.locale
    return request.accept_languages.best_match(LOCALES) or LOCALES[0]


def machine() -> str:
    """The other end's address as a digest: enough to count tries."""
    address = request.remote_addr or "unknown"
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def browser() -> str:
    """The browser in plain words, for the list of sessions."""
    return browsers.plain_name(request.user_agent.string)
