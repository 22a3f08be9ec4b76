"""The only reader of the wall clock.

The demo may start at another day than today (its sample slots lie in one school
year), so the clock carries one offset, set once when the application is made.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def now() -> datetime:
    """The present instant, aware, UTC."""
    return datetime.now(UTC) + _offset


def start_at(moment: datetime) -> None:
    """Let the clock show ``moment`` now, whatever it showed before."""
    shift(moment - datetime.now(UTC))


def shift(offset: timedelta) -> None:
    """Let the clock run ``offset`` ahead of (or behind) the machine's."""
    global _offset  # noqa: PLW0603 - the one state of this module
    _offset = offset
