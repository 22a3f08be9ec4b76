"""The host's answer by personal link: no account, one visit, nothing on GET."""

from __future__ import annotations

from scheduler.web.host import answer_bp as bp

__all__ = ["bp"]
