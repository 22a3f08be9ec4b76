"""REQUEST, CANCEL and PUBLISH: what goes with a mail, as octets.

The same octets are the calendar part of the mail and its ``invite.ics`` attachment.
"""

from __future__ import annotations

from icalendar import Event

from scheduler.ical.entry import Entry, Occasion, calendar, event, octets, person


def request(entry: Entry) -> bytes:
    """Ask one person to come, or tell the same person that something changed.

    The answer is asked for again when time or place changed (PARTSTAT=NEEDS-ACTION);
    an update of words repeats what the person said.
    """
    invited = _invitation(entry, status=entry.status)
    invited.add("transp", "OPAQUE")
    return _mailed(invited, method="REQUEST")


def cancel(entry: Entry) -> bytes:
    """Take the invitation back from one person.

    RFC 5546 §3.2.5: the same UID, ORGANIZER and ATTENDEE, and a higher SEQUENCE. What
    was published to a list is cancelled without ATTENDEE (§4.1.3).
    """
    write = _published if entry.shared else _invitation
    withdrawn = write(entry, status="CANCELLED")
    withdrawn.add("transp", "TRANSPARENT")
    return _mailed(withdrawn, method="CANCEL")


def publish(entry: Entry) -> bytes:
    """For a mailing list, where no single reader is known.

    RFC 5546 §3.2.1 forbids ATTENDEE here: calendars offer "add" and no answer.
    """
    told = _published(entry, status=entry.status)
    told.add("transp", "OPAQUE")
    return _mailed(told, method="PUBLISH")


def public(occasion: Occasion) -> bytes:
    """The file behind "add to my calendar" on a page that many people can open.

    Neither METHOD nor people: the reader keeps it as an entry of their own.
    """
    shown = event(occasion, status="CONFIRMED")
    shown.add("transp", "OPAQUE")
    alone = calendar()
    alone.add_component(shown)
    return octets(alone)


def _published(entry: Entry, *, status: str) -> Event:
    written = event(entry, status=status)
    written.add("organizer", person(entry.organizer_address, entry.organizer_name))
    return written


def _invitation(entry: Entry, *, status: str) -> Event:
    written = _published(entry, status=status)
    written.add(
        "attendee",
        person(
            entry.attendee_address,
            entry.attendee_name,
            CUTYPE="INDIVIDUAL",
            ROLE="REQ-PARTICIPANT",
            PARTSTAT=entry.answer.upper() or "NEEDS-ACTION",
            RSVP="TRUE" if entry.rsvp else "FALSE",
        ),
    )
    return written


def _mailed(written: Event, *, method: str) -> bytes:
    # RFC 5546 §1.4: METHOD is the calendar's, and one mail carries one UID.
    parcel = calendar()
    parcel.add("method", method)
    parcel.add_component(written)
    return octets(parcel)
