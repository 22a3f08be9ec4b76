"""Plans of a campaign, ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from scheduler.domain.campaigns import (
    HAS_PLAN,
    RUN_ENDED,
    Phase,
    RunState,
    phase,
)
from scheduler.domain.localtime import day_bounds, instant
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.persistence.queries import run_pages as queries
from scheduler.persistence.queries.run_pages import (
    Changed,
    Choice,
    ClassLine,
    Pinned,
    PlaceLine,
    RunLine,
    SlotLine,
)
from scheduler.services.reasons import Reason, reasons
from scheduler.services.runs import MAY_RUN
from scheduler.web.attempt import ServiceForm
from scheduler.web.signed_in import locale
from scheduler.wording import clean_line

if TYPE_CHECKING:
    from scheduler.persistence.models.campaigns import CampaignRow, RunRow

PER_PAGE = 25
LONGEST_SEARCH = 80
COMPARED = 50
NAMED = 40
OFFERS_SHOWN = 25
BLOCKERS_SHOWN = 5


class Show(StrEnum):
    """The tabs of the list of classes."""

    ALL = "all"
    SERVED = "served"
    WITHOUT = "without"


SERVED: dict[Show, bool | None] = {
    Show.ALL: None,
    Show.SERVED: True,
    Show.WITHOUT: False,
}


@dataclass(frozen=True, kw_only=True)
class RunsPage:
    """``others``: plans that can be compared."""

    campaign: CampaignRow
    phase: Phase
    may_run: bool
    lines: Sequence[RunLine]
    others: Sequence[RunRow]
    pins: Sequence[Pinned]
    form: ServiceForm
    number: int
    pages: int


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """``base``: the plan that a what-if started from; ``more``: classes gained."""

    campaign: CampaignRow
    line: RunLine
    base: RunRow | None
    reasons: Mapping[str, int]
    pins: Sequence[tuple[str, str, str]]
    added: Sequence[tuple[Choice, dict[str, Any], datetime | None]]
    form: ServiceForm

    @property
    def run(self) -> RunRow:
        return self.line.run

    @property
    def is_under_way(self) -> bool:
        return self.run.state not in RUN_ENDED

    @property
    def has_plan(self) -> bool:
        return self.run.state in HAS_PLAN

    @property
    def gained(self) -> int:
        """Classes that a what-if serves on top of the plan that it started from."""
        if self.base is None or not (self.has_plan and self.base.summary):
            return 0
        return int(
            self.run.summary["objective"]["served"]
            - self.base.summary["objective"]["served"]
        )


@dataclass(frozen=True, kw_only=True)
class ClassesPage:
    campaign: CampaignRow
    run: RunRow
    show: Show
    code: str
    words: str
    counts: Mapping[str, int]
    reasons: Mapping[str, int]
    lines: Sequence[ClassLine]
    places: Mapping[int, Sequence[PlaceLine]]
    number: int
    pages: int


@dataclass(frozen=True, kw_only=True)
class ClassPage:
    """``reason``: why it has nothing; ``blockers``: who is on the slots it wished."""

    campaign: CampaignRow
    run: RunRow
    line: ClassLine
    places: Sequence[PlaceLine]
    reason: Reason | None
    blockers: Sequence[str]
    pins: Sequence[Pinned]
    form: ServiceForm


@dataclass(frozen=True, kw_only=True)
class SlotsPage:
    campaign: CampaignRow
    run: RunRow
    words: str
    lines: Sequence[SlotLine]
    number: int
    pages: int


@dataclass(frozen=True, kw_only=True)
class ComparePage:
    """``more``, ``fewer``: how many classes, and the first of them by name."""

    campaign: CampaignRow
    one: RunRow
    other: RunRow
    more: tuple[int, Sequence[Changed]]
    fewer: tuple[int, Sequence[Changed]]
    moved: tuple[int, Sequence[str]]
    only_one: int
    only_other: int


@dataclass(frozen=True, kw_only=True)
class WhatIfPage:
    """Which company might open something: searched, chosen, filled in."""

    campaign: CampaignRow
    words: str
    offers: Sequence[Choice]
    offer: Choice | None
    slot: Choice | None
    form: ServiceForm | None


def campaign_of(campaign_id: int) -> CampaignRow:
    """The campaign; raises ``NotFound``."""
    found = queries.campaign(db.session(), campaign_id)
    if found is None:
        raise NotFound
    return found


def run_of(run_id: int) -> RunLine:
    """The run; raises ``NotFound``."""
    found = queries.run_line(db.session(), run_id)
    if found is None:
        raise NotFound
    return found


def planned(run_id: int) -> RunRow:
    """The run, which has a plan; raises ``NotFound``."""
    run = run_of(run_id).run
    if run.state not in HAS_PLAN:
        raise NotFound
    return run


def term(campaign: CampaignRow) -> tuple[datetime, datetime]:
    """First instant of the campaign's visits and of the day after."""
    first = day_bounds(campaign.first_visit_on)[0]
    return first, day_bounds(campaign.last_visit_on)[1]


