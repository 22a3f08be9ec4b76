"""The limits that a campus may set, as one frozen value (DOMAIN section 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Defaults are those of DOMAIN; every one is a setting ``POLICY_<NAME>``."""

    remind_host_after_days: int = 4
    alert_coordinator_after_days: int = 7
    request_expires_after_days: int = 10
    answer_days_before_visit: int = 2
    answer_due_time: time = time(18, 0)
    free_cancellation_days: int = 7
    reminder_days: int = 7
    eve_reminder_time: time = time(17, 0)
    adults_ratio_warning: int = 15
    adults_college_warning: int = 2
    calendar_days_from: int = 14
    travel_km_per_hour: int = 50
    travel_detour_factor: float = 1.3
    travel_extra_minutes: int = 10
    exam_date: tuple[int, int] = (5, 15)
    class_code_days: int = 15
    student_addresses_days: int = 30
    max_addresses: int = 80
    needs_days: int = 30
    people_days: int = 730
    history_days: int = 1096
    quiet_from: time = time(20, 0)
    quiet_until: time = time(7, 0)

    def exam_on(self, *, day: date) -> date:
        """The exam date in the calendar year of ``day`` (DOMAIN rule 8)."""
        month, of_month = self.exam_date
        return date(day.year, month, of_month)
