"""Europe/Paris as calendars need it written.

Written by hand on purpose. What icalendar generates gives the spring change in the
wall time after it, and lists of dates that other readers extrapolate wrongly; Outlook
keeps one yearly rule each way and nothing else ([MS-STANOICAL] 2.2.47). These two rules
are exact for every date from 1996-10-27 on; a test compares them with ``zoneinfo`` so
that a change of law is noticed.
"""

from __future__ import annotations

TZID = "Europe/Paris"

PARIS_ZONE = b"""\
BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
""".replace(b"\n", b"\r\n")
