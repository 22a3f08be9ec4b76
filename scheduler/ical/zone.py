"""Europe/Paris as calendars need it written.

Written by hand on purpose. What icalendar generates gives the spring change in the
wall time after it, and lists of dates that other readers extrapolate wrongly; Outlook
keeps one yearly rule each way and nothing else ([MS-STANOICAL] 2.2.47). These two rules
are exact for every date from 1996-10-27 on; a test compares them with ``zoneinfo`` so
that a change of law is noticed.
"""

from __future__ import annotations

from typing import cast

from icalendar import Timezone

TZID = "Europe/Paris"

_TEXT = """\
BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""


def paris() -> Timezone:
    """A fresh component: what is added to a calendar belongs to that calendar."""
    return cast("Timezone", Timezone.from_ical(_TEXT.replace("\n", "\r\n")))
