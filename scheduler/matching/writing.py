"""A problem as JSON of the format ``visites/1``: what ``read_problem`` reads back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from scheduler.matching.plan import visit_as_json
from scheduler.matching.problem import (
    FORMAT,
    Cap,
    FieldWish,
    Host,
    HostWish,
    Problem,
    Published,
    School,
    SchoolClass,
    Site,
    Slot,
    SlotWish,
    Wish,
)


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """The same problem gives the same text; rules that nobody set are left out."""
    params = asdict(problem.params)
    return {
        "format": FORMAT,
        "name": problem.name,
        "params": {**params, "objective": list(problem.params.objective)},
        "schools": [_school(each) for each in problem.schools.values()],
        "classes": [_class(each) for each in problem.classes.values()],
        "hosts": [_host(each) for each in problem.hosts.values()],
        "sites": [_site(each) for each in problem.sites.values()],
        "slots": [_slot(each) for each in problem.slots.values()],
        "previous": [_published(each) for each in problem.previous],
    }


def _school(school: School) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": school.id,
        "x": school.x,
        "y": school.y,
        "rural": school.rural,
    }
    return told if school.quota is None else {**told, "quota": school.quota}


def _class(one: SchoolClass) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": one.id,
        "school": one.school,
        "level": one.level,
        "size": one.size,
        "needs": sorted(one.needs),
        "unavailable": sorted(one.unavailable),
        "max_visits": one.max_visits,
        "max_m": one.max_m,
        "split": one.split.value,
        "max_parts": one.max_parts,
        "priority": one.priority,
        "order": one.order,
        "wishes": [_wish(each) for each in one.wishes],
    }
    if one.forbidden:
        told["forbidden"] = sorted(one.forbidden)
    if one.pinned:
        told["pinned"] = sorted(one.pinned)
    return told


def _wish(wish: Wish) -> dict[str, Any]:
    match wish:
        case SlotWish(slot):
            return {"slot": slot}
        case HostWish(host):
            return {"host": host}
        case FieldWish(sectors, first, last, max_m):
            return {
                "sectors": sorted(sectors),
                "from": first,
                "to": last,
                "max_m": max_m,
            }


def _host(host: Host) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": host.id,
        "kind": host.kind,
        "sector": host.sector,
        "month_cap": host.month_cap,
    }
    return {**told, "caps": [_cap(each) for each in host.caps]} if host.caps else told


def _cap(cap: Cap) -> dict[str, Any]:
    return {"from": cap.first, "to": cap.last, "groups": cap.groups}


def _site(site: Site) -> dict[str, Any]:
    return {
        "id": site.id,
        "host": site.host,
        "x": site.x,
        "y": site.y,
        "access": sorted(site.access),
    }


def _slot(slot: Slot) -> dict[str, Any]:
    return {
        "id": slot.id,
        "host": slot.host,
        "site": slot.site,
        "date": slot.date,
        "start": slot.start,
        "end": slot.end,
        "min": slot.least,
        "max": slot.most,
        "groups": slot.groups,
        "levels": sorted(slot.levels),
    }


def _published(published: Published) -> dict[str, Any]:
    return {**visit_as_json(published.visit), "frozen": published.frozen}
