"""Promises for every route: who may enter, what a GET changes, what a page fetches.

Routes are read from the application, so that a new one is covered by itself.
"""

from __future__ import annotations

import dataclasses
import re

import pytest
from sqlalchemy import MetaData, select

from scheduler.domain.visits import VisitState
from scheduler.persistence.models.access import LinkPurpose, LinkRow
from scheduler.persistence.models.outbox import LeaseRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.services import feeds, links
from scheduler.services.house import house_of
from tests import rows

ROOMS = {
    "teacher": ("teacher", "colleague", "other_teacher"),
    "host": ("contact", "substitute", "other_contact"),
    "coordinator": ("coordinator",),
}
EVERYBODY = tuple(who for people in ROOMS.values() for who in people)
# What differs from one GET to the next without anybody having decided anything:
# how often wrong codes were tried.
NOT_BUSINESS = {"tried"}
# The demo shows caught mails in a frame with a policy of its own, tested there.
EXTERNAL = re.compile(
    r"""(?:src|href|action|srcset|poster|data)\s*=\s*["']?\s*((?:https?:)?//[^"'\s>]+)""",
    re.IGNORECASE,
)
# The last one is no part of a page: a link that a person may press to subscribe there.
OURS = (
    "http://localhost",
    "http://127.0.0.1:8000",
    "https://calendar.google.com/calendar/r?cid=webcal",
)
POLICY = (
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
)


@pytest.fixture
def settings(settings):
    return dataclasses.replace(settings, demo=True)


@pytest.fixture
def values(session, world):
    """Something for every part of an address that is left open."""
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    asked = rows.ask(session, world, slot=world.slots[2])
    link = links.mint(
        session,
        LinkPurpose.SIGN_IN,
        person_id=world.teacher.id,
        expires_at=rows.FRIDAY,
        now=rows.NOW,
    )
    answer = session.scalars(select(LinkRow).where(LinkRow.visit_id == asked)).first()
    key = house_of(session).link_key
    tokens = {
        "auth": links.token(link.id, key=key),
        "host_answer": links.token(answer.id, key=key),
        # The right one may be sent from elsewhere: that is what it is for (RFC 8058).
        "unsubscribe": "r1-wrong",
        "feeds": feeds.token_of_class(session, world.school_class),
    }
    code = session.get_one(VisitRow, visit).class_code
    campaign = rows.store_campaign(session)
    # The loop is alive, or /healthz would rightly say 503.
    session.add(LeaseRow(name="loop", owner="me", until=rows.NOW, beat_at=rows.NOW))
    session.commit()
    return {
        "tokens": tokens,
        "parts": {
            "visit_id": visit,
            "slot_id": world.slots[0],
            "offer_id": world.offer,
            "class_id": world.school_class,
            "host_id": world.host,
            "organisation_id": world.school,
            "received_id": 1,
            "message_id": 1,
            "person_id": world.teacher.id,
            "session_id": 1,
            "absence_id": 1,
            "closure_id": 1,
            "campaign_id": campaign,
            "run_id": rows.store_run(session, campaign),
            "pin_id": 1,
            "code": code,
            "key": "1.M1P1Q1.host",
            "filename": "app.css",
        },
    }


