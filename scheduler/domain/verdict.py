"""What a received message does: the rules, without reading it or acting upon it.

    message ──▶ readable? ──▶ report? ──▶ calendar? ──▶ ours? ──▶ whose? ──▶ in order?

Each question has codes of its own; the table in docs/invitations.md explains them.
``reject`` is for what is invalid or forged. ``ignore`` is for the rest that changes
nothing: silence, or a person should look (``for_person``). Nothing is ever mailed in
answer to a message, whatever it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.domain.answers import Answer, Effect
from scheduler.domain.inbound import (
    AttendeeLine,
    Authentication,
    BounceReport,
    CalendarAnswer,
    ReceivedMail,
    UnreadableAnswer,
)

# A clock that is wrong by some hours is common; DTSTAMP orders the answers, so one far
# ahead would silence every later answer.
CLOCK_TOLERANCE = timedelta(days=1)

ANSWERED: dict[str, tuple[Effect, Answer, str]] = {
    "ACCEPTED": (Effect.ACCEPT, Answer.ACCEPTED, "accepted"),
    "TENTATIVE": (Effect.TENTATIVE, Answer.TENTATIVE, "tentative"),
    "DECLINED": (Effect.DECLINE, Answer.DECLINED, "declined"),
}
ANSWERING_METHODS = frozenset({"REPLY", "COUNTER", "REFRESH"})
NOTHING_SAID = frozenset({"", "NEEDS-ACTION"})

# What a person can still make something of, though the service cannot.
CLOSED_TO_US = frozenset({"winmail", "encrypted"})


@dataclass(frozen=True, kw_only=True)
class KnownInvitation:
    """The invitation that a UID belongs to, as it is now.

    ``address`` is the one we wrote to. ``last``: SEQUENCE and DTSTAMP of the answer
    that counts; an answer given on the page has the current SEQUENCE and its own
    moment. ``asked`` is false for mailing lists and where no answer was wanted.
    """

    uid: str
    address: str
    organizer: str
    sequence: int
    cancelled: bool = False
    asked: bool = True
    over: bool = False
    last: tuple[int, datetime] | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What to do, why, and what was said. ``proposed``: the other time of a COUNTER."""

    effect: Effect
    code: str
    answer: Answer | None = None
    comment: str = ""
    sequence: int | None = None
    dtstamp: datetime | None = None
    proposed: tuple[datetime, datetime] | None = None
    for_person: bool = False


def judge(
    mail: ReceivedMail,
    answer: CalendarAnswer | UnreadableAnswer | None,
    known: KnownInvitation | None,
    *,
    now: datetime,
    bounced: bool = True,
) -> Verdict:
    """Decide. ``bounced``: the letter that a delivery report names is known."""
    unread = _unread(mail, bounced=bounced)
    if unread is not None:
        return unread
    if answer is None:
        return _without_calendar(mail)
    if isinstance(answer, UnreadableAnswer):
        return _reject(answer.code)
    # An unknown UID is met with silence: whoever tries UIDs learns nothing.
    if known is None or answer.uid != known.uid:
        return _ignore("unknown_uid")
    return _told(_answered(mail, answer, known, now=now), answer)


def _unread(mail: ReceivedMail, *, bounced: bool) -> Verdict | None:
    """What is settled before any calendar is looked at."""
    if mail.problem:
        return _reject(mail.problem)
    if mail.report is not None:
        return _reported(mail.report, bounced=bounced)
    if mail.calendar_problem in CLOSED_TO_US:
        return _ignore(mail.calendar_problem, for_person=True)
    return _reject(mail.calendar_problem) if mail.calendar_problem else None


def _reported(report: BounceReport, *, bounced: bool) -> Verdict:
    if report.delivered:
        return _ignore("delivery_notice")
    if not bounced:
        return _ignore("unknown_bounce")
    code = "bounced" if report.permanent else "delayed"
    return Verdict(effect=Effect.BOUNCE, code=code)


def _without_calendar(mail: ReceivedMail) -> Verdict:
    """No part to act upon. Robots are left alone; people are read by people."""
    if mail.is_receipt:
        return _ignore("read_receipt")
    machine = _machine(mail)
    if machine:
        return _ignore(machine)
    if mail.auto_submitted not in {"", "no"}:
        return _ignore("auto_generated")
    return _ignore("no_calendar", for_person=True)


def _machine(mail: ReceivedMail) -> str:
    """The code if a robot or a list sent it. Google's answers say auto-generated."""
    if mail.is_auto_reply or mail.auto_submitted == "auto-replied":
        return "auto_reply"
    if mail.is_list:
        return "list_mail"
    return "bulk_mail" if mail.is_bulk else ""


