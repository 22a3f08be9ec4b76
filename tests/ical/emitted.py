"""Every kind of calendar that the service gives out, and what it must say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from scheduler.ical.feed import feed
from scheduler.ical.invitation import cancel, public, publish, request
from tests.golden_files import FOLDER
from tests.ical.samples import NOW, TWO_HOURS, a_feed_entry, an_entry

SPRING = datetime(2027, 3, 28, 1, tzinfo=UTC)
AUTUMN = datetime(2027, 10, 31, 1, tzinfo=UTC)

# Both sides of both changes of the clocks of 2027, and across the one in spring. The
# hour that comes twice in autumn has one name for two instants (RFC 5545 §3.3.5 means
# the first); no company opens its door then.
AROUND = (
    *[SPRING + timedelta(hours=hours) for hours in (-26, -3, -1, 0, 7, 31)],
    *[AUTUMN + timedelta(hours=hours) for hours in (-26, -4, 1, 7, 31)],
)


class Emitted(NamedTuple):
    """``starts_at`` is ``None`` where the test need not know it."""

    name: str
    octets: bytes
    starts_at: datetime | None = None


def goldens() -> list[Emitted]:
    files = sorted(Path(FOLDER).rglob("*.ics"))
    return [Emitted(str(each.relative_to(FOLDER)), each.read_bytes()) for each in files]


def around_the_clock_changes() -> list[Emitted]:
    made = []
    for starts_at in AROUND:
        at: dict[str, Any] = {"starts_at": starts_at, "ends_at": starts_at + TWO_HOURS}
        entry = an_entry(**at)
        shared = an_entry(shared=True, **at)
        kinds = {
            "request": request(entry),
            "tentative": request(an_entry(status="TENTATIVE", **at)),
            "answered": request(an_entry(answer="accepted", **at)),
            "cancel": cancel(entry),
            "publish": publish(entry),
            "cancel_of_a_list": cancel(shared),
            "file": public(entry),
            "feed": feed("Classe 4e B", [a_feed_entry(**at)], NOW),
        }
        made += [
            Emitted(f"{kind} {starts_at:%Y-%m-%dT%H}", octets, starts_at)
            for kind, octets in kinds.items()
        ]
    return made


def everything() -> list[Emitted]:
    return goldens() + around_the_clock_changes()
