"""Pages for anybody: the first one, the legal ones, and two for machines."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, jsonify, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from scheduler import clock
from scheduler.extensions import db
from scheduler.persistence.queries import public_pages
from scheduler.services import accounts
from scheduler.services.health import health
from scheduler.services.house import house_of
from scheduler.web.destinations import local_path
from scheduler.web.public import bp, campaigns
from scheduler.web.public.pages import shipped
from scheduler.web.signed_in import LOCALES, current_viewer
from scheduler.web.site import reads_answers

__all__ = ["bp", "campaigns"]

# Calendar programs read feeds, whatever search engines are told (ICALENDAR section 2).
ROBOTS = "User-agent: *\nAllow: /$\nAllow: /feeds/\nDisallow: /\n"


@bp.get("/")
def home() -> str:
    """What this is, in ten seconds, for each kind of reader."""
    figures = public_pages.figures(db.session(), now=clock.now())
    return render_template("public/home.html", page=figures)


@bp.post("/language")
def set_language() -> ResponseReturnValue:
    """The language of this browser, and of the person's mails when signed in."""
    chosen = request.form.get("locale", "")
    if chosen in LOCALES:
        session["locale"] = chosen
        viewer = current_viewer()
        if viewer is not None:
            accounts.set_locale(db.session(), viewer.person_id, chosen)
    return redirect(local_path(request.form.get("next")) or "/", 303)


@bp.get("/accessibility")
def accessibility() -> str:
    """How far everybody can use the site, and whom to tell."""
    return render_template("public/accessibility.html")


@bp.get("/credits")
def credits() -> str:  # noqa: A001 - the page's name
    """Whose work this stands on."""
    return render_template("public/credits.html", shipped=shipped())


@bp.get("/privacy")
def privacy() -> str:
    """For families: who, why, what, how long, whom to ask (PA-M1)."""
    policy = house_of(db.session()).policy
    return render_template(
        "public/privacy.html",
        address_days=policy.student_addresses_days,
        code_days=policy.class_code_days,
    )


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """For whoever watches the machine: 200, or 503 when somebody should look."""
    found = health(db.session(), now=clock.now())
    answer = jsonify(
        status="ok" if found.good else "failing",
        database="reachable" if found.database else "unreachable",
        loop={
            "alive": found.loop_alive,
            "seconds_since_beat": _seconds(found.loop_age),
        },
        answers={
            "read": found.answers_read if reads_answers() else None,
            "seconds_since_read": _seconds(found.answers_age),
        },
        messages={
            "waiting": found.waiting,
            "dead": found.dead,
            "oldest_due_seconds": _seconds(found.oldest_due),
            "moving": found.mail_moves,
        },
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer, 200 if found.good else 503


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())


@bp.get("/robots.txt")
def robots() -> ResponseReturnValue:
    """The first page may be found; nothing else is anybody's but its readers'."""
    return Response(ROBOTS, content_type="text/plain; charset=utf-8")