def _answered(
    mail: ReceivedMail, answer: CalendarAnswer, known: KnownInvitation, *, now: datetime
) -> Verdict:
    machine = _machine(mail)
    if machine:
        return _ignore(machine, for_person=machine != "auto_reply")
    if not answer.method:
        return _reject("no_method")
    if answer.method not in ANSWERING_METHODS:
        # REQUEST, CANCEL, ADD, DECLINECOUNTER, PUBLISH are the organizer's: ours.
        return _reject("not_ours_to_send")
    if mail.authentication is Authentication.FAIL_REJECT:
        return _reject("forged_sender")
    line = _line_of(answer, known.address)
    if isinstance(line, Verdict):
        return line
    return (
        _wrong_hand(mail, line, known)
        or _wrong_claims(answer, known, now=now)
        or _out_of_order(answer, known)
        or _meant(answer, line)
    )


def _line_of(answer: CalendarAnswer, address: str) -> AttendeeLine | Verdict:
    """The one line that speaks for this address; the others are not looked at."""
    lines = [line for line in answer.attendees if _same(line.address, address)]
    if len({line.partstat for line in lines}) > 1:
        return _reject("contradiction")
    if lines:
        return lines[0]
    if not answer.attendees:
        return _reject("no_attendee")
    delegates = (line.delegated_from for line in answer.attendees)
    if any(_same(one, address) for addresses in delegates for one in addresses):
        return _ignore("delegated", for_person=True)
    return _ignore("other_attendee", for_person=True)


def _wrong_hand(
    mail: ReceivedMail, line: AttendeeLine, known: KnownInvitation
) -> Verdict | None:
    """RFC 6047 §2.2.1: what somebody else says for the attendee must not count.

    Sender, Reply-To and SENT-BY prove nothing. A domain without a policy passes
    (Google's answers for its customers look so): the random UID is the proof.
    """
    if len(mail.from_addresses) != 1:
        return _ignore("several_senders", for_person=True)
    if line.sent_by and not _same(line.sent_by, known.address):
        return _ignore("sent_by", for_person=True)
    if not _same(mail.from_addresses[0], known.address):
        return _ignore("wrong_sender", for_person=True)
    return None


def _wrong_claims(
    answer: CalendarAnswer, known: KnownInvitation, *, now: datetime
) -> Verdict | None:
    if answer.organizer and not _same(answer.organizer, known.organizer):
        return _reject("wrong_organizer")
    if answer.is_recurrence:
        return _reject("recurrence")
    if answer.dtstamp > now + CLOCK_TOLERANCE:
        return _reject("future_dtstamp")
    if answer.sequence > known.sequence:
        return _reject("future_sequence")
    return None


def _out_of_order(answer: CalendarAnswer, known: KnownInvitation) -> Verdict | None:
    """RFC 5546 §2.1.5: SEQUENCE first, DTSTAMP between equals."""
    if known.cancelled:
        return _ignore("cancelled")
    if known.over:
        return _ignore("over")
    if not known.asked:
        return _ignore("not_asked")
    if answer.sequence < known.sequence:
        return _ignore("earlier_version")
    stamp = (answer.sequence, answer.dtstamp)
    if answer.method == "REPLY" and known.last is not None and stamp <= known.last:
        return _ignore("older_answer")
    return None


def _meant(answer: CalendarAnswer, line: AttendeeLine) -> Verdict:
    if answer.method == "REFRESH":
        return _ignore("refresh")
    comment = line.comment or answer.comment
    if answer.method == "COUNTER":
        return _countered(answer, comment)
    if line.partstat in ANSWERED:
        effect, said, code = ANSWERED[line.partstat]
        return Verdict(effect=effect, code=code, answer=said, comment=comment)
    if line.partstat == "DELEGATED":
        return _ignore("delegated", for_person=True)
    return _ignore("no_answer" if line.partstat in NOTHING_SAID else "unknown_answer")


def _countered(answer: CalendarAnswer, comment: str) -> Verdict:
    """Another time is proposed. What was answered before stands."""
    starts_at, ends_at = answer.starts_at, answer.ends_at
    if starts_at is None or ends_at is None or ends_at <= starts_at:
        code, proposed = "counter_without_time", None
    else:
        code, proposed = "counter", (starts_at, ends_at)
    return Verdict(
        effect=Effect.IGNORE,
        code=code,
        comment=comment,
        proposed=proposed,
        for_person=True,
    )


def _told(verdict: Verdict, answer: CalendarAnswer) -> Verdict:
    return Verdict(
        effect=verdict.effect,
        code=verdict.code,
        answer=verdict.answer,
        comment=verdict.comment,
        sequence=answer.sequence,
        dtstamp=answer.dtstamp,
        proposed=verdict.proposed,
        for_person=verdict.for_person,
    )


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _ignore(code: str, *, for_person: bool = False) -> Verdict:
    return Verdict(effect=Effect.IGNORE, code=code, for_person=for_person)


def _reject(code: str) -> Verdict:
    return Verdict(effect=Effect.REJECT, code=code)
