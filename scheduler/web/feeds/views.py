"""One address, fetched every few hours by programs that nobody looks at."""

from __future__ import annotations

import gzip
from datetime import datetime

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue

from scheduler import clock
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.services import feeds
from scheduler.web.feeds import bp
from scheduler.web.subscribing import CALENDAR

__all__ = ["bp"]

GZIP = "gzip"


@bp.get("/<token>.ics")
def calendar(token: str) -> ResponseReturnValue:
    """The calendar, or that nothing has changed, or nothing at all.

    The ETag is weak: it names what the calendar says, packed or not.
    """
    found = feeds.calendar_behind(
        db.session(),
        token,
        occasions=current_app.extensions["compose"],
        now=clock.now(),
    )
    answer = Response(found.octets, content_type=CALENDAR)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.vary.add("Accept-Encoding")
    answer.set_etag(found.fingerprint, weak=True)
    if found.dated is not None:
        # Given nothing, Werkzeug would say "just now".
        answer.last_modified = found.dated
    if _may_be_old(found.dated):
        answer.make_conditional(request)
    if answer.status_code == 200 and request.accept_encodings[GZIP] > 0:  # noqa: PLR2004
        # No time in the header: the same calendar gives the same octets.
        answer.data = gzip.compress(found.octets, mtime=0)
        answer.content_encoding = GZIP
    return answer


@bp.errorhandler(NotFound)
def unknown(_refusal: NotFound) -> ResponseReturnValue:
    """A calendar program needs the number only, and nobody should keep it."""
    answer = Response("", 404, content_type="text/plain; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _may_be_old(dated: datetime | None) -> bool:
    """Whether the reader's date decides anything.

    A visit that leaves a calendar (another teacher took it over) makes the last change
    an earlier one. So a date alone must be the very date that was given out.
    """
    if request.if_none_match:
        return True
    since = request.if_modified_since
    return since is not None and since == dated
