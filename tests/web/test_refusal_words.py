"""Every refusal has its sentence, in both languages, with the facts it comes with."""

from __future__ import annotations

import pytest
from flask import get_template_attribute
from flask_babel import force_locale

from scheduler.domain import refusals
from scheduler.domain.parties import Advice
from scheduler.domain.refusals import Refusal, Refused

FACTS = {
    "numbers_disagree": {"girls": 3, "boys": 4, "students": 5},
    "too_few_adults": {"needed": 2, "adults": 1, "subgroups": 2},
    "group_too_big": {"unit": "students", "most": 10, "asked": 15},
    "slot_full": {"unit": "people", "left": 3, "asked": 15},
    "level_too_low": {"min_grade_rank": 10, "grade_rank": 9},
    "too_young": {"min_age": 15, "youngest": 14},
    "too_late": {"starts_at": "2027-01-12T08:00:00+00:00"},
    "notice_too_short": {"notice_days": 28, "due_on": "2027-01-12"},
    "slot_not_open": {"state": "closed"},
    "offer_not_published": {"state": "paused"},
    "school_closed": {"on": "2027-01-01", "kind": "holiday", "name": "Noël"},
    "calendar_unknown": {"on": "2029-01-12", "known_until": "2028-08-31"},
    "class_absent": {"first_on": "2027-01-11", "last_on": "2027-01-29", "reason": ""},
    "after_exam": {"exam_on": "2027-05-15"},
    "return_too_late": {"back_at": "18:10", "back_by": "17:30"},
    "class_busy": {
        "starts_at": "2027-01-12T08:00:00+00:00",
        "organiser": "Hélène",
        "host": "Férembois",
    },
    "organiser_busy": {"starts_at": "2027-01-12T08:00:00+00:00", "host": "Férembois"},
    "host_cap_reached": {"period": "month", "cap": 1, "on": "2027-01-12"},
    "host_closed": {"on": "2027-01-12"},
    "limit_too_low": {"limits": ["per_day"]},
    "published_already": {"by": "Claire", "at": "2027-01-12T08:00:00+00:00"},
    "campaign_dates": {"wrong": "closes_at"},
    "wishes_not_open": {
        "yet": False,
        "opens_at": "2026-11-23T08:00:00+00:00",
        "closes_at": "2026-12-04T17:00:00+00:00",
    },
    "too_many_wishes": {"most": 10, "given": 11},
    "wrong_wish": {"position": 2, "wrong": "slot"},
    "bad_times": {"wrong": "too_short", "minutes": 15},
    "no_such_time": {"day": "2027-03-28", "time": "02:30"},
    "slots_overlap": {"starts_at": "2027-01-12T08:00:00+00:00"},
    "slot_in_use": {"unit": "students", "held": 12, "wanted": 10},
    "handling_words": {"words": ["soudez"]},
    "not_ready": {"missing": ["title", "see", "fields"]},
    "bad_address": {"line": 2, "text": "<b>"},
    "bad_list_address": {"text": "no list"},
    "bad_line": {"column": "insee", "value": "44999"},
    "too_many_addresses": {"most": 29, "given": 40},
    "last_contact": {"name": "Gérard"},
}

KINDS = sorted(
    (
        kind
        for kind in vars(refusals).values()
        if isinstance(kind, type)
        and issubclass(kind, Refusal)
        and kind not in {Refusal, Refused}
    ),
    key=lambda kind: kind.code,
)


def sentence(app, refusal, language="fr"):
    with app.test_request_context("/"), force_locale(language):
        say = get_template_attribute("_parts/refusals.html", "refusal_text")
        return str(say(refusal)).strip()


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_refusal_has_a_sentence_of_its_own(app, kind, language):
    said = sentence(app, kind(**FACTS.get(kind.code, {})), language)
    nothing = sentence(app, Refusal(), language)

    assert said
    assert said != nothing


def test_several_refusals_are_all_said(app):
    both = Refused(refusals.NoStudents(), refusals.WednesdayAfternoon())

    assert sentence(app, both) == (
        "Il faut au moins un élève. Au collège, pas de cours le mercredi après-midi."
    )


def test_a_refusal_says_its_facts(app):
    refusal = refusals.NoticeTooShort(notice_days=28, due_on="2027-01-12")

    assert sentence(app, refusal) == (
        "L’entreprise demande 28 jours de délai\N{NO-BREAK SPACE}: il fallait demander "
        "au plus tard le mardi 12 janvier 2027."
    )


def test_what_was_typed_comes_back_harmless(app):
    refusal = refusals.BadAddress(line=2, text="<script>")

    assert "&lt;script&gt;" in sentence(app, refusal)


@pytest.mark.parametrize(
    "facts",
    [
        {"wrong": "too_long", "hours": 12},
        {"wrong": "too_far", "years": 3},
        {"wrong": "order"},
    ],
)
def test_times_that_cannot_be_are_told_apart(app, facts):
    assert sentence(app, refusals.BadTimes(**facts)) != sentence(
        app, refusals.BadTimes(wrong="too_short", minutes=15)
    )


@pytest.mark.parametrize("code", list(Advice))
def test_every_advice_has_a_sentence(app, code):
    with app.test_request_context("/"):
        say = get_template_attribute("_parts/refusals.html", "advice_text")

        assert str(say(code)).strip() != code.value
