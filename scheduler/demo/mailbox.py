"""The mails that the demo caught, in lists and one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from scheduler.demo.catcher import CaughtMail, caught_keys, caught_mails, read_caught
from scheduler.demo.replies import invited_by
from scheduler.domain.refusals import NotFound
from scheduler.ical.reading import ReadCalendar, read_calendar

MOST_MAILS = 200
MOST_SOURCE = 200_000


class View(StrEnum):
    """The ways to look at a mail."""

    HTML = "html"
    TEXT = "text"
    CALENDAR = "calendar"
    SOURCE = "source"


@dataclass(frozen=True, kw_only=True)
class MailboxPage:
    """``recipients`` with how many mails each got; ``newest``: key of the last one."""

    mails: tuple[CaughtMail, ...]
    recipients: tuple[tuple[str, int], ...]
    chosen: str
    newest: str


@dataclass(frozen=True, kw_only=True)
class MailPage:
    mail: CaughtMail
    view: View
    calendar: ReadCalendar | None
    calendar_text: str
    source: str
    may_answer: bool


def mailbox_page(folder: Path, *, recipient: str) -> MailboxPage:
    """The newest mails, all or those to one recipient."""
    mails = caught_mails(folder, limit=MOST_MAILS)
    counts: dict[str, int] = {}
    for each in mails:
        counts[each.to] = counts.get(each.to, 0) + 1
    chosen = recipient if recipient in counts else ""
    return MailboxPage(
        mails=tuple(each for each in mails if chosen in {"", each.to}),
        recipients=tuple(sorted(counts.items())),
        chosen=chosen,
        newest=mails[0].key if mails else "",
    )


def arrived_since(folder: Path, key: str) -> int:
    """How many mails came after the one with the key; all if it is unknown."""
    keys = caught_keys(folder)
    return keys.index(key) if key in keys else len(keys)


def mail(folder: Path, key: str) -> CaughtMail:
    """One mail; raises ``NotFound``."""
    found = read_caught(folder, key)
    if found is None:
        raise NotFound
    return found


def mail_page(folder: Path, key: str, *, view: str) -> MailPage:
    """One mail in the way that was asked for, or the first that it has."""
    found = mail(folder, key)
    wanted = View(view) if view in set(View) else View.HTML
    if wanted is View.CALENDAR and found.calendar is None:
        wanted = View.HTML
    if wanted is View.HTML and not found.html:
        wanted = View.TEXT
    return MailPage(
        mail=found,
        view=wanted,
        calendar=read_calendar(found.calendar) if found.calendar else None,
        calendar_text=(found.calendar or b"").decode("utf-8", "replace"),
        source=found.raw[:MOST_SOURCE].decode("utf-8", "replace"),
        may_answer=invited_by(found.calendar) is not None,
    )
