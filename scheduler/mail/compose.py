"""A recorded message becomes a letter: templates/mail/<kind>, in the reader's language.

Rendering happens when the letter is sent, from what was recorded when the change was
made. So a letter says what was true at that revision, a fault in a template is a failed
letter and not a failed confirmation, and a mended template mends what still waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from scheduler import wording
from scheduler.ical.entry import Occasion
from scheduler.mail.campaigns import campaign_facts
from scheduler.mail.digest import digest
from scheduler.mail.entries import invitation, occasion
from scheduler.mail.facts import STUDENT, VisitFacts, visit_facts
from scheduler.mail.letter import Letter, Message, Undeliverable
from scheduler.mail.press import Press
from scheduler.mail.wish_copy import wishes_told
from scheduler.wording import clean_line

LOCALES = ("fr", "en")
SUBJECT_LIMIT = 160
# RFC 5322 §3.6.4 asks for the whole thread; long ones keep their first and their last.
MOST_REFERENCES = 10

# RFC 3834, and the same for Exchange: no out-of-office answers. Not "All", which would
# suppress delivery reports too.
HEADERS = (
    ("Auto-Submitted", "auto-generated"),
    ("X-Auto-Response-Suppress", "OOF, AutoReply"),
)

ONE_CLICK = ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")

Links = Callable[[str, Any], str]


@dataclass(frozen=True, kw_only=True)
class Imprint:
    """What every letter carries: who sends it, and where its pages are.

    ``reads_answers``: whether the mailbox behind the sender is looked into.
    ``visit_pages`` are the signed-in pages of a visit per audience, with ``{id}``.
    """

    base_url: str
    organizer_address: str
    organizer_name: str
    campus_name: str
    reads_answers: bool = False
    visit_pages: Mapping[str, str] = field(
        default_factory=lambda: {
            "teacher": "/teacher/visits/{id}",
            "host": "/host/visits/{id}",
            "school": "/teacher/visits/{id}",
            "campus": "/coordinator/visits/{id}",
        }
    )
    search_page: str = "/teacher/offers"

    @property
    def search(self) -> str:
        """Where a teacher looks for another visit."""
        return self.base_url.rstrip("/") + self.search_page

    def page(self, audience: str, visit_id: int, class_code: str) -> str | None:
        """Where this reader finds the visit. Students have no account but a code."""
        path = self.visit_pages.get(audience, "").format(id=visit_id)
        if audience == STUDENT and class_code.isalnum() and class_code.isascii():
            path = f"/c/{class_code}"
        return self.base_url.rstrip("/") + path if path else None


class Compose:
    """Turns messages into letters. ``links(purpose, id)`` derives a secret link."""

    def __init__(self, imprint: Imprint, *, links: Links, templates: Path) -> None:
        self._imprint = imprint
        self._links = links
        self._presses = {locale: Press(templates, locale=locale) for locale in LOCALES}
        self._told: tuple[Mapping[str, Any], str, str, VisitFacts] | None = None

    def __call__(self, message: Message) -> Letter:
        """The letter of a message. The same message always gives the same letter."""
        press = self._press(message.locale)
        facts = self._facts(message.payload, press) | {
            "has_calendar": message.method is not None,
            "to_list": message.method == "PUBLISH",
            "recipient_name": clean_line(message.recipient_name),
        }
        folder = f"mail/{message.kind}"
        return Letter(
            recipient_name=clean_line(message.recipient_name),
            recipient_address=message.recipient_address,
            sender_name=self._imprint.organizer_name,
            sender_address=self._imprint.organizer_address,
            subject=clean_line(
                press.line(f"{folder}/subject.txt", **facts), SUBJECT_LIMIT
            ),
            text=press.text(f"{folder}/body.txt", **facts),
            html=press.html(f"{folder}/body.html", **facts),
            calendar=self._calendar(message, press),
            method=message.method,
            message_id=message.message_id,
            references=_shortened(message.references),
            date=message.created_at,
            headers=(*HEADERS, *self._unsubscribe_headers(message.payload)),
            envelope_from=message.envelope_from,
        )

    def occasion(
        self,
        recorded: Mapping[str, Any],
        *,
        audience: str,
        locale: str,
        uid: str,
        sequence: int,
        dtstamp: datetime,
        answer_link: str | None = None,
    ) -> Occasion:
        """A visit in the words of our calendars, for feeds and for one file."""
        visit = self._visit(recorded, audience=audience, locale=locale)
        return occasion(
            visit,
            self._press(locale),
            audience=audience,
            page=self._imprint.page(audience, visit.id, visit.class_code),
            uid=uid,
            sequence=sequence,
            dtstamp=dtstamp,
            answer_link=answer_link,
        )

    def calendar_name(self, kind: str, organisation: str, *, locale: str) -> str:
        """What a subscribed calendar is called in the list of somebody's calendars."""
        return self._press(locale).line(
            "mail/entry/calendar.txt", kind=kind, organisation=clean_line(organisation)
        )

    def _visit(
        self, recorded: Mapping[str, Any], *, audience: str, locale: str
    ) -> VisitFacts:
        """The last one is kept: a letter asks twice, and a class reads the same."""
        last = self._told
        if last is None or last[:3] != (recorded, audience, locale):
            facts = visit_facts(recorded, audience=audience, locale=locale)
            self._told = last = (dict(recorded), audience, locale, facts)
        return last[3]

    def _press(self, locale: str) -> Press:
        return self._presses.get(locale, self._presses[LOCALES[0]])

    def _unsubscribe_headers(
        self, payload: Mapping[str, Any]
    ) -> tuple[tuple[str, str], ...]:
        """RFC 8058: mail programs show a button that ends this kind of mail."""
        link = self._link(payload.get("unsubscribe"))
        if link is None:
            return ()
        return (("List-Unsubscribe", f"<{link}>"), ONE_CLICK)

    def _facts(self, payload: Mapping[str, Any], press: Press) -> dict[str, object]:
        audience = str(payload.get("audience") or "")
        facts: dict[str, object] = {
            "audience": audience,
            "has_calendar": False,
            "campus_name": clean_line(self._imprint.campus_name),
            "base_url": self._imprint.base_url.rstrip("/"),
            "search": self._imprint.search,
            "recipient_name": "",
            "reads_answers": self._imprint.reads_answers,
            "to_list": False,
            "change": str(payload.get("change") or ""),
            "link": self._link(payload.get("link")),
            "answer_link": self._link(payload.get("answer_link")),
            "unsubscribe": self._link(payload.get("unsubscribe")),
            "page": None,
            "expires": None,
            "count": payload.get("count"),
        }
        if payload.get("visit"):
            visit = self._visit(
                payload["visit"], audience=audience, locale=press.locale
            )
            facts["visit"] = visit
            facts["page"] = self._imprint.page(audience, visit.id, visit.class_code)
        if payload.get("campaign"):
            facts["campaign"] = campaign_facts(
                payload["campaign"],
                audience=audience,
                locale=press.locale,
                base_url=self._imprint.base_url,
                link=self._link,
                page=lambda told: self._imprint.page(audience, told.id, ""),
            )
        if payload.get("digest"):
            facts["digest"] = digest(
                payload["digest"],
                press,
                facts=lambda told: self._facts(told, press),
                page=self._imprint.page,
            )
        if payload.get("wishes"):
            facts["wishes"] = wishes_told(
                payload["wishes"], locale=press.locale, base_url=self._imprint.base_url
            )
        if payload.get("expires_at"):
            until = datetime.fromisoformat(payload["expires_at"])
            facts["expires"] = wording.moment(until, press.locale)
        return facts

    def _link(self, recorded: Mapping[str, Any] | None) -> str | None:
        """Only the link's id is stored; the secret is made here and kept nowhere."""
        if recorded is None:
            return None
        return self._links(str(recorded["purpose"]), recorded["id"])

    def _calendar(self, message: Message, press: Press) -> bytes | None:
        if message.method is None:
            return None
        if message.uid is None or message.sequence is None or message.dtstamp is None:
            raise Undeliverable("invitation_without_identity")
        told = self.occasion(
            message.payload["visit"],
            audience=str(message.payload["audience"]),
            locale=press.locale,
            uid=message.uid,
            sequence=message.sequence,
            dtstamp=message.dtstamp,
            answer_link=self._link(message.payload.get("answer_link")),
        )
        try:
            return invitation(
                message,
                told,
                organizer_address=self._imprint.organizer_address,
                organizer_name=self._imprint.organizer_name,
            )
        except ValueError as wrong:
            raise Undeliverable(str(wrong)) from wrong


def _shortened(references: tuple[str, ...]) -> tuple[str, ...]:
    if len(references) <= MOST_REFERENCES:
        return references
    return references[:1] + references[1 - MOST_REFERENCES :]
