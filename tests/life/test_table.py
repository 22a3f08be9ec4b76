"""The tables in docs/invitations.md are those of the code."""

from __future__ import annotations

from pathlib import Path

from scheduler.domain.announcements import (
    STANDING,
    TELLINGS,
    Audience,
    Method,
    Reach,
    standing,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "invitations.md"


def standing_lines() -> list[str]:
    lines = ["| state | teacher | host | student |", "|---|---|---|---|"]
    for state in STANDING:
        shown = [standing(state, each) or "–" for each in Audience]
        lines.append(f"| `{state}` | {' | '.join(shown)} |")
    return lines


def telling_lines() -> list[str]:
    lines = [
        "| change | to | mail | method | SEQUENCE | answer |",
        "|---|---|---|---|---|---|",
    ]
    for change, told in TELLINGS.items():
        for each in told:
            to = each.audience + (
                " (who has it)" if each.reach is Reach.HOLDERS else ""
            )
            method = each.method or "–"
            sequence = "0, then +1" if each.method is Method.REQUEST else "+1"
            answer = "asked again" if each.asks_again else "kept"
            if each.method is Method.CANCEL:
                answer = "void"
            if each.method is None:
                sequence = answer = "–"
            lines.append(
                f"| `{change}` | {to} | `{each.mail}` | {method} | {sequence} "
                f"| {answer} |"
            )
    return lines


def test_the_page_shows_what_calendars_show():
    assert "\n".join(standing_lines()) in PAGE.read_text(encoding="utf-8")


def test_the_page_shows_who_is_told_what():
    assert "\n".join(telling_lines()) in PAGE.read_text(encoding="utf-8")
