"""A calendar as RFC 5546 wants it, and stricter: what it must not be sent is an error.

It knows an event by its UID alone, takes only what is newer (SEQUENCE, then DTSTAMP),
keeps a CANCEL in mind, and believes one organizer for an event.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

NOT_ASKED = "NEEDS-ACTION"


@dataclass(frozen=True, kw_only=True)
class Mail:
    """The calendar part of one mail. ``attendee`` is empty in what goes to a list."""

    to: str
    method: str
    uid: str
    sequence: int
    dtstamp: datetime
    organizer: str
    attendee: str
    status: str
    starts_at: datetime
    ends_at: datetime
    place: str
    text: str
    partstat: str = NOT_ASKED

    @property
    def version(self) -> tuple[int, datetime]:
        return self.sequence, self.dtstamp

    @property
    def shown(self) -> tuple[object, ...]:
        """What a person sees of it."""
        return self.starts_at, self.ends_at, self.place, self.status, self.text


@dataclass
class Client:
    """One person's calendar."""

    address: str
    events: dict[str, Mail] = field(default_factory=dict)
    taken: int = 0

    def receive(self, mail: Mail) -> None:
        """Newer than what is known, or nothing."""
        self._must_be_mine(mail)
        known = self.events.get(mail.uid)
        if known is not None:
            assert mail.organizer == known.organizer, "another organizer"
            if mail.version <= known.version:
                same = mail.version == known.version
                assert not same or mail == replace(known, partstat=mail.partstat)
                return
            assert mail.sequence > known.sequence, "news under an old SEQUENCE"
            assert mail.dtstamp > known.dtstamp, "a DTSTAMP that goes back"
        self.events[mail.uid] = mail
        self.taken += 1

    def _must_be_mine(self, mail: Mail) -> None:
        assert mail.to == self.address, "somebody else's mail"
        assert mail.method in {"REQUEST", "CANCEL", "PUBLISH"}
        assert mail.attendee in {"", self.address}, "somebody else's invitation"
        assert (mail.method != "REQUEST") or mail.attendee, "a REQUEST to nobody"
        assert (mail.method != "PUBLISH") or not mail.attendee, "a list is nobody"
        assert (mail.method == "CANCEL") == (mail.status == "CANCELLED")

    @property
    def visible(self) -> list[Mail]:
        """What the person sees; what was cancelled is struck out or gone."""
        return [each for each in self.events.values() if each.method != "CANCEL"]

    def answer(self, partstat: str) -> Mail | None:
        """Press a button on what is shown, and send a REPLY to that version."""
        for uid, mail in self.events.items():
            if mail.method == "REQUEST":
                self.events[uid] = replace(mail, partstat=partstat)
                return self.events[uid]
        return None
