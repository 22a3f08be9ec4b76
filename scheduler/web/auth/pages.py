"""The list of one's open sessions, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scheduler import wording
from scheduler.services.accounts import Viewer


class Live(Protocol):
    """What is shown of a session."""

    @property
    def id(self) -> int: ...
    @property
    def browser(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def last_seen_at(self) -> datetime: ...


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    id: int
    browser: str
    since: str
    last_used: str
    is_this: bool


@dataclass(frozen=True, kw_only=True)
class SessionsPage:
    name: str
    email: str
    sessions: tuple[OpenSession, ...]


def sessions_page(live: Iterable[Live], *, viewer: Viewer, locale: str) -> SessionsPage:
    """This browser first, then the others, the latest use first."""
    found = [
        OpenSession(
            id=each.id,
            browser=each.browser,
            since=wording.day(each.created_at, locale),
            last_used=wording.moment(each.last_seen_at, locale),
            is_this=each.id == viewer.session_id,
        )
        for each in live
    ]
    found.sort(key=lambda each: not each.is_this)
    return SessionsPage(name=viewer.name, email=viewer.email, sessions=tuple(found))
