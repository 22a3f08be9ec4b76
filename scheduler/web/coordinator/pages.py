"""The list of all visits and one visit, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flask import url_for
from sqlalchemy.orm import Session

from scheduler.domain.visits import WAITS_FOR_HOST, VisitState
from scheduler.persistence.queries import access, coordinator_pages as queries
from scheduler.persistence.queries.coordinator_pages import (
    Event,
    Letter,
    VisitLine,
    VisitWhole,
    Waiting,
)
from scheduler.services.health import Health, health
