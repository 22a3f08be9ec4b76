"""The sample's campaigns: one whose wishes are all in, one that is open to wishes.

Twenty classes have filed for the first (``sample/wishes.csv``). Some small companies
open two visits in a row for it, so that a whole class can come in half-groups. Nothing
is computed yet: whoever plays the coordinator does that.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from scheduler.demo.network import COORDINATOR, Known
from scheduler.demo.tables import parts, table
from scheduler.domain.campaigns import Timing
from scheduler.domain.localtime import instant, local, local_day
from scheduler.domain.refusals import Refusal
from scheduler.domain.wishes import Splitting, Wish, WishList
from scheduler.persistence.queries import seeding
from scheduler.services import campaigns
from scheduler.services.campaigns import Rules
from scheduler.services.reference import Line
from scheduler.services.slots import SeatsWanted, SlotTimes, add_slot
from scheduler.services.transaction import transaction
from scheduler.services.wishes import file_wishes

DAY = timedelta(days=1)
OPENING, CLOSING = time(8, 0), time(18, 0)
SEED, OPEN_SEED = 271_828, 314_159
IN_A_ROW = {"H02": 2, "H04": 3, "H07": 2, "H08": 2, "H16": 1, "H22": 1}
"""Host → on how many days it receives two groups, one after the other."""
PAUSE = timedelta(minutes=15)
EARLY = 6
"""How many classes have filed for the open campaign already."""


def add_campaigns(
    session: Session, known: Known, offer_ids: dict[str, int], *, now: datetime
) -> None:
    """Both campaigns with their wish lists; the mail about them counts as sent."""
    full = _announced(
        session,
        known,
        Rules(
            name="Visites du printemps",
            note="Toutes les classes sont les bienvenues, des collèges aux BUT.",
            timing=_timing(now, opened=28, closed=-1, first=50, last=150),
            seed=SEED,
        ),
        now=now - 35 * DAY,
    )
    coming = _announced(
        session,
        known,
        Rules(
            name="Industri’Elles : des femmes racontent leur métier",
            theme="Industri’Elles",
            timing=_timing(now, opened=4, closed=17, first=90, last=190),
            seed=OPEN_SEED,
        ),
        now=now - 10 * DAY,
    )
    _open_in_a_row(session, known, offer_ids, now=now)
    lists = table("wishes")
    for place, line in enumerate(lists):
        filed = now - 20 * DAY + place * timedelta(hours=19)
        _file(session, known, full, line, now=filed)
    for place, line in enumerate(lists[:EARLY]):
        filed = now - 3 * DAY + place * timedelta(hours=7)
        _file(session, known, coming, line, now=filed)
    with transaction(session):
        seeding.mark_sent_before(session, before=now - timedelta(hours=1))


def _timing(
    now: datetime, *, opened: int, closed: int, first: int, last: int
) -> Timing:
    """Days from today; wishes opened so many days ago."""
    today = local_day(now)
    return Timing(
        opens_at=instant(today - opened * DAY, OPENING),
        closes_at=instant(today + closed * DAY, CLOSING),
        allocation_on=today + max(closed, 0) * DAY + DAY,
        first_visit_on=today + first * DAY,
        last_visit_on=today + last * DAY,
    )


def _announced(session: Session, known: Known, rules: Rules, *, now: datetime) -> int:
    by = known.actors[COORDINATOR]
    campaign = campaigns.create_campaign(session, rules, by=by, now=now)
    campaigns.announce_campaign(session, campaign, by=by, now=now)
    return campaign


def _open_in_a_row(
    session: Session, known: Known, offer_ids: dict[str, int], *, now: datetime
) -> None:
    """A second visit right after the first, on a few days of each small company."""
    start, end = now + 50 * DAY, now + 150 * DAY
    for key, days in IN_A_ROW.items():
        slots = seeding.slots_between(
            session, [known.organisations[key]], start=start, end=end
        )
        times = [(local(each.starts_at), local(each.ends_at)) for each in slots]
        session.rollback()
        for starts, ends in times[:days]:
            again = ends + PAUSE
            try:
                add_slot(
                    session,
                    offer_ids[key],
                    SlotTimes(
                        day=again.date(),
                        starts=again.time(),
                        ends=(again + (ends - starts)).time(),
                    ),
                    wanted=SeatsWanted(),
                    by=known.actors[key],
                    now=now - 30 * DAY,
                )
            except Refusal:
                # It had two visits that day already.
                continue


def _file(
    session: Session, known: Known, campaign: int, line: Line, *, now: datetime
) -> None:
    students = {each["class_id"]: each["students"] for each in table("classes")}
    key = line["class_id"]
    file_wishes(
        session,
        campaign,
        known.classes[key],
        WishList(
            students=int(students[key]),
            adults=3,
            wishes=tuple(_wish(known, words) for words in parts(line["wishes"])),
            max_km=int(line["max_km"]),
            split=Splitting(line["split"]),
            max_parts=int(line["max_parts"]),
            message=line["message_fr"],
        ),
        by=known.actors[line["teacher_id"]],
        now=now,
    )


def _wish(known: Known, words: str) -> Wish:
    """``H07`` a company; ``*MACHINING,ENERGY`` these fields; ``*`` anything."""
    if words.startswith("*"):
        return Wish(field_codes=tuple(parts(words[1:], ",")))
    return Wish(host_id=known.organisations[words])
