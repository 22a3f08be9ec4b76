"""Which mail may wait for the morning, and which may be refused.

What carries a calendar entry or asks for an answer always goes out at once, to
everybody: a calendar that is right tomorrow is wrong today. The rest is news. Who likes
one mail a day gets the news of a day together, in the morning.

Only reminders and daily mails can be refused by one click (RFC 8058). Whoever refused
a cancellation would stand before a closed door.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from scheduler.domain.localtime import instant, local_day

DIGEST = "digest"
REMINDERS = frozenset({"reminder_7", "reminder_1"})
# News that ask for nothing. Not the eve's reminder: in the morning it is too late.
MAY_WAIT = frozenset(
    {
        "move_declined",
        "move_withdrawn",
        "organiser_thanks",
        "reminder_7",
        "visit_changed",
        "visit_declined",
        "visit_expired",
        "visit_requested_teacher",
        "visit_withdrawn",
    }
)
MORNING = time(7, 30)
DAY = timedelta(days=1)


def waits_for_digest(kind: str, *, daily: bool, with_calendar: bool) -> bool:
    """Whether this mail goes into its reader's daily one."""
    return daily and not with_calendar and kind in MAY_WAIT


def last_morning(now: datetime) -> datetime:
    """The latest half past seven that is not ahead."""
    today = instant(local_day(now), MORNING)
    return today if today <= now else instant(local_day(now) - DAY, MORNING)


def next_morning(now: datetime) -> datetime:
    """The half past seven at which the news of this moment are told."""
    return instant(local_day(last_morning(now)) + DAY, MORNING)