def routes(app, method):
    """(endpoint, rule) of every route that answers the method, static files aside."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if method in rule.methods and rule.endpoint != "static"
    ]


def room_of(rule):
    return rule.endpoint.partition(".")[0]


def paths(app, values, method, *, rooms=None):
    """An address for each route; a step word is the first that the rule allows."""
    found = []
    with app.test_request_context():
        adapter = app.create_url_adapter(None) or app.url_map.bind("localhost")
        for rule in routes(app, method):
            room = room_of(rule)
            if rooms is not None and room not in rooms:
                continue
            given = dict(values["parts"])
            given["token"] = values["tokens"].get(room, "")
            words = re.search(r"<any\((\w+)[^>]*:(\w+)>", rule.rule)
            if words:
                given[words[2]] = words[1]
            missing = rule.arguments - set(given)
            assert not missing, f"{rule.rule}: tell values() what {missing} may be"
            wanted = {name: given[name] for name in rule.arguments}
            found.append((rule, adapter.build(rule.endpoint, wanted)))
    return found


def contents(session):
    """Every row of every table, the counts of tries aside."""
    session.rollback()
    tables = MetaData()
    tables.reflect(session.get_bind())
    return {
        table.name: sorted(map(str, session.execute(select(table)).all()))
        for table in tables.sorted_tables
        if table.name not in NOT_BUSINESS
    }


@pytest.mark.parametrize("who", [None, "teacher", "contact", "coordinator"])
def test_a_get_changes_nothing(app, session, values, signed_in, who):
    browser = signed_in(who) if who else app.test_client()
    before = contents(session)

    for rule, path in paths(app, values, "GET"):
        with browser.get(path) as answer:
            assert answer.status_code < 500, (rule.rule, answer.status_code)
        with browser.head(path) as answer:
            assert answer.status_code < 500, (rule.rule, answer.status_code)

    assert contents(session) == before


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_is_not_signed_in_is_sent_to_the_sign_in_page(app, client, values, method):
    for rule, path in paths(app, values, method, rooms=ROOMS):
        answer = client.open(path, method=method)

        assert answer.status_code == 303, rule.rule
        assert answer.location.startswith("/sign-in"), rule.rule


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("who", EVERYBODY)
def test_no_room_opens_to_who_does_not_belong_there(  # noqa: PLR0917 - fixtures
    app, session, values, signed_in, who, method
):
    others = {room for room, people in ROOMS.items() if who not in people}
    browser = signed_in(who)
    before = contents(session)

    for rule, path in paths(app, values, method, rooms=others):
        assert browser.open(path, method=method).status_code == 404, rule.rule

    assert contents(session) == before


# Addresses that hold an id of one school or one company, and who of the same room
# must not learn that it exists.
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("room", "stranger", "public"),
    [
        # Offers and their slots are there for every teacher to find.
        ("teacher", "other_teacher", {"slot_id", "offer_id"}),
        ("host", "other_contact", set()),
    ],
)
def test_the_same_room_hides_what_belongs_to_others(  # noqa: PLR0917 - fixtures
    app, session, values, signed_in, room, stranger, public, method
):
    browser = signed_in(stranger)
    before = contents(session)
    tried = 0

    for rule, path in paths(app, values, method, rooms={room}):
        if not rule.arguments - {"step"} or rule.arguments & public:
            continue
        if rule.arguments & {"closure_id"}:
            continue  # removes among one's own only: nothing to see, nothing changes
        tried += 1
        assert browser.open(path, method=method).status_code == 404, rule.rule

    assert tried
    assert contents(session) == before


@pytest.mark.parametrize("who", [None, "teacher", "contact", "coordinator"])
def test_every_page_carries_the_policy_and_needs_no_other_host(
    app, values, signed_in, who
):
    browser = signed_in(who) if who else app.test_client()

    for rule, path in paths(app, values, "GET"):
        with browser.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"].split("; ")
            page = answer.text if answer.mimetype == "text/html" else ""
        assert set(POLICY) <= set(policy), rule.rule
        assert not [word for word in policy if "unsafe" in word], rule.rule
        assert answer.headers["X-Content-Type-Options"] == "nosniff", rule.rule
        elsewhere = [url for url in EXTERNAL.findall(page) if not url.startswith(OURS)]
        assert elsewhere == [], rule.rule
        assert " style=" not in page, rule.rule
        assert not re.search(r"<script(?![^>]* src=)[^>]*>", page), rule.rule
        assert not re.search(r"\son[a-z]+=", page), rule.rule


@pytest.mark.parametrize("who", ["teacher", "contact"])
def test_a_form_from_elsewhere_changes_nothing(app, session, values, signed_in, who):
    app.config["WTF_CSRF_ENABLED"] = True
    browser = signed_in(who)
    before = contents(session)

    for rule, path in paths(app, values, "POST"):
        answer = browser.post(path)
        assert answer.status_code in {303, 400, 404}, rule.rule

    assert contents(session) == before


def test_a_page_of_an_unknown_address_is_a_page(client, world):
    for path in ("/nothing", "/teacher", "/%00", "/../etc/passwd", "/c/" + "a" * 9000):
        answer = client.get(path, follow_redirects=True)

        assert answer.status_code in {200, 404}
        assert "Content-Security-Policy" in answer.headers
