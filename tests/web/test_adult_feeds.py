"""Calendars of adults: whose visits, how much of them, and for how long."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import event, select

from scheduler.domain.actors import Role
from scheduler.domain.feeds import FeedKind
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.access import FeedRow
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.visits import InvitationRow, InvitationState, VisitRow
from scheduler.services import offers, subscriptions
from scheduler.services.feed_tokens import token_of_feed
from tests import rows
from tests.services.test_offers import TEXT

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OF = {
    FeedKind.TEACHER: ("teacher", "school"),
    FeedKind.SCHOOL: ("colleague", "school"),
    FeedKind.HOST: ("contact", "host"),
}


@pytest.fixture
def campus(session, world):
    """The organisation that the coordinator works for."""
    return session.scalar(
        select(MembershipRow.organisation_id).where(
            MembershipRow.role == Role.COORDINATOR
        )
    )


@pytest.fixture
def address(session, world, campus):
    def opened(kind, who=None):
        name, organisation = OF.get(kind, ("coordinator", ""))
        person = getattr(world, who or name)
        number = getattr(world, organisation) if organisation else campus
        subscriptions.open_feed(session, kind, number, by=person.actor, now=rows.NOW)
        row = session.scalars(
            select(FeedRow).where(FeedRow.kind == kind, FeedRow.person_id == person.id)
        ).one()
        found = f"/feeds/{token_of_feed(session, row)}.ics"
        session.rollback()
        return found

    return opened


def events_of(answer):
    assert answer.status_code == 200
    return Calendar.from_ical(answer.data).walk("VEVENT")


def visits_of(session, world):
    """One visit of each school with each company, all confirmed."""
    mine = rows.visit_in(
        session, world, VisitState.CONFIRMED, arrangements="1 fauteuil", message="Salut"
    )
    theirs = rows.visit_in(
        session,
        world,
        VisitState.CONFIRMED,
        slot=world.slots[1],
        school_class=world.other_class,
        by=world.other_teacher,
    )
    return mine, theirs


@pytest.mark.parametrize("kind", FeedKind)
def test_each_kind_shows_its_visits_and_no_others(
    client, session, world, address, kind
):
    visits_of(session, world)
    starts = {
        FeedKind.TEACHER: [rows.TUESDAY],
        FeedKind.SCHOOL: [rows.TUESDAY],
        FeedKind.HOST: [rows.TUESDAY, rows.THURSDAY],
        FeedKind.CAMPUS: [rows.TUESDAY, rows.THURSDAY],
    }

    shown = events_of(client.get(address(kind)))

    assert [each["DTSTART"].dt for each in shown] == starts[kind]


def test_a_colleague_has_no_visits_of_their_own(client, session, world, address):
    visits_of(session, world)

    assert events_of(client.get(address(FeedKind.TEACHER, "colleague"))) == []
    assert events_of(client.get(address(FeedKind.HOST, "contact")))


@pytest.mark.parametrize("kind", FeedKind)
def test_no_feed_invites_or_tells_what_students_need(
    client, session, world, address, kind
):
    visits_of(session, world)

    octets = client.get(address(kind)).data

    for name in (b"METHOD", b"ATTENDEE", b"ORGANIZER", b"mailto:"):
        assert name not in octets
    for private in ("fauteuil", "Salut", "@example.org"):
        assert private not in octets.decode().replace("\r\n ", "").replace(
            "@example.org\r\n", ""
        )


@pytest.mark.parametrize("kind", FeedKind)
def test_telephones_are_in_ones_own_calendar_only(
    client, session, world, address, kind
):
    visits_of(session, world)

    text = client.get(address(kind)).text.replace("\r\n ", "")

    assert ("02 61 91 00 01" in text) is (kind in {FeedKind.TEACHER, FeedKind.HOST})
    assert ("06 00 00 00 01" in text) is (kind is FeedKind.HOST)


@pytest.mark.parametrize("kind", FeedKind)
def test_entries_lead_to_the_readers_own_page(client, session, world, address, kind):
    visit, _ = visits_of(session, world)
    room = {FeedKind.HOST: "host", FeedKind.CAMPUS: "coordinator"}.get(kind, "teacher")

    shown = events_of(client.get(address(kind)))[0]

    assert str(shown["URL"]).endswith(f"/{room}/visits/{visit}")


@pytest.mark.parametrize("kind", [FeedKind.TEACHER, FeedKind.HOST])
def test_the_uid_and_sequence_are_those_that_were_mailed(
    client, session, world, address, kind
):
    visits_of(session, world)
    rows.change_time(session, world, now=rows.NOW + HOUR)
    who = getattr(world, OF[kind][0])
    mailed = session.scalars(
        select(InvitationRow)
        .where(InvitationRow.person_id == who.id)
        .order_by(InvitationRow.id)
    ).first()
    expected = (mailed.uid, mailed.sequence, mailed.dtstamp)

    shown = events_of(client.get(address(kind)))[0]

    stamp = shown["DTSTAMP"].dt
    assert (str(shown["UID"]), shown["SEQUENCE"], stamp) == expected
    assert shown["DTSTART"].dt == rows.TUESDAY + HOUR


def test_who_holds_no_invitation_gets_a_uid_for_all(client, session, world, address):
    visits_of(session, world)
    mailed = set(session.scalars(select(InvitationRow.uid)))
    session.rollback()

    shown = events_of(client.get(address(FeedKind.SCHOOL)))

    assert mailed.isdisjoint(str(each["UID"]) for each in shown)


def test_an_invitation_that_was_taken_back_does_not_come_back(
    client, session, world, address
):
    visits_of(session, world)
    for row in session.scalars(
        select(InvitationRow).where(InvitationRow.person_id == world.contact.id)
    ):
        row.state = InvitationState.CANCELLED
        cancelled = row.uid
    session.commit()

    uids = [str(each["UID"]) for each in events_of(client.get(address(FeedKind.HOST)))]

    assert len(uids) == 2
    assert cancelled not in uids


@pytest.mark.parametrize("kind", FeedKind)
def test_other_words_of_the_offer_move_the_entry(  # noqa: PLR0917 - fixtures
    client, session, world, address, wall_clock, kind
):
    visits_of(session, world)
    where = address(kind)
    first = client.get(where)
    wall_clock.at = rows.NOW + HOUR
    offers.change_offer(
        session,
        world.offer,
        replace(TEXT, meeting_point="Au portail bleu"),
        by=world.contact.actor,
        now=rows.NOW + HOUR,
    )

    again = client.get(
        where, headers={"If-Modified-Since": first.headers["Last-Modified"]}
    )

    before, after = events_of(first)[0], events_of(again)[0]
    assert after["LAST-MODIFIED"].dt == rows.NOW + HOUR
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] >= before["SEQUENCE"]
    assert again.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("kind", FeedKind)
def test_a_request_is_not_in_it_and_a_cancelled_visit_for_a_month(  # noqa: PLR0917
    client, session, world, address, wall_clock, kind
):
    rows.ask(session, world, slot=world.slots[2])
    rows.visit_in(session, world, VisitState.CANCELLED_BY_HOST)
    where = address(kind)

    (shown,) = events_of(client.get(where))

    assert str(shown["STATUS"]) == "CANCELLED"
    assert "02 61" not in str(shown.get("DESCRIPTION", ""))
    wall_clock.at = rows.NOW + 31 * DAY
    assert events_of(client.get(where)) == []


@pytest.mark.parametrize("kind", FeedKind)
def test_the_role_is_asked_for_at_each_fetch(client, session, world, address, kind):
    where = address(kind)
    assert client.get(where).status_code == 200
    who = getattr(world, OF.get(kind, ("coordinator", ""))[0])

    for membership in session.scalars(
        select(MembershipRow).where(MembershipRow.person_id == who.id)
    ):
        session.delete(membership)
    session.commit()

    assert client.get(where).status_code == 404


@pytest.mark.parametrize("kind", FeedKind)
def test_who_is_blocked_reads_nothing(client, session, world, address, kind):
    where = address(kind)
    who = getattr(world, OF.get(kind, ("coordinator", ""))[0])
    session.get_one(PersonRow, who.id).blocked = True
    session.commit()

    assert client.get(where).status_code == 404


def test_renewing_and_closing_make_the_address_worthless(
    client, session, world, address
):
    where = address(FeedKind.TEACHER)
    told = {"by": world.teacher.actor, "now": rows.NOW}
    subscriptions.renew_feed(session, FeedKind.TEACHER, world.school, **told)
    second = address(FeedKind.TEACHER)
    subscriptions.close_feed(session, FeedKind.TEACHER, world.school, **told)
    closed = client.get(second).status_code
    third = address(FeedKind.TEACHER)

    assert client.get(where).status_code == 404
    assert closed == 404
    assert third not in {where, second}
    assert client.get(third).status_code == 200
    assert client.get(second).status_code == 404


def test_opening_twice_keeps_the_address(session, world, address):
    assert address(FeedKind.TEACHER) == address(FeedKind.TEACHER)


def test_one_feeds_secret_opens_no_other(client, session, world, address):
    mine, theirs = address(FeedKind.TEACHER), address(FeedKind.SCHOOL)
    secret = mine.partition("-")[2]

    assert client.get(f"{theirs.partition('-')[0]}-{secret}").status_code == 404
    assert client.get(mine.replace("/feeds/p", "/feeds/")).status_code == 404


def test_it_comes_packed_to_who_can_unpack(client, session, world, address):
    visits_of(session, world)
    where = address(FeedKind.CAMPUS)

    plain = client.get(where)
    packed = client.get(where, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    refused = client.get(where, headers={"Accept-Encoding": "gzip;q=0"})

    for answer in (plain, packed, refused):
        assert "Accept-Encoding" in answer.vary
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data)
    assert "Content-Encoding" not in refused.headers
    assert packed.headers["ETag"] == plain.headers["ETag"]


def test_the_etag_decides_before_the_date(client, session, world, address):
    visits_of(session, world)
    where = address(FeedKind.CAMPUS)
    first = client.get(where)
    date = {"If-Modified-Since": first.headers["Last-Modified"]}
    tag = {"If-None-Match": first.headers["ETag"]}

    assert client.get(where, headers=tag).status_code == 304
    assert client.get(where, headers=date).status_code == 304
    other = {"If-None-Match": '"another"'} | date
    assert client.get(where, headers=other).status_code == 200
    assert client.get(where, headers={"If-None-Match": "*"}).status_code == 304


def test_a_visit_that_leaves_shows_in_the_date_too(client, session, world, address):
    """Another teacher takes it over: what is left changed earlier."""
    visit, _ = visits_of(session, world)
    where = address(FeedKind.TEACHER)
    first = client.get(where)
    session.get_one(VisitRow, visit).organiser_id = world.colleague.id
    session.commit()

    again = client.get(
        where, headers={"If-Modified-Since": first.headers["Last-Modified"]}
    )

    assert events_of(again) == []


def test_an_empty_calendar_was_never_changed(client, address):
    assert "Last-Modified" not in client.get(address(FeedKind.HOST)).headers


def test_asking_for_the_head_costs_no_body(client, session, world, address, wall_clock):
    visits_of(session, world)
    where = address(FeedKind.HOST)
    wall_clock.at = rows.NOW + HOUR

    head, whole = client.head(where), client.get(where)

    assert head.data == b""
    for name in ("ETag", "Last-Modified", "Content-Type", "Cache-Control"):
        assert head.headers[name] == whole.headers[name]
    assert head.headers["Cache-Control"] == "private, no-cache"


@pytest.fixture
def counted(app):
    """One entry for each statement that reaches the database."""
    found = []
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    event.listen(engine, "before_cursor_execute", lambda *_: found.append(1))
    return found


@pytest.mark.parametrize("kind", FeedKind)
def test_many_visits_cost_as_many_queries_as_one(  # noqa: PLR0917 - fixtures
    client, session, world, address, counted, kind
):

    def queries(where):
        counted.clear()
        shown = len(events_of(client.get(where)))
        return shown, len(counted)

    rows.visit_in(session, world, VisitState.CONFIRMED)
    where = address(kind)
    client.get(where)
    first, one = queries(where)
    for slot in world.slots[1:]:
        rows.visit_in(session, world, VisitState.CONFIRMED, slot=slot)
    last, many = queries(where)

    assert (first, last) == (1, 3)
    assert many == one


def test_the_name_says_whose_calendar_it_is(client, session, world, address):
    text = client.get(address(FeedKind.SCHOOL)).text

    assert "X-WR-CALNAME:Visites de " in text


# ------------------------------------------------------------------ the page


def test_everybody_finds_their_own_calendars(signed_in, world):
    pages = {
        who: signed_in(who).get("/account/calendars").text
        for who in ("teacher", "contact", "coordinator")
    }

    assert pages["teacher"].count("/open") == pages["contact"].count("/open") == 0
    assert pages["teacher"].count('action="/account/calendars/') == 2
    assert f'action="/account/calendars/host/{world.host}"' in pages["contact"]
    assert 'action="/account/calendars/campus/' in pages["coordinator"]


def test_opening_renewing_closing_on_the_page(client, signed_in, session, world):
    browser = signed_in("contact")
    where = f"/account/calendars/host/{world.host}"

    opened = browser.post(where)
    page = browser.get("/account/calendars").text
    renewed = browser.post(f"{where}/renew")
    after = browser.get("/account/calendars").text
    closed = browser.post(f"{where}/close")

    assert {opened.status_code, renewed.status_code, closed.status_code} == {303}
    token = page.partition("webcal://127.0.0.1:8000")[2].partition('"')[0]
    fresh = after.partition("webcal://127.0.0.1:8000")[2].partition('"')[0]
    assert "/feeds/p" in token
    assert fresh != token
    assert [client.get(each).status_code for each in (token, fresh)] == [404, 404]
    assert "webcal://" not in browser.get("/account/calendars").text


@pytest.mark.parametrize("step", ["", "/renew", "/close"])
def test_nobody_opens_what_is_not_theirs(signed_in, session, world, step, campus):
    for who, where in (
        ("teacher", f"host/{world.host}"),
        ("teacher", f"school/{world.other_school}"),
        ("contact", f"host/{world.other_host}"),
        ("contact", f"campus/{campus}"),
        ("coordinator", f"school/{world.school}"),
    ):
        answer = signed_in(who).post(f"/account/calendars/{where}{step}")
        assert answer.status_code == 404
    assert session.scalars(select(FeedRow)).all() == []


@pytest.mark.parametrize("step", ["/renew", "/close"])
def test_what_was_never_opened_cannot_be_changed(signed_in, world, step):
    where = f"/account/calendars/host/{world.host}{step}"

    assert signed_in("contact").post(where).status_code == 404


def test_who_is_not_signed_in_sees_no_calendars(client, world):
    assert client.get("/account/calendars").status_code == 303
    assert client.post(f"/account/calendars/host/{world.host}").status_code == 303
