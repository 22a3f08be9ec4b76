"""Client shape × answer × state of the invitation: each message and its verdict."""

import pytest

from scheduler.domain.answers import Effect
from scheduler.domain.verdict import Verdict, judge
from scheduler.ical.answer import read_answer
from scheduler.mail.received import read_mail
from tests.inbound.messages import NOW, SERVER, STATES, Row, files, matrix

MATRIX = matrix()
CLIENTS = {"gmail", "outlook", "outlook-com", "apple", "icloud", "thunderbird",
           "nextcloud", "kmail"}  # fmt: skip


def verdict_of(octets: bytes, state: str) -> Verdict:
    mail = read_mail(octets, authserv_id=SERVER)
    answer = (
        None
        if mail.calendar is None
        else read_answer(mail.calendar, method_parameter=mail.calendar_method)
    )
    bounced = state != "no such letter"
    return judge(mail, answer, STATES[state], now=NOW, bounced=bounced)


@pytest.mark.parametrize("row", MATRIX, ids=str)
def test_each_message_has_its_verdict(row: Row):
    verdict = verdict_of(row.octets, row.state)

    assert (verdict.effect.value, verdict.code, verdict.for_person) == (
        row.effect,
        row.code,
        row.person == "yes",
    )


@pytest.mark.parametrize("row", MATRIX, ids=str)
def test_only_a_counted_answer_carries_one(row: Row):
    verdict = verdict_of(row.octets, row.state)

    counted = {Effect.ACCEPT, Effect.TENTATIVE, Effect.DECLINE}
    assert (verdict.answer is not None) == (verdict.effect in counted)
    assert (verdict.proposed is not None) == (verdict.code == "counter")


def test_every_file_is_in_the_table_and_every_row_has_a_file():
    assert sorted({row.message for row in MATRIX}) == files()


def test_no_two_rows_are_the_same_case():
    cases = [(row.message, row.answer, row.state, row.change) for row in MATRIX]

    assert len(set(cases)) == len(cases)


def test_every_client_says_yes_perhaps_and_no():
    said = {
        (row.message.split("/")[0], row.effect)
        for row in MATRIX
        if row.state == "waiting"
    }

    assert {
        (client, effect)
        for client in CLIENTS
        for effect in ("accept", "tentative", "decline")
    } <= said