def _within(number: int, of: int) -> tuple[int, int]:
    """A page that exists, and how many there are."""
    pages = max(1, -(-of // PER_PAGE))
    return min(max(1, number), pages), pages


def runs_page(
    campaign_id: int, form: ServiceForm, *, number: int, now: datetime
) -> RunsPage:
    """The plans of a campaign, the newest first."""
    session, campaign = db.session(), campaign_of(campaign_id)
    number, pages = _within(number, queries.number_of_runs(session, campaign_id))
    standing = phase(campaign.as_domain(), now=now)
    return RunsPage(
        campaign=campaign,
        phase=standing,
        may_run=standing in MAY_RUN,
        lines=queries.runs_of(
            session, campaign_id, offset=(number - 1) * PER_PAGE, limit=PER_PAGE
        ),
        others=queries.with_plan(session, campaign_id, limit=COMPARED),
        pins=queries.pins_of(session, campaign_id),
        form=form,
        number=number,
        pages=pages,
    )


def run_page(run_id: int, form: ServiceForm) -> RunPage:
    """One run: how far it is, or what came out."""
    session, line = db.session(), run_of(run_id)
    run = line.run
    base = run.based_on_id and queries.run_line(session, run.based_on_id)
    return RunPage(
        campaign=campaign_of(run.campaign_id),
        line=line,
        base=base.run if base else None,
        reasons=queries.reason_counts(session, run_id),
        pins=_refused_pins(run),
        added=[each for given in run.added if (each := _added(given))],
        form=form,
    )


def _refused_pins(run: RunRow) -> list[tuple[str, str, str]]:
    """Class, slot and why, of pins that no plan can keep."""
    if run.state is not RunState.FAILED:
        return []
    refused = run.summary.get("pins", [])
    session = db.session()
    names = queries.class_names(session, {int(each["class"][1:]) for each in refused})
    found = []
    for each in refused:
        slot = queries.slot_choice(session, int(each["slot"][1:]))
        found.append(
            (
                names.get(int(each["class"][1:]), ""),
                slot.host if slot else "",
                each["why"],
            )
        )
    return found


def _added(
    given: dict[str, Any],
) -> tuple[Choice, dict[str, Any], datetime | None] | None:
    """A slot of a what-if with what it adds, and when a new one would begin."""
    session = db.session()
    if "slot" in given:
        wider = queries.slot_choice(session, given["slot"])
        return (wider, given, wider.starts_at) if wider else None
    offer = queries.offer_choice(session, given["offer"])
    starts_at = instant(
        date.fromisoformat(given["day"]), time.fromisoformat(given["start"])
    )
    return (offer, given, starts_at) if offer else None


def show_of(text: str | None) -> Show:
    """The tab that is asked for."""
    return Show(text) if text in set(Show) else Show.ALL


def classes_page(
    run_id: int, *, show: Show, code: str, words: str, number: int
) -> ClassesPage:
    """One page of what each class gets."""
    session, run = db.session(), planned(run_id)
    plain = clean_line(words, LONGEST_SEARCH)
    reasons = queries.reason_counts(session, run_id)
    code = code if code in reasons and show is Show.WITHOUT else ""
    counts = {
        each.value: queries.number_of_classes(
            session, run_id, served=SERVED[each], code="", words=plain
        )
        for each in Show
    }
    of = counts[show.value]
    if code:
        of = queries.number_of_classes(
            session, run_id, served=False, code=code, words=plain
        )
    number, pages = _within(number, of)
    lines = queries.class_lines(
        session,
        run_id,
        served=SERVED[show],
        code=code,
        words=plain,
        offset=(number - 1) * PER_PAGE,
        limit=PER_PAGE,
    )
    return ClassesPage(
        campaign=campaign_of(run.campaign_id),
        run=run,
        show=show,
        code=code,
        words=plain,
        counts=counts,
        reasons=reasons,
        lines=lines,
        places=queries.places_of(session, run_id, [each.class_id for each in lines]),
        number=number,
        pages=pages,
    )


def class_page(run_id: int, class_id: int, form: ServiceForm) -> ClassPage:
    """One class of a plan, with what can be fixed by hand."""
    session, run = db.session(), planned(run_id)
    line = queries.class_line(session, run_id, class_id)
    outcome = queries.outcome(session, run_id, class_id)
    if line is None or outcome is None:
        raise NotFound
    told = reasons(session, run.campaign_id, [outcome], locale=locale())
    blockers = line.facts.get("blockers", [])[:BLOCKERS_SHOWN]
    names = queries.class_names(session, blockers)
    return ClassPage(
        campaign=campaign_of(run.campaign_id),
        run=run,
        line=line,
        places=queries.places_of(session, run_id, [class_id]).get(class_id, []),
        reason=told.get(class_id),
        blockers=[names[each] for each in blockers if each in names],
        pins=queries.pins_of(session, run.campaign_id, class_id=class_id),
        form=form,
    )


def slots_page(run_id: int, *, words: str, number: int) -> SlotsPage:
    """One page of how full the plan makes each slot."""
    session, run = db.session(), planned(run_id)
    campaign = campaign_of(run.campaign_id)
    plain, bounds = clean_line(words, LONGEST_SEARCH), term(campaign)
    of = queries.number_of_slots(session, bounds=bounds, words=plain)
    number, pages = _within(number, of)
    return SlotsPage(
        campaign=campaign,
        run=run,
        words=plain,
        lines=queries.slot_lines(
            session,
            run_id,
            bounds=bounds,
            words=plain,
            offset=(number - 1) * PER_PAGE,
            limit=PER_PAGE,
        ),
        number=number,
        pages=pages,
    )


def compare_page(one_id: int, other_id: int) -> ComparePage:
    """Two plans of one campaign, and the classes that they treat differently."""
    session, one, other = db.session(), planned(one_id), planned(other_id)
    if one.campaign_id != other.campaign_id:
        raise NotFound
    moved = queries.moved(session, one_id, other_id)
    names = queries.class_names(session, moved[:NAMED])
    return ComparePage(
        campaign=campaign_of(one.campaign_id),
        one=one,
        other=other,
        more=queries.changed(session, one_id, other_id, more=True, limit=NAMED),
        fewer=queries.changed(session, one_id, other_id, more=False, limit=NAMED),
        moved=(len(moved), sorted(names.values())),
        only_one=queries.only_in(session, one_id, other_id),
        only_other=queries.only_in(session, other_id, one_id),
    )


def what_if_page(
    campaign_id: int,
    *,
    words: str = "",
    offer_id: int | None = None,
    slot_id: int | None = None,
    form: ServiceForm | None = None,
) -> WhatIfPage:
    """Search a company, or fill in what it might open."""
    session, plain = db.session(), clean_line(words, LONGEST_SEARCH)
    offer = queries.offer_choice(session, offer_id) if offer_id else None
    slot = queries.slot_choice(session, slot_id) if slot_id else None
    if (offer_id and offer is None) or (slot_id and slot is None):
        raise NotFound
    chosen = offer or slot
    return WhatIfPage(
        campaign=campaign_of(campaign_id),
        words=plain,
        offers=(
            () if chosen else queries.offers_called(session, plain, limit=OFFERS_SHOWN)
        ),
        offer=offer,
        slot=slot,
        form=form,
    )
