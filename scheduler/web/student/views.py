"""The student pages."""

from __future__ import annotations

from scheduler.web.student import bp

__all__ = ["bp"]
