"""What a letter about a whole campaign says: each visit clean and in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from scheduler import wording
from scheduler.mail.facts import VisitFacts, visit_facts
from scheduler.wording import clean_line

METHOD_PAGE = "/how-places-are-given"
PAGES = {
    "teacher": "/teacher/campaigns/{id}/result",
    "host": "/host/campaigns/{id}",
}


def campaign_facts(
    recorded: Mapping[str, Any],
    *,
    audience: str,
    locale: str,
    base_url: str,
    link: Callable[[Mapping[str, Any] | None], str | None],
    page: Callable[[VisitFacts], str | None],
) -> dict[str, Any]:
    """The recorded result for one reader."""
    root = base_url.rstrip("/")
    classes = [
        {
            **each,
            "label": clean_line(each["label"]),
            "visits": [
                visit_facts(visit, audience=audience, locale=locale)
                for visit in each["visits"]
            ],
        }
        for each in recorded.get("classes") or ()
    ]
    asked = [
        _asked(each, audience=audience, locale=locale, link=link, page=page)
        for each in recorded.get("asked") or ()
    ]
    due = [each["visit"].answer_due for each in asked if each["link"]]
    served = sum(bool(each["visits"]) for each in classes)
    return {
        "name": clean_line(str(recorded["name"])),
        "purpose": str(recorded["purpose"]),
        "classes": classes,
        "served": served,
        "unserved": len(classes) - served,
        "asked": asked,
        "answer_due": next((each for each in due if each), ""),
        "place": _place(recorded.get("place"), root=root, locale=locale),
        "page": root + PAGES[audience].format(id=recorded["id"]),
        "method": root + METHOD_PAGE,
    }


def _place(
    recorded: Mapping[str, Any] | None, *, root: str, locale: str
) -> dict[str, Any] | None:
    """A place that became free, for one class."""
    if recorded is None:
        return None
    starts_at = datetime.fromisoformat(recorded["starts_at"])
    ends_at = datetime.fromisoformat(recorded["ends_at"])
    return {
        **{
            key: clean_line(str(recorded[key]))
            for key in ("class_label", "host_name", "offer_title", "address")
        },
        "when": wording.span(starts_at, ends_at, locale),
        "on": wording.day_and_month(starts_at, locale),
        "page": f"{root}/teacher/slots/{int(recorded['slot_id'])}"
        f"?school_class={int(recorded['class_id'])}",
    }


def _asked(
    each: Mapping[str, Any],
    *,
    audience: str,
    locale: str,
    link: Callable[[Mapping[str, Any] | None], str | None],
    page: Callable[[VisitFacts], str | None],
) -> dict[str, Any]:
    visit = visit_facts(each["visit"], audience=audience, locale=locale)
    return {"visit": visit, "link": link(each["link"]), "page": page(visit)}
