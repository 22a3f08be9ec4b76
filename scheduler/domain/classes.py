"""A school class as the rules see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time

from scheduler.domain.schooldays import Closure, SchoolCalendar
from scheduler.domain.travel import Place


@dataclass(frozen=True, kw_only=True)
class SchoolClass:
    """``grade_rank`` after DOMAIN rule 3; ``exam_block``: no visit after the exam.

    ``back_by`` is the school's hard limit (the evening coaches), ``None`` if none.
    """

    id: int
    school_id: int
    grade_rank: int
    youngest_age: int | None = None
    is_college: bool = False
    exam_block: bool = False
    wednesday_afternoons: bool = False
    back_by: time | None = None
    min_adults: int = 1
    place: Place | None = None
    calendar: SchoolCalendar = field(default_factory=SchoolCalendar)
    absences: tuple[Closure, ...] = ()
