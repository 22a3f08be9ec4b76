"""All pages of the account room, bound to its blueprint."""

from __future__ import annotations

from scheduler.web.account import bp, calendars, mails

__all__ = ["bp", "calendars", "mails"]
