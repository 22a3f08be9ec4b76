"""Whether somebody comes: what a person answered, and by which way."""

from __future__ import annotations

from enum import StrEnum


class Answer(StrEnum):
    """RFC 5545 §3.2.12 PARTSTAT, as far as an invitation of ours knows it."""

    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    DECLINED = "declined"


class AnswerWay(StrEnum):
    """``mail``: the calendar's own reply; ``page``: three buttons behind a link."""

    MAIL = "mail"
    PAGE = "page"


class Effect(StrEnum):
    """What a received message did.

    ``ignore``: harmless, or for a person to look at; ``reject``: invalid or forged.
    """

    ACCEPT = "accept"
    TENTATIVE = "tentative"
    DECLINE = "decline"
    IGNORE = "ignore"
    REJECT = "reject"
    BOUNCE = "bounce"
