"""An offer as a teacher reads it: everything that is asked before a visit."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, for_school, need
from scheduler.domain.offers import Confirmation
from scheduler.domain.refusals import NotFound
from scheduler.domain.travel import Trip, trip
from scheduler.persistence.models.offers import OfferRow
from scheduler.persistence.queries import reference, teacher_pages
from scheduler.services import fitting
from scheduler.services.house import house_of
from scheduler.services.student_facts import ppe_phrases


@dataclass(frozen=True, kw_only=True)
class Witness:
    first_name: str
    job: str
    path: str
    is_woman: bool


@dataclass(frozen=True, kw_only=True)
class TrainingPath:
    diploma: str
    label: str


@dataclass(frozen=True, kw_only=True)
class OfferSheet:
    """The page's words are the host's own; codes are turned into words there."""

    id: int
    state: str
    title: str
    summary: str
    kind: str
    bookable: bool
    host: str
    activity: str
    website: str
    size: str
    site_headcount: int | None
    place: str
    commune: str
    fields: tuple[str, ...]
    see: tuple[str, ...]
    people_met: str
    witnesses: tuple[Witness, ...]
    women: int
    paths: tuple[TrainingPath, ...]
    wear: str
    bring: str
    ppe: tuple[str, ...]
    arrival: str
    meeting_point: str
    vehicle_access: str
    wheelchair: str
    wheelchair_note: str
    phone_rule: str
    photo_rule: str
    most_students: int
    most_people: int | None
    most_groups: int
    subgroup_size: int
    min_grade_rank: int
    min_age: int | None
    min_notice_days: int
    name_list_days: int
    minutes: int
    automatic: bool
    note: str
    cap_per_month: int | None
    languages: tuple[str, ...]


def offer_sheet(session: Session, offer_id: int, *, locale: str) -> OfferSheet:
    """Raises ``NotFound`` unless teachers may read the offer."""
    row = teacher_pages.offer_to_read(session, offer_id)
    if row is None:
        raise NotFound
    host, commune = row.host, row.host.organisation.commune
    english = locale == "en"
    paths = reference.paths_for(session, [each.code for each in row.fields])
    return OfferSheet(
        id=row.id,
        state=row.state.value,
        title=row.title,
        summary=row.summary,
        kind=row.kind.label_en if english else row.kind.label_fr,
        bookable=row.kind.bookable,
        host=host.organisation.name,
        activity=host.activity,
        website=host.organisation.website,
        size=host.size_category.value,
        site_headcount=host.site_headcount,
        place=row.address,
        commune=commune.name,
        fields=tuple(e.label_en if english else e.label_fr for e in row.fields),
        see=tuple(row.see),
        people_met=row.people_met,
        witnesses=_witnesses(row),
        women=row.women,
        paths=tuple(
            TrainingPath(
                diploma=each.diploma, label=each.label_en if english else each.label_fr
            )
            for each in paths
        ),
        wear=row.wear,
        bring=row.bring,
        ppe=tuple(ppe_phrases(reference.ppe(session), row.ppe, locale=locale)),
        arrival=row.arrival,
        meeting_point=row.meeting_point,
        vehicle_access=row.vehicle_access.value,
        wheelchair=row.wheelchair.value,
        wheelchair_note=row.wheelchair_note,
        phone_rule=row.phone_rule.value,
        photo_rule=row.photo_rule.value,
        most_students=row.max_students,
        most_people=row.max_people,
        most_groups=row.max_groups,
        subgroup_size=row.subgroup_size,
        min_grade_rank=row.min_grade_rank,
        min_age=row.min_age,
        min_notice_days=row.min_notice_days,
        name_list_days=row.name_list_days,
        minutes=row.duration_minutes,
        automatic=row.confirmation is Confirmation.AUTOMATIC,
        note=row.note,
        cap_per_month=host.cap_per_month,
        languages=tuple(host.languages),
    )


def _witnesses(row: OfferRow) -> tuple[Witness, ...]:
    return tuple(
        Witness(
            first_name=each.first_name,
            job=each.job,
            path=each.path,
            is_woman=each.gender == "W",
        )
        for each in row.witnesses
    )


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What of the class speaks for the offer or against it, whatever the day."""

    way: Trip
    approximate: bool
    level_ok: bool
    age_ok: bool | None
    students: int
    size_ok: bool
    half_ok: bool


def class_fit(session: Session, offer_id: int, class_id: int, *, by: Actor) -> Fit:
    """The class against the offer's own rules."""
    offer = teacher_pages.offer_to_read(session, offer_id)
    klass = teacher_pages.class_to_read(session, class_id)
    if offer is None or klass is None:
        raise NotFound
    need(for_school(by, klass.school_id))
    here = fitting.place_of(klass.school.organisation)
    there = fitting.place_of(offer.host.organisation)
    age_ok = None
    if offer.min_age is not None and klass.youngest_age is not None:
        age_ok = klass.youngest_age >= offer.min_age
    return Fit(
        way=trip(here, there, policy=house_of(session).policy),
        approximate=here.approximate or there.approximate,
        level_ok=klass.level.grade_rank >= offer.min_grade_rank,
        age_ok=age_ok,
        students=klass.students,
        size_ok=klass.students <= offer.max_students,
        half_ok=-(-klass.students // 2) <= offer.max_students,
    )
