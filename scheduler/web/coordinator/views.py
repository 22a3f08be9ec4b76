"""Every visit, and what waits for whom. Nothing can be changed here yet."""

from __future__ import annotations

from flask import render_template, request

from scheduler import clock
from scheduler.domain.refusals import NotFound
from scheduler.web.coordinator import bp
from scheduler.web.coordinator.pages import (
    MOST_PAGES,
    group_of,
    list_page,
    visit_page,
)

__all__ = ["bp"]


@bp.get("/")
def home() -> str:
    """Every visit, by state, searched."""
    page = list_page(
        group=group_of(request.args.get("state")),
        words=request.args.get("q", ""),
        number=_page_number(request.args.get("page", "1")),
        now=clock.now(),
    )
    return render_template("coordinator/home.html", page=page)


@bp.get("/visits/<id:visit_id>")
def visit(visit_id: int) -> str:
    """One visit: people, history, messages."""
    page = visit_page(visit_id, now=clock.now())
    if page is None:
        raise NotFound
    return render_template("coordinator/visit.html", page=page)


def _page_number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < len(str(MOST_PAGES))
    return int(text) if is_number else 1
