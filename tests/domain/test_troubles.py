"""What servers answer, and what a teacher reads of it."""

from __future__ import annotations

import pytest

from scheduler.domain.troubles import Trouble, trouble

ANSWERS = [
    ("recipient_refused: 550 5.1.1 … User unknown", Trouble.UNKNOWN_ADDRESS),
    ("recipient_refused: 550 No such user here", Trouble.UNKNOWN_ADDRESS),
    ("recipient_refused: 553 sorry", Trouble.UNKNOWN_ADDRESS),
    ("recipient_refused: 550 5.2.1 The account is disabled", Trouble.UNKNOWN_ADDRESS),
    ("recipient_refused: 550 5.1.2 Bad destination system", Trouble.UNKNOWN_DOMAIN),
    ("recipient_refused: 552 5.2.2 Over quota", Trouble.FULL),
    ("gave_up: recipient_refused: 452 4.2.2 Mailbox full", Trouble.FULL),
    ("message_refused: 550 5.7.1 Message rejected as spam", Trouble.SPAM),
    ("message_refused: 554 Blocked by our reputation service", Trouble.SPAM),
    ("message_refused: 550 5.7.26 Unauthenticated (DMARC)", Trouble.SPAM),
    ("message_refused: 552 5.3.4 Message too big", Trouble.TOO_LARGE),
    ("recipient_refused: 450 4.2.0 Greylisted", Trouble.NOT_NOW),
    ("recipient_refused: 451 4.3.0 try again later", Trouble.NOT_NOW),
    ("recipient_refused: 421 busy", Trouble.NOT_NOW),
    ("connection_lost: SMTPServerDisconnected", Trouble.UNREACHABLE),
    ("gave_up: no_connection: ConnectionRefusedError", Trouble.UNREACHABLE),
    ("gave_up: recipient_refused: 450 4.4.1 No answer from host", Trouble.UNREACHABLE),
    ("bad_address", Trouble.NO_ADDRESS),
    ("sealed_address", Trouble.NO_ADDRESS),
    ("sender_refused: 550 5.7.1 not allowed", Trouble.OURS),
    ("UndefinedError", Trouble.OTHER),
    ("message_refused: 554 transaction failed", Trouble.OTHER),
    ("", Trouble.OTHER),
]
REPORTS = [
    ("5.1.1", Trouble.UNKNOWN_ADDRESS),
    ("5.1.2", Trouble.UNKNOWN_DOMAIN),
    ("5.2.2", Trouble.FULL),
    ("5.7.1", Trouble.SPAM),
    ("5.4.7", Trouble.UNREACHABLE),
    ("5.0.0", Trouble.OTHER),
]


@pytest.mark.parametrize(("error", "kind"), ANSWERS)
def test_a_servers_answer(error: str, kind: Trouble):
    assert trouble(error) is kind


@pytest.mark.parametrize(("status", "kind"), REPORTS)
def test_a_delivery_report(status: str, kind: Trouble):
    assert trouble("bounced", bounce_status=status) is kind


def test_a_report_without_a_status():
    assert trouble("bounced") is Trouble.OTHER
