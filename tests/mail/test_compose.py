"""From a recorded message to a letter: who reads what, and nothing else."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import replace

import pytest
from icalendar import Calendar

from scheduler.mail.letter import Undeliverable
from scheduler.wording import clean_text
from tests.mail.samples import KINDS, MOVED, a_compose, a_message, a_visit, sample

COMPOSE = a_compose()
SECRETS_FROM_STUDENTS = (
    "02 61 91 00 02",
    "06 39 98 00 01",
    "Dominique Guérin",
    "fauteuil",
    "travaille sur le bois",
    "11 filles",
    "24 élèves",
    "grosse commande",
)


def unfolded(octets: bytes | None) -> str:
    return (octets or b"").decode("utf-8").replace("\r\n ", "").replace("\\,", ",")


@pytest.mark.parametrize("line", [line for line in KINDS if line[1] == "student"])
def test_students_read_nothing_that_is_not_theirs(line):
    letter = COMPOSE(sample(*line, locale="fr"))

    everything = letter.subject + letter.text + letter.html + unfolded(letter.calendar)
    plain = everything.replace("\N{NO-BREAK SPACE}", " ")
    assert [secret for secret in SECRETS_FROM_STUDENTS if secret in plain] == []


@pytest.mark.parametrize("line", KINDS, ids=lambda line: f"{line[0]}-{line[1]}")
def test_only_the_readers_own_address_is_in_a_letter(line):
    message = sample(*line, locale="fr")
    letter = COMPOSE(message)

    everything = letter.text + letter.html + unfolded(letter.calendar)
    known = {"visites@example.org", message.recipient_address}
    for address in ("c.robert@example.org", "eleve7@example.org", "visites.h02@"):
        if not any(address in one for one in known):
            assert address not in everything


@pytest.mark.parametrize(
    ("kind", "audience", "state", "told"),
    [
        ("visit_requested_host", "host", "requested", False),
        ("request_reminder_host", "host", "requested", False),
        ("move_requested_host", "host", "moving", True),
        ("visit_confirmed", "host", "confirmed", True),
        ("reminder_7", "teacher", "confirmed", True),
    ],
)
def test_a_phone_number_is_told_once_the_visit_is_agreed(kind, audience, state, told):
    text = COMPOSE(a_message(kind, audience, visit=a_visit(state=state))).text

    assert ("06 39 98 00 01" in text or "02 61 91 00 02" in text) is told
    assert "Camille Robert" in text


def test_a_no_leads_to_the_search():
    text = COMPOSE(a_message("visit_declined", visit=a_visit(state="declined"))).text

    assert "\nhttps://visites.example.org/teacher/offers\n" in text


@pytest.mark.parametrize("line", KINDS, ids=lambda line: f"{line[0]}-{line[1]}")
def test_nothing_is_loaded_from_anywhere(line):
    html = COMPOSE(sample(*line, locale="fr")).html

    for loading in ("<img", "<script", "<link", "url(", "@import", " src=", "<table"):
        assert loading not in html


def test_the_text_says_all_that_the_html_says():
    for line in KINDS:
        letter = COMPOSE(sample(*line, locale="fr"))
        for row in letter.text.splitlines():
            label, colon, value = row.removeprefix("- ").partition("\u00a0: ")
            if row.startswith("- ") and colon:
                assert label in letter.html
                assert value.split("’", maxsplit=1)[0] in letter.html


def test_the_secret_link_is_derived_and_not_in_the_calendar():
    asked = COMPOSE(a_message("visit_requested_host", "host"))
    confirmed = COMPOSE(a_message("visit_confirmed", "host", method="REQUEST"))

    assert "https://visites.example.org/h/secret-12" in asked.text
    assert 'href="https://visites.example.org/h/secret-12"' in asked.html
    assert "secret" not in unfolded(confirmed.calendar)
    assert "https://visites.example.org/host/visits/41" in unfolded(confirmed.calendar)


def letter_with_answers(kind, audience, *, method="REQUEST", state="confirmed"):
    """As the service sends it whose mailbox is read."""
    message = a_message(kind, audience, method=method, visit=a_visit(state=state))
    if method:
        message.payload["answer_link"] = {"purpose": "answer_invitation", "id": 5}
    return a_compose(reads_answers=True)(message)


ANSWER_PAGE = "https://visites.example.org/r/secret-5"


def test_a_company_that_is_asked_has_one_link_to_answer_in_the_letter():
    letter = letter_with_answers("visit_requested_host", "host", state="requested")

    assert "/h/secret-12" in letter.text
    assert ANSWER_PAGE not in letter.text + letter.html
    assert "un oui accepte la visite, un non la refuse" in letter.text
    event = unfolded(letter.calendar)
    assert "accepter, refuser, proposer d’autres créneaux" in event
    assert ANSWER_PAGE in event


@pytest.mark.parametrize(
    ("audience", "words"),
    [
        ("teacher", "je viens, peut-être, je ne viens pas"),
        ("host", "je serai là, peut-être, je ne serai pas là"),
        ("student", "je viens, peut-être, je ne viens pas"),
    ],
)
def test_everybody_is_asked_in_words_that_fit(audience, words):
    letter = letter_with_answers("visit_confirmed", audience)

    assert words in letter.text
    assert words in letter.html.lower()
    assert words in unfolded(letter.calendar)
    assert ANSWER_PAGE in letter.text


@pytest.mark.parametrize("audience", ["teacher", "student"])
def test_a_letter_that_asks_nothing_speaks_of_no_answer_by_calendar(audience):
    asked = letter_with_answers("visit_confirmed", audience)
    told = letter_with_answers("visit_confirmed", audience, method=None)

    assert "agenda (oui, peut-être, non)" in asked.text
    assert "agenda (oui, peut-être, non)" not in told.text


def test_the_same_message_gives_the_same_letter():
    message = a_message("visit_confirmed", method="REQUEST")

    assert COMPOSE(message) == a_compose()(message)


def test_the_summary_says_where():
    for locale, summary in (("fr", "Visite\u00a0: "), ("en", "Visit: ")):
        message = a_message("visit_confirmed", method="REQUEST", locale=locale)
        event = Calendar.from_ical(COMPOSE(message).calendar).walk("VEVENT")[0]

        assert event["SUMMARY"] == f"{summary}Atelier Clairmortaise, Clisson"


def test_a_host_without_a_commune_has_a_short_summary():
    message = a_message(method="REQUEST", visit=a_visit(commune=None))

    assert "SUMMARY;LANGUAGE=fr:Visite\u00a0: Atelier Clairmortaise\r\n" in unfolded(
        COMPOSE(message).calendar
    )


def test_a_mailing_list_gets_an_entry_without_attendee():
    letter = COMPOSE(a_message("visit_confirmed", "student", method="PUBLISH"))

    assert "METHOD:PUBLISH" in unfolded(letter.calendar)
    assert "d’elle-même" not in letter.text
    assert "ATTENDEE" not in unfolded(letter.calendar)


def test_no_answer_is_asked_when_the_teacher_wants_none():
    message = a_message("visit_confirmed", "student", method="REQUEST")
    quiet = replace(message, payload={**message.payload, "entry": {"rsvp": False}})

    assert "RSVP=TRUE" in unfolded(COMPOSE(message).calendar)
    assert "RSVP=FALSE" in unfolded(COMPOSE(quiet).calendar)


def test_an_unknown_language_is_told_in_french():
    assert COMPOSE(a_message(locale="de")).subject == COMPOSE(a_message()).subject


def test_long_threads_keep_their_first_and_their_last():
    references = tuple(f"<{number}@example.org>" for number in range(30))

    letter = COMPOSE(replace(a_message(), references=references))

    assert letter.references == references[:1] + references[-9:]


def test_an_invitation_needs_its_identity():
    message = replace(a_message(method="REQUEST"), uid=None)

    with pytest.raises(Undeliverable, match="invitation_without_identity"):
        COMPOSE(message)


def test_an_address_that_nobody_can_have_is_undeliverable():
    with pytest.raises(Undeliverable, match="bad_address"):
        COMPOSE(a_message(method="REQUEST", address="léa@example.org"))


def test_a_visit_that_ends_before_it_starts_is_undeliverable():
    visit = a_visit(ends_at="2027-01-12T07:00:00+00:00")

    with pytest.raises(Undeliverable, match="ends_before_it_starts"):
        COMPOSE(a_message(method="REQUEST", visit=visit))


# ------------------------------------------------------------------ details


def test_times_before_that_are_the_same_are_no_change():
    visit = a_visit(
        previous_starts_at="2027-01-12T08:00:00+00:00",
        previous_ends_at="2027-01-12T10:00:00+00:00",
        previous_place="3 rue du Moulin, 44190 Clisson",
        changes=[{"field": "students", "before": 24, "after": 24}],
    )

    letter = COMPOSE(a_message("visit_changed", visit=visit))

    assert "Ce qui a changé" not in letter.text
    assert letter.subject.startswith("Visite du mardi 12 janvier modifiée")


def test_a_new_hour_on_the_same_day_is_no_new_date():
    visit = a_visit(
        previous_starts_at="2027-01-12T13:00:00+00:00",
        previous_ends_at="2027-01-12T15:00:00+00:00",
    )

    letter = COMPOSE(a_message("visit_changed", visit=visit))

    assert letter.subject.startswith("Nouvel horaire le mardi 12 janvier")


def test_a_visit_that_only_ends_later_says_so():
    visit = a_visit(previous_ends_at="2027-01-12T09:30:00+00:00", state="confirmed")

    text = COMPOSE(a_message("visit_changed", visit=visit, locale="en")).text

    assert "  before: Tuesday 12 January 2027, 09:00 to 10:30\n" in text
    assert "  now: Tuesday 12 January 2027, 09:00 to 11:00\n" in text


def test_a_changed_request_is_not_called_a_visit():
    visit = a_visit(changes=[{"field": "adults", "before": None, "after": ["a", "b"]}])

    letter = COMPOSE(a_message("visit_changed", "host", visit=visit, locale="en"))

    assert "in the request for Tuesday 12 January" in letter.text
    assert "- Accompanying adults:\n  now: a, b\n" in letter.text


def test_times_are_told_once_however_they_were_recorded():
    changes = [{"field": "starts_at", "before": "x", "after": "y"}]
    visit = a_visit(**(MOVED | {"changes": changes, "state": "confirmed"}))

    text = COMPOSE(a_message("visit_changed", visit=visit)).text

    assert text.count("avant") == 2


@pytest.mark.parametrize("kind", ["visit_requested_host", "request_reminder_host",
                                  "visit_requested_teacher", "visit_proposed",
                                  "move_requested_host"])  # fmt: skip
def test_without_a_last_day_none_is_said(kind):
    audience = "host" if kind.endswith("_host") else "teacher"
    visit = a_visit(answer_due_at=None)

    letter = COMPOSE(a_message(kind, audience, visit=visit, locale="en"))

    assert "December" not in letter.text


def test_little_that_is_known_still_makes_a_letter():
    known = ("id", "state", "starts_at", "ends_at", "host_name")
    bare = {name: a_visit()[name] for name in known}
    for kind, audience, method, _ in KINDS:
        if kind != "sign_in":
            letter = COMPOSE(a_message(kind, audience, method=method, visit=bare))
            assert "None" not in letter.subject + letter.text


def test_a_sign_in_link_without_an_end_says_none():
    message = a_message("sign_in", "")
    endless = {**message.payload, "expires_at": None}

    assert "jusqu’au" not in COMPOSE(replace(message, payload=endless)).text


def test_a_kept_date_says_why():
    silent = COMPOSE(a_message("move_declined", visit=a_visit(actor="system")))
    refused = COMPOSE(a_message("move_declined", visit=a_visit(actor="host")))

    assert "sans réponse" in silent.text
    assert "ne peut pas déplacer" in refused.text


@pytest.mark.parametrize(
    ("audience", "actor", "said"),
    [
        ("teacher", "school", "comme votre établissement l’a demandé"),
        ("teacher", "system", "Prévenez votre classe"),
        ("host", "host", "comme votre entreprise l’a demandé"),
        ("host", "system", "plus rien à préparer"),
    ],
)
def test_who_cancelled_is_told_differently(audience, actor, said):
    visit = a_visit(actor=actor, reason="weather", note="Neige.")

    letter = COMPOSE(a_message("visit_cancelled", audience, visit=visit))

    assert said in letter.text


def test_a_request_that_took_the_place_of_another_says_so():
    visit = a_visit(**MOVED)

    letter = COMPOSE(a_message("visit_requested_host", "host", visit=visit))

    assert "cette demande la remplace" in letter.text


# ------------------------------------------------------------------ hostile text

HOSTILE = {
    "long": "x" * 10_000,
    "lines": "a\r\nBcc: evil@example.org\r\n\r\nATTENDEE:mailto:evil@example.org",
    "controls": "a\x00b\x07c\x1bd\x7fe\x85f\u2028g\u2029h",
    "directions": "\u202egro.elpmaxe\u202c \u2066x\u2069 \u200fy",
    "emoji": "🎉👩‍🔧 visite",
    "encoded word": "=?utf-8?q?a=0ABcc:_evil@example.org?=",
    "surrogates": "a\ud800\udfffb",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "jinja": "{{ 7 * 7 }}{% raw %}",
    "percent": "100 % %(day)s %s",
}
TEXTS = [
    name
    for name, value in a_visit().items()
    if isinstance(value, str) and not name.endswith("_at") and name != "state"
] + ["reason", "note", "previous_place"]
LISTS = ["wear", "bring", "ppe", "see", "people_met", "arrangements"]


def harmless(line: str) -> bool:
    """No control, format, surrogate, private or unassigned character, no line end."""
    return not any(
        unicodedata.category(each)[0] == "C"
        or unicodedata.category(each) in ("Zl", "Zp")
        for each in line
    )


@pytest.mark.parametrize("typed", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("line", KINDS, ids=lambda line: f"{line[0]}-{line[1]}")
def test_hostile_text_in_every_field_stays_text(line, typed):
    kind, audience, method, _ = line
    visit = a_visit(**(MOVED | dict.fromkeys(TEXTS, typed)))
    visit |= {name: [typed] * 100 for name in LISTS}
    visit["state"] = "confirmed"
    visit["changes"] = [{"field": typed, "before": typed, "after": typed + "b"}]
    visit["proposals"] = [
        {
            "id": 1,
            "starts_at": visit["starts_at"],
            "ends_at": visit["ends_at"],
            "place": typed,
        }
    ]
    message = a_message(kind, audience, method=method, visit=visit, name=typed)

    letter = COMPOSE(message)

    assert harmless(letter.subject)
    assert len(letter.subject) <= 160
    assert "=?" not in letter.subject
    for part in (letter.text, letter.html):
        assert all(harmless(row) for row in part.split("\n"))
        assert len(part) < 60_000
    assert "<script" not in letter.html
    assert "<img" not in letter.html
    if method:
        calendar = unfolded(letter.calendar)
        rows = calendar.split("\r\n")
        assert all(harmless(row) for row in rows)
        assert sum(row.startswith("ATTENDEE") for row in rows) == 1
        assert Calendar.from_ical(letter.calendar).walk("VEVENT")[0].errors == []


def test_the_words_of_a_feed_are_those_of_the_mail():
    message = a_message("visit_confirmed", "student", method="REQUEST")
    mailed = Calendar.from_ical(COMPOSE(message).calendar).walk("VEVENT")[0]

    told = COMPOSE.occasion(
        a_visit(),
        audience="student",
        locale="fr",
        uid=message.uid,
        sequence=2,
        dtstamp=message.dtstamp,
    )

    assert told.summary == mailed["SUMMARY"]
    assert clean_text(told.description) == mailed["DESCRIPTION"]
    assert told.location == mailed["LOCATION"]


def test_typed_templates_are_no_templates():
    visit = a_visit(message=HOSTILE["jinja"], offer_title=HOSTILE["percent"])

    text = COMPOSE(a_message("visit_requested_host", "host", visit=visit)).text

    assert "> {{ 7 * 7 }}{% raw %}" in text
    assert "100 % %(day)s %s" in text


# ------------------------------------------------------------------ what can be refused


@pytest.mark.parametrize(("kind", "audience", "method", "special"), KINDS)
def test_only_reminders_and_the_daily_mail_can_be_refused(
    kind, audience, method, special
):
    letter = COMPOSE(sample(kind, audience, method, special, locale="fr"))

    headers = dict(letter.headers)

    refusable = kind in {"reminder_7", "reminder_1", "digest"}
    assert ("List-Unsubscribe" in headers) is refusable
    assert ("List-Unsubscribe-Post" in headers) is refusable
    assert headers["Auto-Submitted"] == "auto-generated"


DIGEST = next(kind for kind in KINDS if kind[0] == "digest")


def test_the_one_click_address_is_whole_and_in_both_parts():
    letter = COMPOSE(sample(*DIGEST, locale="fr"))
    address = "https://visites.example.org/u/secret-3"

    headers = dict(letter.headers)

    assert headers["List-Unsubscribe"] == f"<{address}>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in letter.text
    assert address in letter.html


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_a_daily_mail_says_the_same_in_both_parts(locale):
    letter = COMPOSE(sample(*DIGEST, locale=locale))

    words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", letter.html, flags=re.DOTALL)
    shown = " ".join(html.unescape(words).split())
    for line in letter.text.partition("\n--\n")[0].splitlines():
        said = line.removeprefix("- ").strip()
        if said and not said.startswith("http") and ": http" not in said:
            for part in said.rstrip(" :\u00a0").split(": "):
                assert " ".join(part.split()) in shown
