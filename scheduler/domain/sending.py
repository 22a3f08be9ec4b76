"""When a message goes out: not in the night, not about what is past, not for ever.

Quiet hours are for mail that nobody waits for. It comes in the morning instead, unless
the visit is near, or the morning would be too late for what it asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from scheduler.domain.announcements import Audience
from scheduler.domain.localtime import PARIS, local
from scheduler.domain.visits import VisitState

# After so long a message that is put off again and again is given up.
LIFETIME = timedelta(hours=48)
DELAYS = tuple(timedelta(minutes=m) for m in (1, 5, 20, 60, 180, 360, 720, 1440))
JITTER = 0.2
# The rest of a domain comes after those of its messages that were tried.
BEHIND = 1.25
# Deferrals of one domain in a row, those of a second try counted twice.
DOMAIN_PATIENCE = 3
# A change of a visit that is so near goes out at any hour.
NEAR = timedelta(hours=36)

# A person sits before the screen and waits for it.
WAITED_FOR = frozenset({"sign_in"})
# Sent because a visit is over.
AFTERWARDS = frozenset({"organiser_thanks"})
WAITS_FOR_ANSWER = frozenset({VisitState.REQUESTED.value, VisitState.PROPOSED.value})
_SIDE = {Audience.TEACHER: "school", Audience.HOST: "host"}


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What a message is about, as far as its hour matters.

    ``actor``: the side that did it. ``offered_until``: the last of the dates that the
    host offers instead. ``with_calendar``: it puts an entry right. Without a visit
    there is no ``starts_at``.
    """

    kind: str
    audience: Audience | None = None
    actor: str = ""
    state: str = ""
    with_calendar: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    offered_until: datetime | None = None
    answer_due_at: datetime | None = None


def is_past(topic: Topic, *, now: datetime) -> bool:
    """Whether its reader can do nothing with it any more.

    What puts a calendar right is worth it until the slot is over. News, reminders and
    questions are past when the slot has begun.
    """
    if topic.starts_at is None or topic.kind in AFTERWARDS:
        return False
    puts_right = topic.with_calendar and topic.state not in WAITS_FOR_ANSWER
    over = (puts_right and topic.ends_at) or topic.starts_at
    if topic.offered_until is not None:
        over = max(over, topic.offered_until)
    return over <= now


def not_before(
    topic: Topic, *, now: datetime, quiet_from: time, quiet_until: time
) -> datetime:
    """When it may go out: now, or in the morning."""
    morning = _end_of_quiet(now, quiet_from=quiet_from, quiet_until=quiet_until)
    if morning is None or topic.kind in WAITED_FOR:
        return now
    if topic.audience is not None and topic.actor == _SIDE.get(topic.audience):
        # An answer to what its reader did a moment ago.
        return now
    points = (topic.starts_at and topic.starts_at - NEAR, topic.answer_due_at)
    if any(point is not None and point <= morning for point in points):
        return now
    return morning


def _end_of_quiet(
    now: datetime, *, quiet_from: time, quiet_until: time
) -> datetime | None:
    """The end of the quiet hours that ``now`` lies in."""
    at = local(now)
    wall = at.time()
    if quiet_from <= quiet_until:
        quiet, later = quiet_from <= wall < quiet_until, False
    else:
        quiet, later = wall >= quiet_from or wall < quiet_until, wall >= quiet_from
    if not quiet:
        return None
    day = at.date() + timedelta(days=1 if later else 0)
    end = datetime.combine(day, quiet_until, tzinfo=PARIS).astimezone(now.tzinfo)
    # The hour that comes twice in October: its first copy may lie behind us.
    return max(end, now + timedelta(minutes=1))


def next_try(
    attempts: int, *, first_tried_at: datetime, now: datetime, luck: float
) -> datetime | None:
    """When to try again after so many attempts; ``None``: give up.

    The distance grows. ``luck`` (0 to 1) spreads a crowd, so that it does not come
    back at once. The last try comes at the end of the two days, never after them.
    """
    end = first_tried_at + LIFETIME
    if now >= end:
        return None
    spread = 1 - JITTER + 2 * JITTER * luck
    return min(now + DELAYS[min(attempts, len(DELAYS)) - 1] * spread, end)


def domain_pause(attempts: int) -> timedelta:
    """How long the rest of a domain is left alone; it grows with what was tried."""
    return DELAYS[min(attempts, len(DELAYS)) - 1] * BEHIND
