"""One recorded visit, and messages about it, with everything a letter may say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scheduler.mail.compose import Compose, Imprint
from scheduler.mail.letter import Message
from scheduler.paths import TEMPLATES

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "mail"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

BY_HOST = {"state": "cancelled_by_host", "reason": "production_rush"}
BY_SCHOOL = {"state": "cancelled_by_school", "reason": "transport", "actor": "school"}
TENTATIVE = {"status": "TENTATIVE", "answer": "", "rsvp": True, "shared": False}

# Every kind of mail, for whom, with which calendar method, and what is special in it.
KINDS: tuple[tuple[str, str, str | None, dict[str, Any]], ...] = (
    ("sign_in", "", None, {}),
    ("visit_requested_host", "host", "REQUEST", {"entry": TENTATIVE}),
    ("visit_requested_teacher", "teacher", None, {}),
    ("request_reminder_host", "host", None, {}),
    ("visit_confirmed", "teacher", "REQUEST", {"state": "confirmed"}),
    ("visit_confirmed", "host", "REQUEST", {"state": "confirmed"}),
    ("visit_confirmed", "student", "REQUEST", {"state": "confirmed"}),
    ("visit_changed", "teacher", "REQUEST", {"state": "confirmed", "moved": True}),
    ("visit_changed", "host", "REQUEST", {"state": "confirmed", "moved": True}),
    ("visit_changed", "student", "REQUEST", {"state": "confirmed", "moved": True}),
    ("visit_declined", "teacher", None, {"state": "declined", "reason": "no_staff"}),
    ("visit_proposed", "teacher", None, {"state": "proposed", "offered": True}),
    ("visit_expired", "teacher", None, {"state": "expired", "actor": "system"}),
    ("visit_expired", "host", "CANCEL", {"state": "expired", "actor": "system"}),
    ("visit_withdrawn", "host", "CANCEL", {"state": "withdrawn", "actor": "school"}),
    ("request_closed_host", "host", "CANCEL", {"state": "declined", "reason": "date"}),
    ("contact_added", "host", "REQUEST", {"state": "confirmed"}),
    ("organiser_added", "teacher", "REQUEST", {"state": "confirmed"}),
    ("visit_cancelled", "teacher", "CANCEL", BY_HOST),
    ("visit_cancelled", "host", "CANCEL", BY_SCHOOL),
    ("visit_cancelled", "student", "CANCEL", BY_HOST),
    ("move_requested_host", "host", None, {"state": "moving", "wished": True}),
    ("move_declined", "teacher", None, {"state": "confirmed", "wished": True}),
    ("move_withdrawn", "host", None, {"state": "confirmed", "actor": "school"}),
    ("student_removed", "student", "CANCEL", {"state": "confirmed"}),
    ("student_removed", "host", "CANCEL", {"state": "confirmed"}),
    ("student_removed", "teacher", "CANCEL", {"state": "confirmed"}),
    ("reminder_7", "teacher", None, {"state": "confirmed"}),
    ("reminder_7", "host", None, {"state": "confirmed"}),
    ("reminder_1", "teacher", None, {"state": "confirmed"}),
    ("reminder_1", "host", None, {"state": "confirmed"}),
    ("reminder_1", "student", None, {"state": "confirmed"}),
    ("organiser_thanks", "teacher", None, {"state": "done"}),
    ("too_few_come", "teacher", None, {"state": "confirmed", "actor": "system"}),
    ("wishes_copy", "", None, {}),
    ("digest", "", None, {}),
    ("campaign_result", "teacher", None, {}),
    ("campaign_requests", "host", None, {}),
    ("campaign_place_free", "teacher", None, {}),
)

# The same kinds as they are where the mailbox is read and the entry asks for an answer;
# the name of the shape comes first, and last whether the mailbox is read.
ASKED: dict[str, Any] = {
    "answer_link": {"purpose": "answer_invitation", "id": 5},
    "entry": {"status": "CONFIRMED", "answer": "", "rsvp": True, "shared": False},
}
ASKED_AS_REQUEST = ASKED | {"entry": TENTATIVE}
ANSWERED = ASKED | {"entry": ASKED["entry"] | {"answer": "accepted"}}
NOT_ASKED: dict[str, Any] = {"entry": ASKED["entry"] | {"rsvp": False}}
TO_A_LIST: dict[str, Any] = {"entry": NOT_ASKED["entry"] | {"shared": True}}
AGREED = {"state": "confirmed"}
TAKES_PLACE_ELSEWHERE = AGREED | {"moved": True}

SHAPES: tuple[tuple[str, str, str, str | None, dict[str, Any], bool], ...] = (
    ("asked", "visit_requested_host", "host", "REQUEST", ASKED_AS_REQUEST, True),
    ("by-link", "visit_requested_host", "host", "REQUEST", ASKED_AS_REQUEST, False),
    ("read", "request_reminder_host", "host", None, {}, True),
    ("asked", "contact_added", "host", "REQUEST", ASKED_AS_REQUEST, True),
    ("asked", "visit_confirmed", "teacher", "REQUEST", AGREED | ASKED, True),
    ("asked", "visit_confirmed", "host", "REQUEST", AGREED | ASKED, True),
    ("asked", "visit_confirmed", "student", "REQUEST", AGREED | ASKED, True),
    ("by-link", "visit_confirmed", "student", "REQUEST", AGREED | ASKED, False),
    ("not-asked", "visit_confirmed", "student", "REQUEST", AGREED | NOT_ASKED, True),
    ("list", "visit_confirmed", "student", "PUBLISH", AGREED | TO_A_LIST, True),
    (
        "asked",
        "visit_changed",
        "student",
        "REQUEST",
        TAKES_PLACE_ELSEWHERE | ASKED,
        True,
    ),
    ("answered", "visit_changed", "teacher", "REQUEST", AGREED | ANSWERED, True),
    ("asked", "organiser_added", "teacher", "REQUEST", AGREED | ASKED, True),
    ("read", "visit_cancelled", "student", "CANCEL", BY_HOST, True),
    ("read", "reminder_1", "student", None, AGREED, True),
    ("read", "reminder_1", "teacher", None, AGREED, True),
)

WISHES: dict[str, Any] = {
    "campaign": "Visites du deuxième trimestre",
    "campaign_id": 3,
    "class_id": 7,
    "class": "3e Prépa-métiers",
    "closes_at": "2026-12-04T17:00:00+00:00",
    "allocation_on": "2026-12-08",
    "students": 24,
    "split": "nearby",
    "max_km": 60,
    "lines": [
        {
            "host": "Atelier Clairmortaise",
            "commune": "Clisson",
            "starts_at": "2027-01-12T08:00:00+00:00",
            "ends_at": "2027-01-12T10:00:00+00:00",
        },
        {"host": "Fonderie des Marais", "commune": "Nozay"},
        {
            "fields_fr": ["Bois", "Métallurgie"],
            "fields_en": ["Wood", "Metal"],
            "first_on": "2027-01-11",
            "last_on": "2027-02-05",
            "max_km": 40,
        },
        {
            "fields_fr": [],
            "fields_en": [],
            "first_on": None,
            "last_on": None,
            "max_km": None,
        },
    ],
}

REFUSABLE = frozenset({"reminder_7", "reminder_1"})
LINKED = frozenset({"visit_requested_host", "request_reminder_host"})

CAMPAIGN = frozenset({"campaign_result", "campaign_requests", "campaign_place_free"})

PLACE = {
    "slot_id": 7,
    "class_id": 5,
    "class_label": "4e B",
    "starts_at": "2027-01-14T13:00:00+00:00",
    "ends_at": "2027-01-14T15:00:00+00:00",
    "host_name": "Atelier Clairmortaise",
    "offer_title": "De l’arbre au prototype",
    "address": "3 rue du Moulin, 44190 Clisson",
}

READERS = {
    "": ("Camille Robert", "c.robert@example.org"),
    "teacher": ("Camille Robert", "c.robert@example.org"),
    "host": ("Dominique Guérin", "visites.h02@example.org"),
    "student": ("", "eleve7@example.org"),
}


def a_compose(*, reads_answers: bool = False) -> Compose:
    imprint = Imprint(
        base_url="https://visites.example.org",
        organizer_address="visites@example.org",
        organizer_name="Visites d’entreprises",
        campus_name="Campus Design et industrie du futur",
        reads_answers=reads_answers,
    )
    return Compose(imprint, links=a_link, templates=TEMPLATES)


def a_link(purpose: str, link_id: int) -> str:
    paths = {"answer_visit": "h", "sign_in": "sign-in", "answer_invitation": "r"}
    path = paths.get(purpose, "u")
    return f"https://visites.example.org/{path}/secret-{link_id}"


def a_visit(**changes: Any) -> dict[str, Any]:
    """What the outbox records of a visit; all fields, no surprises."""
    visit = {
        "id": 41,
        "state": "requested",
        "starts_at": "2027-01-12T08:00:00+00:00",
        "ends_at": "2027-01-12T10:00:00+00:00",
        "previous_starts_at": None,
        "previous_ends_at": None,
        "previous_place": None,
        "host_name": "Atelier Clairmortaise",
        "offer_title": "De l’arbre au prototype",
        "activity": "Prototypage bois-composite et design produit",
        "commune": "Clisson",
        "place": "3 rue du Moulin, 44190 Clisson",
        "lat": 47.09,
        "lon": -1.28,
        "arrival": "Le car s’arrête devant le portail bleu.\nSonner à l’accueil.",
        "meeting_point": "Accueil, bâtiment A",
        "wear": ["un pantalon", "des chaussures fermées et plates"],
        "bring": ["de quoi noter"],
        "ppe": ["lunettes prêtées sur place"],
        "phone_rule": "silent",
        "photo_rule": "none",
        "see": ["l’atelier de prototypage", "le bureau d’études"],
        "people_met": ["Inès, menuisière", "Paul, designer"],
        "school_name": "Collège des Trois-Moulins",
        "class_label": "4e B",
        "level_label": "4e",
        "students": 24,
        "girls": 11,
        "boys": 13,
        "adults": 2,
        "support_assistants": 1,
        "part": "whole",
        "arrangements": ["1 fauteuil roulant"],
        "message": "La classe travaille sur le bois.\nMerci de votre accueil !",
        "organiser_name": "Camille Robert",
        "organiser_phone": "06 39 98 00 01",
        "contact_name": "Dominique Guérin",
        "contact_phone": "02 61 91 00 02",
        "class_code": "K7PQ4M",
        "answer_due_at": "2026-12-03T17:00:00+00:00",
        "reason": None,
        "note": None,
        "actor": "host",
        "changes": [],
        "proposals": [],
    }
    return visit | changes


MOVED: dict[str, Any] = {
    "previous_starts_at": "2027-01-12T08:00:00+00:00",
    "previous_ends_at": "2027-01-12T10:00:00+00:00",
    "starts_at": "2027-03-30T07:00:00+00:00",
    "ends_at": "2027-03-30T09:00:00+00:00",
    "previous_place": "Zone du Moulin, 44190 Clisson",
    "changes": [
        {"field": "students", "before": 26, "after": 24},
        {"field": "part", "before": "half", "after": "whole"},
    ],
}
OTHER_SLOTS = [
    {
        "id": 7,
        "starts_at": "2027-01-14T13:00:00+00:00",
        "ends_at": "2027-01-14T15:00:00+00:00",
        "place": "3 rue du Moulin, 44190 Clisson",
    },
    {
        "id": 8,
        "starts_at": "2027-06-01T12:00:00+00:00",
        "ends_at": "2027-06-01T14:00:00+00:00",
        "place": "Lycée du Pont-Vert, Nantes",
    },
]


def a_message(
    kind: str = "visit_confirmed",
    audience: str = "teacher",
    *,
    method: str | None = None,
    locale: str = "fr",
    visit: dict[str, Any] | None = None,
    address: str | None = None,
    name: str | None = None,
    beside: dict[str, Any] | None = None,
) -> Message:
    known_name, known_address = READERS[audience]
    payload: dict[str, Any] = {"audience": audience, "link": None}
    if kind == "sign_in":
        payload["link"] = {"purpose": "sign_in", "id": 9}
        payload["expires_at"] = "2026-11-23T10:00:00+00:00"
    else:
        payload["visit"] = a_visit() if visit is None else visit
    if kind == "wishes_copy":
        payload = {"audience": None, "link": None, "wishes": WISHES}
    if kind == "digest":
        payload = a_digest(payload["visit"])
    if kind in REFUSABLE:
        subject = "address" if audience == "student" else "reminders"
        payload["unsubscribe"] = {"purpose": subject, "id": 5}
    if kind == "too_few_come":
        payload["count"] = {"at_most": 7, "minimum": 8, "not_coming": 5}
    if kind in CAMPAIGN:
        payload = a_result(payload["visit"], audience)
    if kind == "campaign_place_free":
        payload["campaign"] |= {"classes": [], "place": PLACE}
    payload |= beside or {}
    if kind in LINKED:
        payload["link"] = {"purpose": "answer_visit", "id": 12}
    return Message(
        id=1,
        kind=kind,
        locale=locale,
        recipient_name=known_name if name is None else name,
        recipient_address=address or known_address,
        payload=payload,
        uid="5d0f6e0a-8f0e-4d58-9a55-1f2a2b6c3d4e@visites.example.org",
        method=method,
        sequence=2 if method else None,
        dtstamp=NOW if method else None,
        message_id="<41.2.a1b2c3@visites.example.org>",
        references=("<41.0.d4e5f6@visites.example.org>",),
        created_at=NOW,
    )


def a_result(visit: dict[str, Any], audience: str) -> dict[str, Any]:
    """A class in half-groups, one without a visit, one that a rule refused."""
    campaign: dict[str, Any] = {
        "id": 3,
        "name": "Visites du printemps",
        "purpose": "plan",
    }
    half = visit | {"students": 12, "girls": None, "boys": None, "part": "half"}
    later = {
        "starts_at": "2027-01-12T13:00:00+00:00",
        "ends_at": "2027-01-12T15:00:00+00:00",
    }
    if audience == "host":
        asked = [
            {"visit": half, "link": {"purpose": "answer_visit", "id": 12}},
            {"visit": half | later, "link": {"purpose": "answer_visit", "id": 13}},
            {"visit": visit | MOVED | {"state": "confirmed"}, "link": None},
        ]
        return {"audience": audience, "campaign": campaign | {"asked": asked}}
    need = {"days": [], "split": "", "parts": 0, "seats": 0, "slots": [], "km": 0}
    reason = {
        "code": "split_refused",
        "detail": "",
        "rules": [],
        "others": 0,
        "contest": "",
        "students": 28,
        "max_km": 40,
        "needs": [need | {"kind": "split", "split": "same_host", "serves": True}],
    }
    points = {"school_nothing": 2, "rural": 1}
    classes = [
        {
            "label": "4e B",
            "visits": [half, half | later],
            "refused": [],
            "why": {"rank": 2, "km": 23, "points": points},
            "reason": None,
        },
        {
            "label": "4e C",
            "visits": [],
            "refused": [],
            "why": {"rank": None, "km": None, "points": points},
            "reason": reason,
        },
        {
            "label": "3e A",
            "visits": [],
            "refused": ["slot_full"],
            "why": {"rank": 1, "km": 5, "points": {}},
            "reason": None,
        },
    ]
    return {"audience": audience, "campaign": campaign | {"classes": classes}}


def a_digest(visit: dict[str, Any]) -> dict[str, Any]:
    """A no and a receipt about one visit, and how answers stand in another."""

    def told(kind: str, **changes: Any) -> dict[str, Any]:
        payload = {"audience": "teacher", "link": None, "visit": visit | changes}
        return {"kind": kind, "payload": payload}

    no = {"state": "declined", "reason": "no_staff", "note": "L’équipe est en congé."}
    messages = [told("visit_requested_teacher"), told("visit_declined", **no)]
    return {
        "audience": None,
        "link": None,
        "unsubscribe": {"purpose": "digest", "id": 3},
        "digest": {
            "groups": [
                {"audience": "teacher", "visit": visit | no, "messages": messages}
            ],
            "standings": [
                {
                    "audience": "host",
                    "visit": visit | MOVED,
                    "coming": 22,
                    "maybe": 0,
                    "not_coming": 1,
                    "silent": 3,
                }
            ],
        },
    }


def sample(
    kind: str,
    audience: str,
    method: str | None,
    special: dict[str, Any],
    *,
    locale: str,
) -> Message:
    """The message of one line of ``KINDS`` or ``SHAPES``."""
    changes = dict(special)
    beside = {
        name: changes.pop(name)
        for name in ("answer_link", "change", "entry")
        if name in changes
    }
    if changes.pop("moved", False):
        changes |= MOVED
    if changes.pop("offered", False):
        changes |= {"proposals": OTHER_SLOTS, "note": "Le mardi, l’atelier est fermé."}
    if changes.pop("wished", False):
        changes |= {"proposals": OTHER_SLOTS[:1]}
    if changes.get("reason"):
        changes.setdefault("note", "Une grosse commande est arrivée.")
    visit = a_visit(**changes)
    return a_message(
        kind, audience, method=method, locale=locale, visit=visit, beside=beside
    )
