"""What recorded mail is about, and how much of a daily mail is not past yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scheduler.domain.announcements import Audience, Method
from scheduler.domain.manners import DIGEST
from scheduler.domain.sending import Topic, is_past


def topic_of(
    kind: str,
    payload: Mapping[str, Any],
    *,
    audience: Audience | None,
    method: Method | None,
) -> Topic:
    """What a message is about, from what was recorded with it."""
    visit: Mapping[str, Any] = payload.get("visit") or {}
    offered = [each["starts_at"] for each in visit.get("proposals") or ()]
    return Topic(
        kind=kind,
        audience=audience,
        actor=str(visit.get("actor") or ""),
        state=str(visit.get("state") or ""),
        with_calendar=method is not None,
        starts_at=_instant(visit.get("starts_at")),
        ends_at=_instant(visit.get("ends_at")),
        offered_until=_instant(max(offered, default=None)),
        answer_due_at=_instant(visit.get("answer_due_at")),
    )


def is_past_news(kind: str, payload: Mapping[str, Any], *, now: datetime) -> bool:
    """Whether a piece of a daily mail is worth nothing any more."""
    return is_past(topic_of(kind, payload, audience=None, method=None), now=now)


def without_past(payload: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    """The payload; that of a daily mail without what became past while it waited."""
    told = payload.get("digest")
    if not told:
        return payload
    groups = []
    for group in told["groups"]:
        left = [
            each
            for each in group["messages"]
            if not is_past_news(each["kind"], each["payload"], now=now)
        ]
        if left:
            groups.append({**group, "messages": left})
    standings = [
        each for each in told["standings"] if not is_past_news(DIGEST, each, now=now)
    ]
    return {**payload, "digest": {"groups": groups, "standings": standings}}


def says_nothing(kind: str, payload: Mapping[str, Any]) -> bool:
    """A daily mail of which nothing is left."""
    told = payload.get("digest") or {}
    return kind == DIGEST and not any(told.values())


def _instant(recorded: str | None) -> datetime | None:
    return datetime.fromisoformat(recorded) if recorded else None
